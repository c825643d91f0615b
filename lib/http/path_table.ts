/**
 * Finds the entry of a table that a request's path names.
 *
 * Paths are matched as they were sent, segment by segment; "%2F" in a segment is part of the segment. A last segment
 * ":name*" matches the rest of the path, which may be empty.
 */

/** The parameters of a path, decoded. The rest of a path is as it was sent: its segments are decoded one by one. */
export type Params = Readonly<Record<string, string>>;

export interface Match<Entry> {
  readonly entry: Entry;
  /** `undefined` if one has a malformed percent-encoding. */
  readonly params: Params | undefined;
}

interface Pattern<Entry> {
  readonly entry: Entry;
  readonly parts: readonly string[];
  /** The name of the parameter for what follows the parts, if anything may follow. */
  readonly rest: string | undefined;
}

export const noParams: Params = Object.freeze({});

/** Entries by path. A segment of the path that begins with ":" matches any text but "". */
export class PathTable<Entry extends { readonly path: string }> {
  readonly #fixed: ReadonlyMap<string, Entry>;
  /** By their first segment. */
  readonly #patterns: ReadonlyMap<string, readonly Pattern<Entry>[]>;

  /**
   * @param entries if several with parameters match a path, the first is found
   * @throws {TypeError} a path begins with a parameter
   */
  constructor(entries: readonly Entry[]) {
    const hasParams = (entry: Entry) => entry.path.includes("/:");
    this.#fixed = new Map(entries.filter((entry) => !hasParams(entry)).map((entry) => [entry.path, entry]));
    this.#patterns = Map.groupBy(entries.filter(hasParams).map(patternOf), ({ parts }) => parts[1] ?? "");
  }

  find(path: string): Match<Entry> | undefined {
    const entry = this.#fixed.get(path);
    if (entry !== undefined) return { entry, params: noParams };
    const segments = path.split("/");
    const pattern = this.#patterns.get(segments[1] ?? "")?.find((pattern) => matches(pattern, segments));
    return pattern && { entry: pattern.entry, params: paramsOf(pattern, segments) };
  }
}

/** The path of a URL as Deno gives it. Not by `URL`, which takes longer than the rest of routing and changes paths. */
export function pathOf(url: string): string {
  return /^[^/]*\/\/[^/?#]*([^?#]*)/.exec(url)?.[1] || "/";
}

/** @returns `undefined` if the percent-encoding is malformed */
export function decodeSegment(segment: string): string | undefined {
  try {
    return decodeURIComponent(segment);
  } catch {
    return undefined;
  }
}

function patternOf<Entry extends { readonly path: string }>(entry: Entry): Pattern<Entry> {
  const parts = entry.path.split("/");
  if (parts[1]?.startsWith(":")) throw new TypeError(`Cannot route ${entry.path}: it begins with a parameter`);
  const last = parts.at(-1) ?? "";
  if (!last.endsWith("*")) return { entry, parts, rest: undefined };
  return { entry, parts: parts.slice(0, -1), rest: last.slice(1, -1) };
}

function matches({ parts, rest }: Pattern<unknown>, segments: readonly string[]): boolean {
  if (rest === undefined ? segments.length !== parts.length : segments.length <= parts.length) return false;
  return parts.every((part, index) => part.startsWith(":") ? segments[index] !== "" : part === segments[index]);
}

function paramsOf({ parts, rest }: Pattern<unknown>, segments: readonly string[]): Params | undefined {
  const params: Record<string, string> = {};
  for (const [index, part] of parts.entries()) {
    if (!part.startsWith(":")) continue;
    const value = decodeSegment(segments[index] ?? "");
    if (value === undefined) return undefined;
    params[part.slice(1)] = value;
  }
  if (rest !== undefined) params[rest] = segments.slice(parts.length).join("/");
  return params;
}
