/** The state of a busy house, told by the test itself in the place of the service: what a new one has is little to draw. */
import type { Page } from "playwright-core";

const secondMs = 1_000;
const minuteMs = 60 * secondMs;
const dayMs = 24 * 60 * minuteMs;
const keptSeconds = 600;

/** From now on the page is told of a house like this, once, with ten minutes of moments in it. */
export async function routeBusyState(page: Page): Promise<void> {
  const now = Math.floor(Date.now() / secondMs) * secondMs;
  const moments = Array.from(
    { length: keptSeconds },
    (_, index) => momentOf(now - (keptSeconds - 1 - index) * secondMs),
  );
  const history = told("history", historyOf(now));
  const events = moments.map((moment) => told("now", moment));
  // Plots are drawn anew after a history.
  const last = events.pop() ?? "";
  const headers = { "content-type": "text/event-stream" };
  // Not soon again: it ends, and the page would ask for more.
  await page.route(
    "**/state/",
    (route) => route.fulfill({ headers, body: ["retry: 600000\n\n", history, ...events, history, last].join("") }),
  );
}

function told(name: string, data: unknown): string {
  return `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
}

/** From 0 to 1, the same each time. */
function waveAt(index: number, length: number): number {
  return (2 + Math.sin(index / length) + Math.sin(index / length * 3.7) * 0.6 + Math.sin(index / length * 17) * 0.2) /
    4;
}

function historyOf(now: number): unknown {
  const column = (length: number, top: number, wave: number) =>
    Array.from({ length }, (_, index) => Math.round(top * waveAt(index, wave)));
  const failure = column(60, 9, 4).map((count, index) => index > 36 && index < 42 ? count + 40 : count);
  return {
    registrations: {
      first_day: new Date(Math.floor(now / dayMs - 29) * dayMs).toISOString().slice(0, 10),
      counts: column(30, 48, 3),
    },
    logins: {
      first_minute: new Date((Math.floor(now / minuteMs) - 59) * minuteMs).toISOString(),
      success: column(60, 64, 9),
      failure,
      throttled: failure.map((count) => Math.max(0, count - 22)),
    },
  };
}

function momentOf(time: number): unknown {
  const index = time / secondMs % keptSeconds;
  const wave = waveAt(index, 80);
  return {
    time: new Date(time).toISOString(),
    logins: { success: 38, failure: 4, throttled: 0 },
    registrations: 2,
    hash: { p50_ms: 72 + wave * 8, p99_ms: 96 + wave * 60 },
    sync: { p50_ms: 1.1 + wave, p99_ms: 8 + wave * 12 },
    running: Math.min(3, Math.round(wave * 4)),
    waiting: Math.max(0, Math.round(wave * 9) - 5),
    sessions: 1_412,
    users: 10_482,
    store_bytes: 1_912_000,
    uptime_seconds: 19 * 24 * 60 * 60,
    deno: "2.9.6",
  };
}
