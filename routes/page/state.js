/**
 * What an administrator sees of the state of the house: figures as text, and plots of the same, both live.
 *
 * The service tells all of it by server-sent events, see `routes/state.ts`. Whoever does not see the plots has the
 * figures, and hears a summary of them when it has changed, at most every 10 seconds.
 */

import { Problem, send } from "./api.js";
import { regional, translate } from "./language.js";
import { openPlot, openPlots } from "./state_plot.js";
import { textElement } from "./template.js";

/** Times of hashes and syncs are kept while the view is open: 10 minutes of them. */
const keptSeconds = 600;
const summaryEveryMs = 10_000;
/** Lost connections in a row that are no news: a proxy may end a stream after a while. */
const quietFailures = 2;
/** Until a stream that was refused is asked for again; a browser does that by itself only for one that was lost. */
const askAgainMs = 5_000;
/** What is said to who hears the page. */
const saidFigures = ["users", "sessions", "logins", "failures", "throttled", "queue"];

/** The state, told until the view gets the event `leave`. */
export async function stateView(app) {
  await openPlots();
  const root = textElement("div", "", "wide");
  const view = new StateView(root);
  const stopFollowing = follow(view, app);
  root.addEventListener("leave", () => {
    stopFollowing();
    view.close();
  }, { once: true });
  return root;
}

/** Shows what the service tells. @returns a function that ends it */
function follow(view, app) {
  const state = { source: undefined, timer: 0, failures: 0, isOver: false };
  const open = () => {
    const source = new EventSource("state/");
    state.source = source;
    const listen = (name, act) =>
      source.addEventListener(name, ({ data }) => {
        state.failures = 0;
        view.say("");
        act(JSON.parse(data));
      });
    listen("history", (history) => view.showHistory(history));
    listen("now", (now) => view.showNow(now));
    source.addEventListener("error", async () => {
      const isRefused = source.readyState === EventSource.CLOSED;
      if (isRefused && !await mayStillLook(app)) return;
      if (state.isOver) return;
      if (isRefused) state.timer = setTimeout(open, askAgainMs);
      if (isRefused || ++state.failures > quietFailures) {
        view.say(translate("The state cannot be had now. Trying again."));
      }
    });
  };
  open();
  return () => {
    state.isOver = true;
    clearTimeout(state.timer);
    state.source.close();
  };
}

/** Why a stream was refused is not told to scripts. @returns false when another view is shown as it is not theirs now */
async function mayStillLook(app) {
  try {
    const { value } = await send("GET", "session/");
    if (value.groups.includes("admin")) return true;
    app.session = value;
    app.go("account", translate("You may not do this."));
    return false;
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    if (error.code !== "not-authenticated") return true;
    app.end();
    return false;
  }
}

/** The figures, and the columns of numbers behind the plots. */
class StateView {
  #root;
  #format = formatsFor(regional());
  /** What is wrong with the connection. */
  #status = statusElement("hint");
  /** The figures, for who hears them. */
  #summary = statusElement("heard");
  /** What each of the figures is called, and where it stands. */
  #labels = figureLabels();
  #figures = new Map();
  #plots;
  /** Moments in seconds since the epoch, and a column for each line of the plot. */
  #minutes = [[], [], [], []];
  #times = [[], [], [], [], []];
  #queue = [[], [], []];
  #days = [[], []];
  /** Registrations of the present minute that are among those of today already. */
  #counted = { minute: 0, count: 0 };
  #saidAt = 0;
  #drawEveryMs = matchMedia("(prefers-reduced-motion: reduce)").matches ? 10_000 : 1_000;
  #drawnAt = 0;

  constructor(root) {
    this.#root = root;
    root.append(textElement("h1", translate("State of the house")));
    this.#addSection([this.#status, this.#summary, this.#figureList()]);
    this.#plots = this.#openPlots();
  }

  #openPlots() {
    const { time, day, number } = this.#format;
    const recent = { formatTime: time, shownSeconds: keptSeconds };
    const hash = translate("Hash");
    const sync = translate("Sync");
    return {
      minutes: this.#plot(
        translate("Logins per minute"),
        [translate("Succeeded"), translate("Failed"), translate("Throttled")],
        { formatTime: time, format: number, smallestTop: 5 },
      ),
      times: this.#plot(
        translate("Time of a hash and of a sync, in milliseconds"),
        [`${hash}, p50`, `${hash}, p99`, `${sync}, p50`, `${sync}, p99`],
        { ...recent, format: number, smallestTop: 1 },
      ),
      queue: this.#plot(
        translate("Hashes"),
        [translate("Running"), translate("Waiting")],
        { ...recent, format: number, smallestTop: 4 },
      ),
      days: this.#plot(
        translate("Registrations per day"),
        [translate("Registrations")],
        { formatTime: day, format: number, smallestTop: 5, isDays: true },
      ),
    };
  }

  /** What was before: it replaces what is shown, as it comes again after a lost connection. */
  showHistory({ registrations, logins }) {
    const firstMinute = Date.parse(logins.first_minute) / 1_000;
    const { success, failure, throttled } = logins;
    this.#minutes = [success.map((_, index) => firstMinute + index * 60), success, failure, throttled];
    const firstDay = Date.parse(registrations.first_day) / 1_000;
    this.#days = [registrations.counts.map((_, index) => firstDay + index * 86_400), registrations.counts];
    this.#counted = { minute: 0, count: 0 };
    // What is before the first moment is drawn with that.
    this.#drawnAt = 0;
  }

  showNow(now) {
    const seconds = Date.parse(now.time) / 1_000;
    this.#addLogins(seconds, now.logins);
    this.#addRegistrations(seconds, now.registrations);
    const { hash, sync, running, waiting } = now;
    keep(this.#times, [seconds, hash.p50_ms, hash.p99_ms, sync.p50_ms, sync.p99_ms]);
    keep(this.#queue, [seconds, running, waiting]);
    this.#showFigures(now);
    if (Date.now() - this.#drawnAt >= this.#drawEveryMs - 100) this.#draw();
  }

  say(text) {
    // Said again only when it has changed: a screen reader reads whatever is put here.
    if (this.#status.textContent !== text) this.#status.textContent = text;
  }

  close() {
    for (const plot of Object.values(this.#plots)) plot.close();
  }

  /** Each minute has a place, also one in which nothing came. */
  #addLogins(seconds, { success, failure, throttled }) {
    const [minutes] = this.#minutes;
    const minute = Math.floor(seconds / 60) * 60;
    while (minutes.length > 0 && minutes.at(-1) < minute) {
      for (const column of this.#minutes) column.shift();
      minutes.push((minutes.at(-1) ?? minute - 60) + 60);
      for (const column of this.#minutes.slice(1)) column.push(0);
    }
    const last = minutes.length - 1;
    [success, failure, throttled].forEach((count, index) => this.#minutes[index + 1][last] = count);
  }

  /** The history has those of the present minute already. */
  #addRegistrations(seconds, count) {
    const [days, counts] = this.#days;
    const minute = Math.floor(seconds / 60);
    const { minute: countedMinute, count: counted } = this.#counted;
    if (countedMinute !== 0) {
      const added = minute === countedMinute ? Math.max(0, count - counted) : count;
      const day = Math.floor(seconds / 86_400) * 86_400;
      if (days.at(-1) < day) {
        for (const column of this.#days) column.shift();
        days.push(day);
        counts.push(0);
      }
      counts[counts.length - 1] += added;
    }
    this.#counted = { minute, count };
  }

  #draw() {
    this.#drawnAt = Date.now();
    this.#plots.minutes.draw(this.#minutes);
    this.#plots.times.draw(this.#times);
    this.#plots.queue.draw(this.#queue);
    this.#plots.days.draw(this.#days);
  }

  #showFigures(now) {
    const { number, bytes, duration } = this.#format;
    const { logins, hash, sync } = now;
    const ms = ({ p50_ms: p50, p99_ms: p99 }) => p50 === null ? "–" : `${number(p50)} / ${number(p99)}`;
    const values = {
      users: number(now.users),
      sessions: number(now.sessions),
      today: number(this.#days[1].at(-1) ?? 0),
      logins: number(logins.success),
      failures: number(logins.failure),
      throttled: number(logins.throttled),
      hash: ms(hash),
      sync: ms(sync),
      queue: `${number(now.running)} / ${number(now.waiting)}`,
      bytes: bytes(now.store_bytes),
      uptime: duration(now.uptime_seconds),
      deno: now.deno,
    };
    for (const [name, value] of Object.entries(values)) {
      const figure = this.#figures.get(name);
      if (figure.textContent !== value) figure.textContent = value;
    }
    this.#summarize(values);
  }

  #summarize(values) {
    if (Date.now() - this.#saidAt < summaryEveryMs) return;
    this.#saidAt = Date.now();
    const text = saidFigures.map((name) => `${this.#labels[name]}: ${values[name]}`).join(", ");
    // As above.
    if (this.#summary.textContent !== text) this.#summary.textContent = text;
  }

  #figureList() {
    const list = textElement("dl", "", "figures");
    for (const [name, text] of Object.entries(this.#labels)) {
      const figure = textElement("dd", "–");
      figure.dataset.name = name;
      this.#figures.set(name, figure);
      const group = document.createElement("div");
      group.append(textElement("dt", text), figure);
      list.append(group);
    }
    return list;
  }

  #plot(title, labels, options) {
    const place = textElement("div", "", "plot");
    this.#addSection([textElement("h2", title), place]);
    return openPlot(place, { title, labels, ...options });
  }

  #addSection(children) {
    const section = document.createElement("section");
    section.append(...children);
    this.#root.append(section);
  }
}

/** The names of all figures, in the order in which they are shown. */
function figureLabels() {
  return {
    users: translate("Residents"),
    sessions: translate("Sessions"),
    today: translate("Registered today"),
    logins: translate("Logins this minute"),
    failures: translate("Failed this minute"),
    throttled: translate("Throttled this minute"),
    hash: translate("Hash in ms, p50 / p99"),
    sync: translate("Sync in ms, p50 / p99"),
    queue: translate("Hashes running / waiting"),
    bytes: translate("On the disk"),
    uptime: translate("Running for"),
    deno: "Deno",
  };
}

function statusElement(className) {
  const element = textElement("p", "", className);
  element.role = "status";
  return element;
}

/** Puts a row behind the columns, and takes those away that are too old. */
function keep(columns, row) {
  columns.forEach((column, index) => column.push(row[index]));
  while (columns[0][0] < row[0] - keptSeconds) for (const column of columns) column.shift();
}

/** How numbers and moments are written in a language. */
function formatsFor(language) {
  const numbers = new Intl.NumberFormat(language, { maximumSignificantDigits: 3 });
  const counts = new Intl.NumberFormat(language);
  const unit = (name) => new Intl.NumberFormat(language, { style: "unit", unit: name, maximumFractionDigits: 1 });
  const moments = (options) => {
    const format = new Intl.DateTimeFormat(language, options);
    return (seconds) => format.format(seconds * 1_000);
  };
  return {
    number: (value) => (Number.isInteger(value) ? counts : numbers).format(value),
    bytes: (value) => value < 1e6 ? unit("kilobyte").format(value / 1e3) : unit("megabyte").format(value / 1e6),
    duration: (seconds) => {
      if (seconds < 2 * 60) return unit("second").format(seconds);
      if (seconds < 2 * 3_600) return unit("minute").format(Math.floor(seconds / 60));
      if (seconds < 48 * 3_600) return unit("hour").format(Math.floor(seconds / 3_600));
      return unit("day").format(Math.floor(seconds / 86_400));
    },
    time: moments({ timeStyle: "short" }),
    // Days are those of UTC.
    day: moments({ day: "numeric", month: "short", timeZone: "UTC" }),
  };
}
