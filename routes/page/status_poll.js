/** Requests the status every few seconds, while the page is visible; more rarely while requests fail. */

import { Problem, send } from "./api.js";

const everyMs = 3_000;
/** Behind a proxy each response is of any instance: the next one may be of the instance that is shown. */
const soonMs = 1_000;
const maxWaitMs = 60_000;

/**
 * Starts with a pause.
 *
 * @param onStatus gets each status, and returns whether it was of the instance that is shown
 * @param onFailure gets each problem, and returns whether to go on
 * @returns a function that stops it
 */
export function pollStatus({ onStatus, onFailure }) {
  const state = { timer: 0, failures: 0, isStopped: false };

  const poll = async () => {
    // The event below starts it again.
    if (document.hidden) return;
    const waitMs = await request();
    if (!state.isStopped) wait(waitMs);
  };

  const request = async () => {
    try {
      const { value } = await send("GET", "status/");
      if (state.isStopped) return 0;
      state.failures = 0;
      return onStatus(value) ? everyMs : soonMs;
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      if (state.isStopped || !await onFailure(error)) return stop();
      return Math.min(maxWaitMs, Math.max(error.retrySeconds * 1_000, everyMs * 2 ** ++state.failures));
    }
  };

  const wait = (ms) => {
    clearTimeout(state.timer);
    state.timer = setTimeout(poll, ms);
  };
  const onVisibility = () => !document.hidden && wait(0);
  const stop = () => {
    state.isStopped = true;
    clearTimeout(state.timer);
    document.removeEventListener("visibilitychange", onVisibility);
  };
  document.addEventListener("visibilitychange", onVisibility);
  wait(everyMs);
  return stop;
}
