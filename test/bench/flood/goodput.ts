/**
 * Logins that succeed while more come than can be served, each from another address, and how soon it is over.
 *
 * Requests come at a rate of their own, as in a real flood, and not when the last one was answered.
 */

import { Load, percentile, rateOf, type Sample } from "../load.ts";
import { median, type Row } from "../table.ts";
import { rawRate } from "./hash_rate.ts";
import { loginsFrom, type Scene } from "./scene.ts";

const rounds = 3;
const seconds = 5;
/** Of capacity. */
const factors = [1, 2, 10] as const;
const cores = navigator.hardwareConcurrency;
/** After a change of the rate so much does not count, in milliseconds. */
const settleMs = 1_000;
const addressCount = 2 ** 24;
const target = 0.95;
/** What counts as the time of a login that nobody else disturbs. */
const normalFactor = 2;
/** Longer is not waited for it, in milliseconds. */
const maxRecoveryMs = 15_000;

/** What one round has shown. */
interface Round {
  /** Logins a second that succeeded, by factor. */
  readonly rates: readonly number[];
  /** From a request to its 503, milliseconds. */
  readonly refusedMs: readonly number[];
  /** From the flood's end to a login in its normal time, milliseconds: those who wait stay, or hang up. */
  readonly stayedMs: number;
  readonly hungUpMs: number;
}

/** One rate after the other, from the lowest to the highest, again and again. */
export async function* goodput({ service }: Scene): AsyncGenerator<Row> {
  const all: Round[] = [];
  for (let round = 0; round < rounds; round++) all.push(await runRound(service.url));
  const rates = factors.map((_, index) => median(all.map((round) => round.rates[index] ?? NaN)));
  for (const [index, factor] of factors.entries()) {
    if (index === 0) continue;
    const ratio = median(all.map((round) => (round.rates[index] ?? NaN) / (round.rates[0] ?? NaN)));
    yield {
      what: `logins that succeed at ${factor}× of capacity, an address each, against 1×`,
      target: `≥ ${target}`,
      measured: `${ratio.toFixed(3)} (${rates[index]?.toFixed(1)}/s against ${rates[0]?.toFixed(1)}/s)`,
      isHeld: ratio >= target,
    };
  }
  yield atMost(
    "503 at 10×, p99 of the time to it",
    50,
    median(all.map(({ refusedMs }) => percentile(refusedMs, 0.99))),
  );
  // 5 s is the longest wait that is accepted.
  const stayed = median(all.map(({ stayedMs }) => stayedMs));
  yield atMost("a login in its normal time, after 10× has ended and while those who wait are served", 5_500, stayed);
  const hungUp = median(all.map(({ hungUpMs }) => hungUpMs));
  yield atMost("a login in its normal time, after 10× has ended and those who wait have hung up", 500, hungUp);
}

async function runRound(url: string): Promise<Round> {
  using load = new Load(url);
  const normalMs = await aloneMs(load);
  // What the cores can do at the most: at 1x already there are a few more than can be served.
  const capacity = await rawRate(2);
  const windows: { from: number; to: number }[] = [];
  const offers: Promise<Sample[]>[] = [];
  for (const factor of factors) {
    const from = performance.now() + settleMs;
    const { samples } = await load.offer(loginsFrom(addressCount), { perSecond: factor * capacity, seconds });
    windows.push({ from, to: performance.now() });
    offers.push(samples);
  }
  const stayedMs = await recoveryMs(load, normalMs);
  const samples = (await Promise.all(offers)).flat();
  const rates = windows.map(({ from, to }) => goodRate(samples, from, to));
  const refusedMs = samples.filter(({ status }) => status === 503).map(({ sentAt, receivedAt }) => receivedAt - sentAt);
  return { rates, refusedMs, stayedMs, hungUpMs: await hungUpMs(load, url, { capacity, normalMs }) };
}

/** After a flood whose clients all hang up at its end. */
async function hungUpMs(load: Load, url: string, options: { capacity: number; normalMs: number }): Promise<number> {
  const flood = new Load(url);
  const offered = await flood.offer(loginsFrom(addressCount), { perSecond: 10 * options.capacity, seconds: 2 });
  flood[Symbol.dispose]();
  // Those that waited end with an error.
  await offered.samples.catch(() => {});
  return await recoveryMs(load, options.normalMs);
}

function goodRate(samples: readonly Sample[], from: number, to: number): number {
  const good = samples.filter(({ status, receivedAt }) => status === 201 && receivedAt >= from && receivedAt < to);
  return rateOf(good.map(({ receivedAt }) => receivedAt), cores);
}

/** How long a login takes when nobody else logs in. */
async function aloneMs(load: Load): Promise<number> {
  const times: number[] = [];
  for (let count = 0; count < 5; count++) times.push((await tryLogin(load)).ms);
  return median(times);
}

/** @returns after how many milliseconds a login began that took its normal time; `Infinity` when none did */
async function recoveryMs(load: Load, normalMs: number): Promise<number> {
  const startedAt = performance.now();
  for (let passedMs = 0; passedMs < maxRecoveryMs; passedMs = performance.now() - startedAt) {
    const { status, ms } = await tryLogin(load);
    if (status === 201 && ms <= normalFactor * normalMs) return passedMs;
    if (status === 503) await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return Infinity;
}

async function tryLogin(load: Load): Promise<{ status: number; ms: number }> {
  const number = Math.floor(Math.random() * addressCount);
  const { status, sentAt, receivedAt } = await load.send(loginsFrom(addressCount)(number));
  return { status, ms: receivedAt - sentAt };
}

function atMost(what: string, targetMs: number, ms: number): Row {
  return { what, target: `≤ ${targetMs} ms`, measured: `${ms.toFixed(0)} ms`, isHeld: ms <= targetMs };
}
