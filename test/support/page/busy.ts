/** The status of a busy service, in place of that of the service under test, which has little to draw. */
import type { Page } from "npm:playwright-core@1.65.1";

const secondMs = 1_000;
const minuteMs = 60 * secondMs;
const dayMs = 24 * 60 * minuteMs;
/** Of the ten minutes that the page keeps. */
const responseCount = 100;
const responseEveryMs = 6 * secondMs;

/** From now on the service seems busy, with a clock that runs twice as fast as the page's. */
export async function routeBusyStatus(page: Page): Promise<void> {
  const end = Math.floor(Date.now() / secondMs) * secondMs;
  let left = responseCount;
  await page.clock.install();
  await page.route("**/status/", (route) => {
    left = Math.max(0, left - 1);
    return route.fulfill({ json: busyStatus(end - left * responseEveryMs) });
  });
}

/** Lets the page draw ten minutes in a second or two. */
export async function seeBusyMinutes(page: Page): Promise<void> {
  for (let count = 1; count < responseCount; count++) {
    const [response] = await Promise.all([page.waitForResponse("**/status/"), page.clock.fastForward(3_000)]);
    await response.finished();
  }
  // Where nothing may move, the plots are drawn every 10 s.
  await page.clock.runFor(15_000);
}

/** From 0 to 1, the same each time. */
function waveAt(index: number, length: number): number {
  return (2 + Math.sin(index / length) + Math.sin(index / length * 3.7) * 0.6 + Math.sin(index / length * 17) * 0.2) /
    4;
}

/** What `GET /status/` would respond. @param changes replace members of it */
export function busyStatus(time: number, changes: Readonly<Record<string, unknown>> = {}): unknown {
  const column = (length: number, top: number, wave: number) =>
    Array.from({ length }, (_, index) => Math.round(top * waveAt(index, wave)));
  const failure = column(60, 9, 4).map((count, index) => index > 36 && index < 42 ? count + 40 : count);
  const wave = waveAt(time / secondMs % 600, 80);
  return {
    time: new Date(time).toISOString(),
    instance: "127.0.0.1:8000 3f9a",
    users: 10_482,
    sessions: 1_412,
    registrations: {
      first_day: new Date(Math.floor(time / dayMs - 29) * dayMs).toISOString().slice(0, 10),
      counts: column(30, 48, 3),
    },
    logins: {
      first_minute: new Date((Math.floor(time / minuteMs) - 59) * minuteMs).toISOString(),
      success: column(60, 64, 9),
      failure,
      throttled: failure.map((count) => Math.max(0, count - 22)),
    },
    hash: { work: "pbkdf2-sha256 i=600000", cost_ms: 77.15, p50_ms: 72 + wave * 8, p99_ms: 96 + wave * 60 },
    sync: { p50_ms: 1.1 + wave, p99_ms: 8 + wave * 12 },
    running: Math.min(3, Math.round(wave * 4)),
    waiting: Math.max(0, Math.round(wave * 9) - 5),
    store_bytes: 1_912_000,
    uptime_seconds: 19 * 24 * 60 * 60,
    deno: "2.9.6",
    ...changes,
  };
}
