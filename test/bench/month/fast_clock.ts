/**
 * The service with a clock that runs `CLOCK_SPEED` times as fast since `CLOCK_SINCE` (milliseconds since the epoch).
 *
 * Dates and the hourly work run fast. Deadlines of requests do not, as clients and the disk are not faster either.
 */

const speed = Number(Deno.env.get("CLOCK_SPEED"));
const since = Number(Deno.env.get("CLOCK_SINCE"));
const minute = 60_000;

const RealDate = Date;
const realNow = Date.now;
const realSetInterval = globalThis.setInterval;

function fastNow(): number {
  return Math.round(since + (realNow() - since) * speed);
}

globalThis.Date = new Proxy(RealDate, {
  construct: (target, args, newTarget) => Reflect.construct(target, args.length === 0 ? [fastNow()] : args, newTarget),
  get: (target, name) => name === "now" ? fastNow : Reflect.get(target, name),
});

function fastInterval(callback: () => void, ms: number): ReturnType<typeof realSetInterval> {
  return realSetInterval(callback, ms < minute ? ms : ms / speed);
}
globalThis.setInterval = fastInterval as typeof realSetInterval;

// Not before: modules may keep a reference to `Date.now`.
await import("../../../main.ts");
