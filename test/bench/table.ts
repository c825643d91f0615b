/** What a benchmark prints: the machine, and a row for each figure with its target. */

export interface Row {
  readonly what: string;
  readonly target: string;
  readonly measured: string;
  readonly isHeld: boolean;
}

/** A table in Markdown, for the terminal and for the README. */
export function tableOf(rows: readonly Row[]): string {
  const cells = rows.map(({ what, target, measured, isHeld }) => [what, target, measured, isHeld ? "yes" : "NO"]);
  return [["what", "target", "measured", "held"], ["---", "---", "---", "---"], ...cells]
    .map((row) => `| ${row.join(" | ")} |`).join("\n");
}

/** Processor, cores and Deno: what the figures were measured on. */
export function machineName(): string {
  const model = /^model name\s*: (.+)$/m.exec(readProc("/proc/cpuinfo"))?.[1] ?? Deno.build.arch;
  return `${model}, ${navigator.hardwareConcurrency} cores, Deno ${Deno.version.deno}, ${Deno.build.os}`;
}

/** Bytes of memory that a process has resident, by its pid. */
export function residentBytes(pid: number): number {
  return Number(/^VmRSS:\s*(\d+) kB$/m.exec(readProc(`/proc/${pid}/status`))?.[1] ?? NaN) * 1_024;
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? NaN) + upper) / 2;
}

function readProc(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch (error) {
    // Linux alone has it.
    if (error instanceof Deno.errors.NotFound) return "";
    throw error;
  }
}
