/** Requests with one long header: of every length, up to what the server takes of a head as a whole. */

// fast-check: see odd.ts.
import fc from "npm:fast-check@4.10.2";
import { fillUp, headerBeginnings, headerFillers, maxHeadBytes } from "../long_header.ts";
import type { Headers } from "./odd.ts";
import { targetOf } from "./socket.ts";

/** Which header is long, and what it is made of. */
export interface LongHeader {
  readonly name: string;
  /** Which of those that the header has, counted round. */
  readonly beginning: number;
  readonly filler: string;
  /** Of what there is room for. */
  readonly share: number;
}

/** For the method, what the client adds, and what stands for the names of a scene. */
const reservedBytes = 3 * 1_024;

export const longHeader: fc.Arbitrary<LongHeader> = fc.record({
  name: fc.constantFrom(...Object.keys(headerBeginnings)),
  beginning: fc.nat(9),
  filler: fc.constantFrom(...headerFillers),
  share: fc.constantFrom(0.1, 0.5, 1, 1),
});

/** The headers and a long one, if there is room for it beside them and the path. */
export function withLongHeader(headers: Headers, path: string, long: LongHeader | undefined): Headers {
  if (long === undefined) return headers;
  const { name, beginning, filler, share } = long;
  const room = maxHeadBytes - reservedBytes - targetOf(path).length - lengthOf(headers);
  if (room <= 0) return headers;
  const starts = headerBeginnings[name] ?? [""];
  const value = fillUp(starts[beginning % starts.length] ?? "", { filler, length: Math.floor(share * room) });
  return { ...headers, [name]: value };
}

/** As they are sent, each on a line. */
function lengthOf(headers: Headers): number {
  return Object.entries(headers).reduce((sum, [name, value]) => sum + `${name}: ${value}\r\n`.length, 0);
}
