/** The state of the house as the service tells it, by server-sent events, see `routes/status.ts`. */

import { Problem, send } from "./api.js";
import { translate } from "./language.js";

/** Lost connections in a row that are no news: a proxy may end a stream after a while. */
const quietFailures = 2;
/** Until a stream that was refused is asked for again; a browser does that by itself only for one that was lost. */
const askAgainMs = 5_000;

/** Shows by `view` what the service tells. @returns a function that ends it */
export function followState(view, app) {
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

/**
 * Why a stream was refused is not told to scripts. @returns false when another view is shown as it is not theirs now
 */
async function mayStillLook(app) {
  try {
    const { value } = await send("GET", "session/");
    if (value.groups.includes("admin")) return true;
    app.session = value;
    app.go("account", translate("You do not have permission to do this."));
    return false;
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    if (error.code !== "not-authenticated") return true;
    app.end();
    return false;
  }
}
