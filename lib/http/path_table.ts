/**
 * Paths of a table, and which of them a path that was sent is.
 *
 * Paths are matched as they were sent, a segment at a time; "%2F" in a segment is a character of it. A last segment
 * ":name*" takes the rest of the path, which may be empty.
 */

import { HttpError } from "./http.ts";

/** The parameters of a path, decoded; the rest of a path as it was sent, as its segments are decoded one by one. */
export type Params = Readonly<Record<string, string>>;

/** Which entry a path is, and with what parameters. */
export interface Match<Entry> {
  readonly entry: Entry;
  readonly params: Params;
}

/** What a path must be, a segment at a time. */
interface Pattern {
  readonly parts: readonly string[];
  /** The name of what follows the parts, if anything may. */
  readonly rest: string | undefined;
}

export const noParams: Params = Object.freeze({});

/** Entries by their paths, whose segments that begin with ":" take any text that is not empty. */
export class PathTable<Entry extends { readonly path: string }> {
  readonly #fixed: ReadonlyMap<string, Entry>;
  /** By their first segment. */
  readonly #withParams: ReadonlyMap<string, readonly { readonly entry: Entry; readonly pattern: Pattern }[]>;

  /**
   * @param entries of which a path with parameters is found by the first that fits
   * @throws {TypeError} a path begins with a parameter
   */
  constructor(entries: readonly Entry[]) {
    const { fixed = [], withParams = [] } = Object.groupBy(
      entries,
      (entry) => entry.path.includes("/:") ? "withParams" : "fixed",
    );
    this.#fixed = new Map(fixed.map((entry) => [entry.path, entry]));
    const patterns = withParams.map((entry) => ({ entry, pattern: patternOf(entry.path) }));
    this.#withParams = Map.groupBy(patterns, ({ pattern }) => pattern.parts[1] ?? "");
  }

  /** @throws {HttpError} `malformed-path` */
  find(path: string): Match<Entry> | undefined {
    const entry = this.#fixed.get(path);
    if (entry !== undefined) return { entry, params: noParams };
    const segments = path.split("/");
    const found = this.#withParams.get(segments[1] ?? "")?.find(({ pattern }) => fits(pattern, segments));
    return found && { entry: found.entry, params: paramsOf(found.pattern, segments) };
  }
}

/**
 * The path of a URL as the server gives it.
 *
 * Found by hand: parsing the URL would take longer than all else that the router does, and would change the path.
 */
export function pathOf(url: string): string {
  const hostAt = url.indexOf("//") + 2;
  const hashAt = url.indexOf("#", hostAt);
  const whole = hashAt === -1 ? url : url.slice(0, hashAt);
  const queryAt = whole.indexOf("?", hostAt);
  const end = queryAt === -1 ? whole.length : queryAt;
  const from = url.indexOf("/", hostAt);
  return from === -1 || from > end ? "/" : url.slice(from, end);
}

function patternOf(path: string): Pattern {
  const parts = path.split("/");
  if (parts[1]?.startsWith(":")) throw new TypeError(`Cannot route ${path}: it begins with a parameter`);
  const last = parts.at(-1) ?? "";
  return last.endsWith("*") ? { parts: parts.slice(0, -1), rest: last.slice(1, -1) } : { parts, rest: undefined };
}

function fits({ parts, rest }: Pattern, segments: readonly string[]): boolean {
  if (rest === undefined ? segments.length !== parts.length : segments.length <= parts.length) return false;
  return parts.every((part, index) => part.startsWith(":") ? segments[index] !== "" : part === segments[index]);
}

function paramsOf({ parts, rest }: Pattern, segments: readonly string[]): Params {
  const params: Record<string, string> = {};
  parts.forEach((part, index) => {
    if (part.startsWith(":")) params[part.slice(1)] = decodeSegment(segments[index] ?? "");
  });
  if (rest !== undefined) params[rest] = segments.slice(parts.length).join("/");
  return params;
}

/** @throws {HttpError} `malformed-path` */
export function decodeSegment(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch (error) {
    throw new HttpError("malformed-path", { cause: error });
  }
}
