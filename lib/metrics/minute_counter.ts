/** Counts events since the start, and in each of the last 60 minutes. Counting needs no timer. */

const minuteMs = 60 * 1_000;
/** Minutes that are counted apart, the current one included. */
export const keptMinutes = 60;

/** A counter of events. */
export class MinuteCounter {
  readonly #now: () => number;
  /** The current minute is the last. */
  readonly #counts = new Array<number>(keptMinutes).fill(0);
  /** The current minute, counted from the epoch. */
  #minute: number;
  #total = 0;

  /** @param now milliseconds since the epoch */
  constructor(now: () => number) {
    this.#now = now;
    this.#minute = Math.floor(now() / minuteMs);
  }

  /** Events since the start. */
  get total(): number {
    return this.#total;
  }

  /** Events in each of the last 60 minutes, the current one last. */
  get lastHour(): number[] {
    this.#moveToNow();
    return [...this.#counts];
  }

  add(): void {
    this.#moveToNow();
    this.#counts.push((this.#counts.pop() ?? 0) + 1);
    this.#total++;
  }

  /** A clock that is set back by less than an hour stays in its minute; by more, it starts an empty hour. */
  #moveToNow(): void {
    const current = Math.floor(this.#now() / minuteMs);
    const passed = current - this.#minute;
    if (passed <= 0 && passed > -keptMinutes) return;
    this.#minute = current;
    if (passed < 0) this.#counts.fill(0);
    for (let left = Math.min(passed, keptMinutes); left > 0; left--) {
      this.#counts.shift();
      this.#counts.push(0);
    }
  }
}
