/** `GET /status/`: what it shows, to whom, and at what cost. */
import { assert, assertEquals, assertLess, assertMatch } from "@std/assert";
import { TableStore } from "../../lib/store/memory/table_store.ts";
import { openAdminApp, outcomeOf } from "../support/accounts.ts";
import { alice } from "../support/app.ts";

const minuteMs = 60_000;
const zeros = (count: number) => new Array<number>(count).fill(0);

Deno.test("showStatus() shows the registrations of 30 days and the logins of 60 minutes", async () => {
  const { send, clock, addUser, logIn } = await openAdminApp();
  await addUser("alice");
  clock.now += 2 * minuteMs;
  await send("POST", "/session/", { json: { ...alice, password: "wrong" } });
  const token = await logIn({ ...alice, login: "root" });
  const { json: { registrations, logins } } = await send("GET", "/status/", { token });
  assertEquals(registrations, { first_day: "2026-10-25", counts: [...zeros(29), 2] });
  assertEquals(logins, {
    first_minute: "2026-11-23T08:38:00.000Z",
    success: [...zeros(57), 2, 0, 1],
    failure: [...zeros(59), 1],
    throttled: zeros(60),
  });
});

Deno.test("showStatus() names the hash of the setting", async () => {
  const { send, admin: token } = await openAdminApp({ settings: { GATEHOUSE_PASSWORD_HASH: "argon2id" } });
  const { json: { hash } } = await send("GET", "/status/", { token });
  assertEquals(Object(hash).work, "argon2id m=19456,t=2,p=1");
});

Deno.test("showStatus() counts a day from midnight to midnight, in UTC", async () => {
  const { send, clock, addUser, logIn } = await openAdminApp();
  for (const [login, date] of [["a", "2026-11-24T00:00:00.000Z"], ["b", "2026-12-23T23:59:59.999Z"]] as const) {
    clock.now = Date.parse(date);
    await addUser(login);
  }
  const token = await logIn({ ...alice, login: "root" });
  const { json: { registrations } } = await send("GET", "/status/", { token });
  assertEquals(registrations, { first_day: "2026-11-24", counts: [1, ...zeros(28), 1] });
});

Deno.test("showStatus() shows how things are now, in a response that nobody may store", async () => {
  const { app, send, addUser, admin: token } = await openAdminApp();
  await addUser("alice");
  for (const seconds of [0.001, 0.002, 0.1]) app.metrics.syncs.observe(seconds);
  const { status, headers, json } = await send("GET", "/status/", { token });
  assertEquals([status, headers.get("cache-control")], [200, "no-store"]);
  const { hash, uptime_seconds: uptime, instance, registrations: _, logins: _logins, ...rest } = json;
  const { work, cost_ms: costMs, ...recent } = Object(hash);
  assertEquals([work, costMs], ["pbkdf2-sha256 i=100", Math.round(app.hasher.costMs * 1_000) / 1_000]);
  assertMatch(JSON.stringify(recent), /^\{"p50_ms":\d+(\.\d{1,3})?,"p99_ms":\d+(\.\d{1,3})?\}$/);
  assert(typeof uptime === "number" && Number.isInteger(uptime));
  assertMatch(String(instance), /^127\.0\.0\.1:8000 [0-9a-f]{4}$/);
  assertEquals(rest, {
    time: "2026-11-23T09:35:39.123Z",
    users: 2,
    sessions: 2,
    sync: { p50_ms: 2, p99_ms: 100 },
    running: 0,
    waiting: 0,
    store_bytes: 0,
    deno: Deno.version.deno,
  });
});

Deno.test("showStatus() has no durations when there was no hash and no sync for a minute", async () => {
  const { send, clock, admin: token } = await openAdminApp();
  clock.now += minuteMs;
  const { json: { hash, sync } } = await send("GET", "/status/", { token });
  const none = { p50_ms: null, p99_ms: null };
  const { work: _, cost_ms: _cost, ...recent } = Object(hash);
  assertEquals([recent, sync], [none, none]);
});

Deno.test("showStatus() has no syncs with a database, and another id in each process", async () => {
  const config = { GATEHOUSE_STORE: "postgres://gatehouse@db.example/gatehouse?sslmode=disable" };
  const [one, other] = [await openAdminApp({ settings: config }), await openAdminApp({ settings: config })];
  const replies = [one, other].map(({ send, admin }) => send("GET", "/status/", { token: admin }));
  const [first, second] = await Promise.all(replies);
  assertEquals([first?.json.sync, second?.json.sync], [null, null]);
  assert(first?.json.instance !== second?.json.instance);
});

Deno.test("showStatus() is for administrators, whose rights are checked each time", async () => {
  const { send, addUser, logIn, admin } = await openAdminApp();
  assertEquals(outcomeOf(await send("GET", "/status/")), "401 not-authenticated");
  await addUser("alice");
  const token = await logIn();
  assertEquals(outcomeOf(await send("GET", "/status/", { token })), "403 forbidden");
  await send("PATCH", "/user/alice", { token: admin, json: { groups: ["admin"] } });
  assertEquals((await send("GET", "/status/", { token })).status, 200);
  await send("PATCH", "/user/alice", { token: admin, json: { groups: [] } });
  assertEquals(outcomeOf(await send("GET", "/status/", { token })), "403 forbidden");
  await send("DELETE", "/session/", { token });
  assertEquals(outcomeOf(await send("GET", "/status/", { token })), "401 not-authenticated");
});

/** A store that counts the scans of all users. */
class ScannedStore extends TableStore {
  scans = 0;

  override countRegistrations(days: Parameters<TableStore["countRegistrations"]>[0]): Promise<readonly number[]> {
    this.scans++;
    return super.countRegistrations(days);
  }
}

Deno.test("showStatus() scans the users once for any number of requests, and never for those it refuses", async () => {
  const store = new ScannedStore();
  const { send, admin: token } = await openAdminApp({ store });
  await send("GET", "/status/");
  assertEquals(store.scans, 0);
  await Promise.all(Array.from({ length: 20 }, () => send("GET", "/status/", { token })));
  await send("GET", "/status/", { token });
  assertEquals(store.scans, 1);
});

Deno.test("showStatus() takes less than 1 ms of the event loop, and 4 KiB", async () => {
  const { app, send, admin: token } = await openAdminApp();
  for (let count = 0; count < 5_000; count++) {
    app.metrics.hashes.observe(count / 50_000);
    app.metrics.syncs.observe(1 / (count + 1));
    app.metrics.logins.success.add();
  }
  const { text } = await send("GET", "/status/", { token });
  assertLess(text.length, 4_096);
  const timesMs: number[] = [];
  for (let turn = 0; turn < 50; turn++) {
    const startedAt = performance.now();
    await send("GET", "/status/", { token });
    timesMs.push(performance.now() - startedAt);
  }
  // The median, as other processes take the processor now and then; checking the response is part of it.
  assertLess(timesMs.sort((a, b) => a - b)[25] ?? Infinity, 2);
});
