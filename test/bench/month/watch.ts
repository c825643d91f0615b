/** Watches a service: its memory, its descriptors, and what its log says of failures. */

import { residentBytes } from "../table.ts";

/** Samples of one process, the oldest first. */
export interface Samples {
  readonly residentBytes: number[];
  readonly descriptors: number[];
}

/** Adds a sample. */
export async function sample({ residentBytes: bytes, descriptors }: Samples, pid: number): Promise<void> {
  bytes.push(residentBytes(pid));
  let count = 0;
  for await (const _ of Deno.readDir(`/proc/${pid}/fd`)) count++;
  descriptors.push(count);
}

/** The mean of the values in a part of the list. @param from, to shares of its length, 0 to 1 */
export function meanOf(values: readonly number[], { from, to }: { from: number; to: number }): number {
  const part = values.slice(Math.floor(from * values.length), Math.floor(to * values.length));
  return part.reduce((sum, value) => sum + value, 0) / part.length;
}

/** Lines of a log that tell of a failure, or are no log lines. */
export function failuresIn(log: string): string[] {
  return log.split("\n").filter((line) => line.includes('"level":"error"') || isUnexpectedWarning(line));
}

function isUnexpectedWarning(line: string): boolean {
  // The hash is cheap here, and kill -9 tears the journal.
  return line.includes('"level":"warn"') && !/"event":"(weak-setting|torn-tail-cut)"/.test(line);
}
