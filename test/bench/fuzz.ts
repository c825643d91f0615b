/**
 * `deno task bench fuzz`: a million requests that nobody thinks of, against the service over sockets and without, and
 * what is left of them in its memory.
 *
 * The requests are those of test/routes/fuzz_test.ts. Over sockets the sequences are longer and concurrent, each with
 * its own users, which are deleted at its end. fast-check shrinks a failed sequence, and prints it with its seed. To
 * repeat it, run `deno task bench fuzz SEED`.
 */

import { printError } from "../../lib/tasks/task.ts";
import { openApiDocument } from "../../routes/openapi/document.ts";
import { operations } from "../../routes/mod.ts";
import { Coverage } from "../support/fuzz.ts";
import { fuzzApps } from "../support/fuzz/app.ts";
import { FuzzedService, suspiciousLines } from "../support/fuzz/service.ts";
import { startService } from "../support/service.ts";
import { median, residentBytes, type Row } from "./table.ts";

/** Over sockets. */
const stepCount = 10_000;
const steps = 90;
/** After them all that is kept for good is there: pages, caches, the heap that so many clients at once need. */
const firstSteps = 10;
/** Without. */
const inProcessCount = 100_000;
const mebibyte = 1_024 * 1_024;

/** Every row, as it is measured. */
export async function* benchFuzz(): AsyncGenerator<Row> {
  const seed = Number(Deno.args[1] ?? crypto.getRandomValues(new Uint32Array(1))[0]);
  printError(`seed ${seed}`);
  yield await fuzzInProcess(seed);
  yield* fuzzService(seed);
}

async function fuzzInProcess(seed: number): Promise<Row> {
  const coverage = newCoverage();
  const startedAt = performance.now();
  for (let round = 0; coverage.count < inProcessCount; round++) await fuzzApps(coverage, { seed: seed + round });
  const rate = coverage.count / ((performance.now() - startedAt) / 1_000);
  return {
    what: "requests from the OpenAPI document and beside it, without a socket: faults, secrets, undocumented replies",
    target: "0",
    // The first would have ended it.
    measured: `0 of ${coverage.count} (${Math.round(rate)}/s), headers up to ${coverage.longestHeader} bytes`,
    isHeld: true,
  };
}

async function* fuzzService(seed: number): AsyncGenerator<Row> {
  await using service = await startService({ env: { GATEHOUSE_PBKDF2_ITERATIONS: "1" } });
  const coverage = newCoverage();
  const fuzz = await FuzzedService.open(service, { coverage, seed });
  const startedAt = performance.now();
  const resident: number[] = [];
  for (let step = 1; step <= steps; step++) {
    await fuzz.runUntil(step * stepCount, { maxSequence: 400 });
    resident.push(residentBytes(service.pid) / mebibyte);
  }
  const rate = coverage.count / ((performance.now() - startedAt) / 1_000);
  yield {
    what: "the same over sockets",
    target: "0",
    measured: `0 of ${coverage.count} (${Math.round(rate)}/s), headers up to ${coverage.longestHeader} bytes`,
    isHeld: true,
  };
  const missing = coverage.missing((status) => status < 400);
  yield {
    what: "successes in the document that none of them reached",
    target: "0",
    measured: missing.length === 0 ? "0" : missing.join(", "),
    isHeld: missing.length === 0,
  };
  // Garbage comes and goes. What the throttle counts is kept up to its bounds, some 10 MB each.
  const first = Math.max(...resident.slice(0, firstSteps));
  const last = median(resident.slice(-firstSteps));
  yield {
    what: "resident: the median in the last 100,000, against the most in the first 100,000",
    target: "≤ 1.25",
    measured: `${(last / first).toFixed(2)} (${last.toFixed(0)} MiB against ${first.toFixed(0)})`,
    isHeld: last / first <= 1.25,
  };
  const lines = suspiciousLines(service.log());
  yield {
    what: "lines of its log with an error or a secret",
    target: "0",
    measured: `${lines.length}${lines[0] === undefined ? "" : `: ${lines[0]}`}`,
    isHeld: lines.length === 0,
  };
}

function newCoverage(): Coverage {
  return new Coverage(openApiDocument(operations, { passwordMinLength: 15 }));
}
