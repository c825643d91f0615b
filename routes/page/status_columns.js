/**
 * The columns of numbers behind the plots of the state: the first of each is moments in seconds since the epoch, and
 * the others are a line each.
 */

/** Times of hashes and syncs are kept while the view is open: 10 minutes of them. */
export const keptSeconds = 600;
const daySeconds = 24 * 60 * 60;

/** What was told, in the order in which it is drawn. */
export class StateColumns {
  /** Each minute: logins that succeeded, failed, and were throttled. */
  minutes = [[], [], [], []];
  /** Each second: hash p50 and p99, sync p50 and p99, in milliseconds. */
  times = [[], [], [], [], []];
  /** Each second: hashes that run, and that wait. */
  queue = [[], [], []];
  /** Each day of UTC: registrations. */
  days = [[], []];
  /** Registrations of the present minute that are among those of today already. */
  #counted = { minute: 0, count: 0 };

  /** Registrations of the last day there is. */
  get today() {
    return this.days[1].at(-1) ?? 0;
  }

  /** What was before: it replaces what there is, as it comes again after a lost connection. */
  begin({ registrations, logins }) {
    const { success, failure, throttled } = logins;
    const firstMinute = secondsOf(logins.first_minute);
    this.minutes = [success.map((_, index) => firstMinute + index * 60), success, failure, throttled];
    const firstDay = secondsOf(registrations.first_day);
    this.days = [registrations.counts.map((_, index) => firstDay + index * daySeconds), registrations.counts];
    this.#counted = { minute: 0, count: 0 };
  }

  /** What is now. */
  add({ time, logins, registrations, hash, sync, running, waiting }) {
    const seconds = secondsOf(time);
    this.#addLogins(seconds, logins);
    this.#addRegistrations(seconds, registrations);
    keep(this.times, [seconds, hash.p50_ms, hash.p99_ms, sync.p50_ms, sync.p99_ms]);
    keep(this.queue, [seconds, running, waiting]);
  }

  /** Each minute has a place, also one in which nothing came. */
  #addLogins(seconds, { success, failure, throttled }) {
    const [minutes, ...lines] = this.minutes;
    const minute = Math.floor(seconds / 60) * 60;
    while (minutes.length > 0 && minutes.at(-1) < minute) {
      for (const column of this.minutes) column.shift();
      minutes.push((minutes.at(-1) ?? minute - 60) + 60);
      for (const line of lines) line.push(0);
    }
    [success, failure, throttled].forEach((count, index) => lines[index][minutes.length - 1] = count);
  }

  /** The history has those of the present minute already. */
  #addRegistrations(seconds, count) {
    const [days, counts] = this.days;
    const minute = Math.floor(seconds / 60);
    const { minute: countedMinute, count: counted } = this.#counted;
    this.#counted = { minute, count };
    if (countedMinute === 0) return;
    const day = Math.floor(seconds / daySeconds) * daySeconds;
    if (days.at(-1) < day) {
      for (const column of this.days) column.shift();
      days.push(day);
      counts.push(0);
    }
    counts[counts.length - 1] += minute === countedMinute ? Math.max(0, count - counted) : count;
  }
}

function secondsOf(text) {
  return Date.parse(text) / 1_000;
}

/** Puts a row behind the columns, and takes those away that are too old. */
function keep(columns, row) {
  columns.forEach((column, index) => column.push(row[index]));
  while (columns[0][0] < row[0] - keptSeconds) for (const column of columns) column.shift();
}
