/** Timers that take no time, where a test would only wait. */

/** Until disposed of, timers fire at once; `lengthsMs` has the times that they would take. */
export function skipPauses(): Disposable & { readonly lengthsMs: readonly number[] } {
  const { setTimeout } = globalThis;
  const lengthsMs: number[] = [];
  const fire = (callback: () => void, delayMs = 0) => {
    lengthsMs.push(delayMs);
    return setTimeout(callback, 0);
  };
  globalThis.setTimeout = Object.assign(fire, { __promisify__: setTimeout.__promisify__ });
  return { lengthsMs, [Symbol.dispose]: () => void (globalThis.setTimeout = setTimeout) };
}
