/**
 * What an administrator sees of the state of the house: figures as text, and plots of the same, both live.
 *
 * Whoever does not see the plots has the figures, and hears a summary of them when it has changed, at most every 10
 * seconds.
 */

import { regional, translate } from "./language.js";
import { keptSeconds, StateColumns } from "./status_columns.js";
import { formatsFor } from "./status_format.js";
import { openPlot, openPlots } from "./status_plot.js";
import { followState } from "./status_stream.js";
import { textElement } from "./template.js";

const summaryEveryMs = 10_000;
/** What is said to who hears the page. */
const saidFigures = ["users", "sessions", "logins", "failures", "throttled", "queue"];

/** The state, told until the view gets the event `leave`. */
export async function stateView(app) {
  await openPlots();
  const root = textElement("div", "", "wide house");
  const view = new StateView(root);
  const stopFollowing = followState(view, app);
  root.addEventListener("leave", () => {
    stopFollowing();
    view.close();
  }, { once: true });
  return root;
}

/** The figures, the plots, and what is said. */
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
  #columns = new StateColumns();
  #plots;
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
        translate("Hash and sync, in milliseconds"),
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

  showHistory(history) {
    this.#columns.begin(history);
    // What is before the first moment is drawn with that.
    this.#drawnAt = 0;
  }

  showNow(now) {
    this.#columns.add(now);
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

  #draw() {
    this.#drawnAt = Date.now();
    for (const [name, plot] of Object.entries(this.#plots)) plot.draw(this.#columns[name]);
  }

  #showFigures(now) {
    const { number, times, bytes, duration } = this.#format;
    const { logins, hash, sync } = now;
    const values = {
      users: number(now.users),
      sessions: number(now.sessions),
      today: number(this.#columns.today),
      logins: number(logins.success),
      failures: number(logins.failure),
      throttled: number(logins.throttled),
      hash: times(hash.p50_ms, hash.p99_ms),
      sync: times(sync.p50_ms, sync.p99_ms),
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
    users: translate("Users"),
    sessions: translate("Sessions"),
    today: translate("Registered today"),
    logins: translate("Logins this minute"),
    failures: translate("Failed this minute"),
    throttled: translate("Throttled this minute"),
    hash: translate("Hash, p50 / p99"),
    sync: translate("Sync, p50 / p99"),
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
