/** When a session ends, and when it is noted as seen. */
import { assert, assertEquals } from "@std/assert";
import { expiresAt, expiryLimits, findLiveSession } from "../../../lib/accounts/session.ts";
import type { Store } from "../../../lib/store.ts";
import {
  dayMs,
  find,
  hourMs,
  keepSession,
  lifetimes,
  minuteMs,
  start,
  unexpected,
} from "../../support/kept_session.ts";

Deno.test("findLiveSession() finds nothing once the session has ended", async () => {
  const { store, session, token } = await keepSession();
  await store.deleteSession(session.id);
  assertEquals(await find(token, { store, now: start }), undefined);
});

const expiries: readonly (readonly [title: string, seenAfterMs: number, expiresAfterMs: number])[] = [
  ["7 days after it was made, if never used", 0, 7 * dayMs],
  ["7 days after it was last seen", 5 * dayMs, 12 * dayMs],
  ["7 days after it was last seen, exactly at its end", 23 * dayMs, 30 * dayMs],
  ["30 days after it was made, however it is used", 23 * dayMs + 1, 30 * dayMs],
  ["30 days after it was made, though seen a moment ago", 30 * dayMs - 1, 30 * dayMs],
];
for (const [title, seenAfterMs, expiresAfterMs] of expiries) {
  Deno.test(`expiresAt(), findLiveSession() and expiryLimits() end a session ${title}`, async () => {
    const { store, session, token } = await keepSession({ lastSeenAt: start + seenAfterMs });
    const end = start + expiresAfterMs;
    assertEquals(expiresAt(session, lifetimes), end);
    assertEquals(await findLiveSession(token, { store, lifetimes, now: end, onError: unexpected }), undefined);
    assertEquals(await findLiveSession(token, { store, lifetimes, now: end + 1, onError: unexpected }), undefined);
    assertEquals(await store.deleteExpiredSessions(expiryLimits(lifetimes, end - 1)), 0);
    assert(await store.findSession(session.id));
    // A moment earlier it is good. Asked last, as it is seen thereby.
    const seen = await findLiveSession(token, { store, lifetimes, now: end - 1, onError: unexpected });
    assertEquals(seen?.session.id, session.id);
  });
  Deno.test(`expiryLimits() selects what ended ${title}`, async () => {
    const { store, session } = await keepSession({ lastSeenAt: start + seenAfterMs });
    assertEquals(await store.deleteExpiredSessions(expiryLimits(lifetimes, start + expiresAfterMs)), 1);
    assertEquals(await store.findSession(session.id), undefined);
  });
}

Deno.test("findLiveSession() notes no expired session as seen", async () => {
  const { store, session, token } = await keepSession();
  await find(token, { store, now: start + 7 * dayMs });
  assertEquals((await store.findSession(session.id))?.session.lastSeenAt, start);
});

Deno.test("findLiveSession() notes a session as seen once an hour", async () => {
  const { store, session, token } = await keepSession();
  const rows: readonly (readonly [afterMs: number, seenAfterMs: number])[] = [
    [1, 0],
    [hourMs - 1, 0],
    [hourMs, hourMs],
    [hourMs + 1, hourMs],
    [2 * hourMs - 1, hourMs],
    [2 * hourMs + 1, 2 * hourMs + 1],
    // The clock was put back, by no more than those of instances may differ, and by more.
    [hourMs + 1, 2 * hourMs + 1],
    [hourMs, hourMs],
    [-dayMs, -dayMs],
  ];
  for (const [afterMs, seenAfterMs] of rows) {
    assert(await find(token, { store, now: start + afterMs }));
    assertEquals((await store.findSession(session.id))?.session.lastSeenAt, start + seenAfterMs);
  }
});

Deno.test("findLiveSession() updates lastSeenAt ten times in an idle lifetime below ten hours", async () => {
  for (
    const [sessionIdleMs, everyMs] of [[hourMs, 6 * minuteMs], [10 * hourMs, hourMs], [11 * hourMs, hourMs]] as const
  ) {
    const { store, session, token } = await keepSession();
    for (const [afterMs, seenAfterMs] of [[everyMs - 1, 0], [everyMs, everyMs]] as const) {
      await find(token, { store, now: start + afterMs, lifetimes: { ...lifetimes, sessionIdleMs } });
      assertEquals((await store.findSession(session.id))?.session.lastSeenAt, start + seenAfterMs);
    }
  }
});

Deno.test("findLiveSession() keeps a used session alive, however short the idle lifetime is", async () => {
  const short = { sessionIdleMs: hourMs, sessionMaxMs: dayMs };
  const { store, token } = await keepSession();
  // Used every 50 minutes: never an hour without use.
  for (let now = start; now < start + dayMs; now += 50 * minuteMs) {
    assert(await find(token, { store, now, lifetimes: short }), `${(now - start) / minuteMs} minutes`);
  }
  assertEquals(await find(token, { store, now: start + dayMs, lifetimes: short }), undefined);
});

Deno.test("findLiveSession() answers without waiting for the note, whose failure it tells", async () => {
  const { store, session, user, token } = await keepSession();
  const { promise, reject } = Promise.withResolvers<void>();
  const failing: Store = Object.assign(Object.create(store), {
    findSession: () => Promise.resolve({ session, user }),
    touchSession: () => promise,
  });
  const faults: unknown[] = [];
  const options = { store: failing, now: start + hourMs, onError: (error: unknown) => faults.push(error) };
  assertEquals((await find(token, options))?.session, session);
  assertEquals(faults, []);
  const fault = new Error("disk");
  reject(fault);
  await find("", options);
  assertEquals(faults, [fault]);
});
