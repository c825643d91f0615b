/** Logins and registrations a second, against what the machine's cores can hash. */

import { recommendedIterations } from "../../../lib/config/settings.ts";
import { deriveDigest } from "../../../lib/passwords/password_hash.ts";
import { pbkdf2 } from "../../support/passwords/phc.ts";
import { Load, type NextRequest, rateOf } from "../load.ts";
import { median, type Row } from "../table.ts";
import { loginsFrom, registrationsFrom, type Scene } from "./scene.ts";

const rounds = 7;
const seconds = 3;
const connections = 16;
const cores = navigator.hardwareConcurrency;
const target = 0.97;

/** Logins, registrations and bare hashes in turn: the hashes of a round are those before and after it. */
export async function* hashRates({ service }: Scene): AsyncGenerator<Row> {
  using load = new Load(service.url);
  const addressCount = 64;
  const raw = [await rawRate(seconds)];
  const logins: number[] = [];
  const registrations: number[] = [];
  for (let round = 0; round < rounds; round++) {
    logins.push(await requestRate(load, loginsFrom(addressCount)));
    registrations.push(await requestRate(load, registrationsFrom(addressCount)));
    raw.push(await rawRate(seconds));
  }
  yield rowOf("logins", logins, raw);
  yield rowOf("registrations", registrations, raw);
}

/** Hashes a second in this process, as many at once as in the service, and nothing but hashes. */
export async function rawRate(seconds: number, scheme = pbkdf2(recommendedIterations)): Promise<number> {
  const endAt = performance.now() + seconds * 1_000;
  const doneAt: number[] = [];
  await Promise.all(Array.from({ length: cores + 1 }, async () => {
    while (performance.now() < endAt) {
      const salt = crypto.getRandomValues(new Uint8Array(16));
      await deriveDigest(new Uint8Array(23), { scheme, salt });
      doneAt.push(performance.now());
    }
  }));
  return rateOf(doneAt, cores + 1);
}

/** Requests a second that succeed, while all connections are busy. @throws {Error} one does not */
export async function requestRate(load: Load, next: NextRequest): Promise<number> {
  const samples = await load.keepBusy(next, { connections, seconds });
  const other = samples.find(({ status }) => status !== 201);
  if (other !== undefined) throw new Error(`A request was answered with ${other.status}, not with 201`);
  return rateOf(samples.map(({ receivedAt }) => receivedAt), cores);
}

function rowOf(what: string, rates: readonly number[], raw: readonly number[]): Row {
  const around = (round: number) => ((raw[round] ?? NaN) + (raw[round + 1] ?? NaN)) / 2;
  const ratio = median(rates.map((rate, round) => rate / around(round)));
  return {
    what: `${what} at 600,000 iterations, ${connections} connections, against \`deriveBits\` alone on all cores`,
    target: `≥ ${target}`,
    measured: `${ratio.toFixed(3)} (${median(rates).toFixed(1)}/s against ${median(raw).toFixed(1)}/s)`,
    isHeld: ratio >= target,
  };
}
