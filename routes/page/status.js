/**
 * The status of the service for administrators: figures as text and as plots, requested again every few seconds.
 *
 * Screen readers get the figures, and hear a summary of them when they change, at most every 10 seconds.
 */

import { send } from "./api.js";
import { regional, translate } from "./language.js";
import { keptSeconds, StatusColumns } from "./status_columns.js";
import { formatsFor } from "./status_format.js";
import { openPlot, openPlots } from "./status_plot.js";
import { pollStatus } from "./status_poll.js";
import { textElement } from "./template.js";

const summaryEveryMs = 10_000;
/** The figures in the summary. */
const summarized = ["users", "sessions", "logins", "failures", "throttled", "queue"];
/** An instance that has not responded for this long is gone. */
const goneAfterMs = 30_000;

/** The status, requested again until the view gets the event `leave`. */
export async function statusView(app) {
  const [{ value }] = await Promise.all([send("GET", "status/"), openPlots()]);
  const root = textElement("div", "", "wide dashboard");
  const view = new StatusView(root, value);
  const stop = pollStatus({
    onStatus: (status) => view.receive(status),
    onFailure: async (problem) => {
      if (problem.code === "not-authenticated") return app.end();
      if (problem.code === "forbidden") return await showAccount(app);
      view.say(translate("Could not load the status. Trying again."));
      return true;
    },
  });
  root.addEventListener("leave", () => {
    stop();
    view.close();
  }, { once: true });
  return root;
}

/** The user is not an administrator any more. */
async function showAccount(app) {
  app.session = (await send("GET", "session/")).value;
  app.go("account", translate("You do not have permission to do this."));
}

/** The figures and the plots of one instance of the service. */
class StatusView {
  #root;
  #format = formatsFor(regional());
  /** Whether the last request failed. */
  #message = statusElement("hint");
  #summary = statusElement("unseen");
  #summarizedAt = 0;
  /** The text and the element of each figure. */
  #figures = new Map();
  /** When each instance responded last. */
  #respondedAt = new Map();
  #shown = "";
  #columns = new StatusColumns();
  #plots;
  #drawEveryMs = matchMedia("(prefers-reduced-motion: reduce)").matches ? 10_000 : 0;
  #drawnAt = 0;

  constructor(root, status) {
    this.#root = root;
    root.append(textElement("h1", translate("Service status")));
    const hasSync = status.sync !== null;
    this.#addSection([this.#message, this.#summary, this.#figureList(hasSync)]);
    this.#plots = this.#openPlots(hasSync);
    this.receive(status);
  }

  /** Shows a response, if it is of the instance that is shown. @returns whether it is */
  receive(status) {
    this.say("");
    const now = Date.now();
    this.#respondedAt.set(status.instance, now);
    for (const [name, at] of this.#respondedAt) if (now - at > goneAfterMs) this.#respondedAt.delete(name);
    if (!this.#respondedAt.has(this.#shown)) this.#showInstance(status.instance);
    if (status.instance !== this.#shown) return false;
    this.#columns.add(status);
    this.#showFigures(status);
    if (now - this.#drawnAt >= this.#drawEveryMs) this.#draw();
    return true;
  }

  say(text) {
    setText(this.#message, text);
  }

  close() {
    for (const plot of Object.values(this.#plots)) plot.close();
  }

  #showInstance(name) {
    this.#shown = name;
    this.#columns = new StatusColumns();
    this.#drawnAt = 0;
  }

  #draw() {
    this.#drawnAt = Date.now();
    for (const [name, plot] of Object.entries(this.#plots)) plot.draw(this.#columns[name]);
  }

  #openPlots(hasSync) {
    const { time, day, number } = this.#format;
    const recent = { formatTime: time, format: number, shownSeconds: keptSeconds };
    const [hash, sync] = [translate("Hash"), translate("Sync")];
    return {
      minutes: this.#plot(
        translate("Logins per minute"),
        [translate("Succeeded"), translate("Failed"), translate("Throttled")],
        { formatTime: time, format: number, smallestTop: 5 },
      ),
      times: this.#plot(
        hasSync ? translate("Hash and sync, in milliseconds") : translate("Hash, in milliseconds"),
        [`${hash}, p50`, `${hash}, p99`, ...hasSync ? [`${sync}, p50`, `${sync}, p99`] : []],
        { ...recent, smallestTop: 1 },
      ),
      queue: this.#plot(translate("Hashes"), [translate("Running"), translate("Waiting")], {
        ...recent,
        smallestTop: 4,
      }),
      days: this.#plot(
        translate("Registrations per day"),
        [translate("Registrations")],
        { formatTime: day, format: number, smallestTop: 5, isDays: true },
      ),
    };
  }

  #showFigures(status) {
    const { number, milliseconds, times, bytes, duration } = this.#format;
    const { hash, sync } = status;
    const [logins, failures, throttled] = this.#columns.minutes.slice(1).map((counts) => number(counts.at(-1)));
    const values = {
      users: number(status.users),
      sessions: number(status.sessions),
      today: number(this.#columns.today),
      logins,
      failures,
      throttled,
      hash: times(hash.p50_ms, hash.p99_ms),
      sync: sync === null ? "" : times(sync.p50_ms, sync.p99_ms),
      queue: `${number(status.running)} / ${number(status.waiting)}`,
      bytes: bytes(status.store_bytes),
      uptime: duration(status.uptime_seconds),
      work: `${hash.work} (${milliseconds(hash.cost_ms)})`,
      deno: status.deno,
      instance: this.#instanceText(status.instance),
    };
    for (const [name, { element }] of this.#figures) setText(element, values[name]);
    this.#summarize(values);
  }

  #instanceText(instance) {
    const count = this.#respondedAt.size;
    return count === 1 ? instance : translate("{instance}, one of {count}", { instance, count });
  }

  #summarize(values) {
    if (Date.now() - this.#summarizedAt < summaryEveryMs) return;
    this.#summarizedAt = Date.now();
    setText(this.#summary, summarized.map((name) => `${this.#figures.get(name).text}: ${values[name]}`).join(", "));
  }

  #figureList(hasSync) {
    const list = textElement("dl", "", "figures");
    for (const [name, text] of Object.entries(figureTexts())) {
      if (name === "sync" && !hasSync) continue;
      const element = textElement("dd", "–");
      element.dataset.name = name;
      this.#figures.set(name, { text, element });
      const group = document.createElement("div");
      group.append(textElement("dt", text), element);
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

/** The names of the figures, in the order in which they are shown. */
function figureTexts() {
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
    bytes: translate("Size of the store"),
    uptime: translate("Uptime"),
    deno: "Deno",
    instance: translate("Instance"),
    work: translate("New hashes"),
  };
}

function statusElement(className) {
  const element = textElement("p", "", className);
  element.role = "status";
  return element;
}

/** Changes a text only if it differs: screen readers read a change. */
function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
