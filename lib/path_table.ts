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

export const noParams: Params = Object.freeze({});

/** Entries by their paths, whose segments that begin with ":" take any text that is not empty. */
export class PathTable<Entry extends { readonly path: string }> {
  readonly #fixed: ReadonlyMap<string, Entry>;
  readonly #withParams: readonly { readonly entry: Entry; readonly segments: readonly string[] }[];

  /** @param entries of which a path with parameters is found by the first that fits */
  constructor(entries: readonly Entry[]) {
    const { fixed = [], withParams = [] } = Object.groupBy(
      entries,
      (entry) => entry.path.includes("/:") ? "withParams" : "fixed",
    );
    this.#fixed = new Map(fixed.map((entry) => [entry.path, entry]));
    this.#withParams = withParams.map((entry) => ({ entry, segments: entry.path.split("/") }));
  }

  /** @throws {HttpError} `malformed-path` */
  find(path: string): Match<Entry> | undefined {
    const entry = this.#fixed.get(path);
    if (entry !== undefined) return { entry, params: noParams };
    const segments = path.split("/");
    const found = this.#withParams.find((candidate) => fits(candidate.segments, segments));
    return found && { entry: found.entry, params: paramsOf(found.segments, segments) };
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

function isRestPath(pattern: readonly string[]): boolean {
  return pattern.at(-1)?.endsWith("*") ?? false;
}

function fits(pattern: readonly string[], segments: readonly string[]): boolean {
  const isRest = isRestPath(pattern);
  const fixed = isRest ? pattern.slice(0, -1) : pattern;
  return (isRest ? segments.length > fixed.length : segments.length === fixed.length) &&
    fixed.every((part, index) => part.startsWith(":") ? segments[index] !== "" : part === segments[index]);
}

function paramsOf(pattern: readonly string[], segments: readonly string[]): Params {
  const params: Record<string, string> = {};
  pattern.forEach((part, index) => {
    if (part.endsWith("*")) params[part.slice(1, -1)] = segments.slice(index).join("/");
    else if (part.startsWith(":")) params[part.slice(1)] = decodeSegment(segments[index] ?? "");
  });
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
