/**
 * The columns of numbers behind the plots of the status. The first column of each plot has moments in seconds since the
 * epoch; each other column is a line.
 *
 * A response has the whole history of logins and registrations. Durations and queue lengths are collected here while
 * the view is open.
 */

/** How long durations and queue lengths are kept: 10 minutes. */
export const keptSeconds = 600;
const minuteSeconds = 60;
const daySeconds = 24 * 60 * minuteSeconds;

/** The columns of each plot, of one instance. */
export class StatusColumns {
  /** Each minute: logins that succeeded, failed, and were throttled. */
  minutes = [[], [], [], []];
  /** Each response: p50 and p99 of hashes and of syncs, in milliseconds. */
  times = [[], [], [], [], []];
  /** Each response: hashes that run, and that wait. */
  queue = [[], [], []];
  /** Each day of UTC: registrations. */
  days = [[], []];

  /** Registrations of the last day. */
  get today() {
    return this.days[1].at(-1) ?? 0;
  }

  /** Takes a response. */
  add({ time, logins, registrations, hash, sync, running, waiting }) {
    const { first_minute, success, failure, throttled } = logins;
    this.minutes = [moments(first_minute, minuteSeconds, success), success, failure, throttled];
    this.days = [moments(registrations.first_day, daySeconds, registrations.counts), registrations.counts];
    const seconds = secondsOf(time);
    keep(this.times, [seconds, hash.p50_ms, hash.p99_ms, sync?.p50_ms ?? null, sync?.p99_ms ?? null]);
    keep(this.queue, [seconds, running, waiting]);
  }
}

/** The moment of each count. @param first the moment of the first one */
function moments(first, stepSeconds, counts) {
  return counts.map((_, index) => secondsOf(first) + index * stepSeconds);
}

function secondsOf(text) {
  return Date.parse(text) / 1_000;
}

/** Appends a row to the columns, and deletes rows that are too old. */
function keep(columns, row) {
  columns.forEach((column, index) => column.push(row[index]));
  while (columns[0][0] < row[0] - keptSeconds) for (const column of columns) column.shift();
}
