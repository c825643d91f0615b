/** `GET /state/`: what is told, to whom, and until when. No stream leaves a timer behind. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { createRouter } from "../../lib/router.ts";
import type { UserSession } from "../../lib/store.ts";
import { MemoryStore } from "../../lib/store/memory/memory_store.ts";
import { routes } from "../../routes/mod.ts";
import { type AdminApp, openAdminApp, outcomeOf } from "../support/accounts.ts";
import { alice } from "../support/app.ts";
import { deleteByLogin } from "../support/store/records.ts";
import { sanitized } from "../support/sanitized.ts";

const dayMs = 24 * 60 * 60 * 1_000;

/** One event, read. */
interface Told {
  readonly name: string;
  readonly data: Record<string, unknown>;
}

/** Events as they come. */
interface Watch extends AsyncDisposable {
  /** `undefined` at the end. */
  next(): Promise<Told | undefined>;
}

/** Opens a stream, which `send` of test/support/app.ts would leave after the first event. */
async function watch({ app }: AdminApp, token: string): Promise<Watch> {
  const headers = { authorization: `Bearer ${token}` };
  const remoteAddr = { transport: "tcp", hostname: "127.0.0.1", port: 50_000 } as const;
  const response = await createRouter(routes, app)(new Request("http://gatehouse.test/state/", { headers }), {
    remoteAddr,
  });
  assertEquals(response.status, 200);
  const reader = response.body?.getReader();
  assert(reader !== undefined);
  return {
    next: async () => {
      const { value } = await reader.read();
      if (value === undefined) return undefined;
      const [, name = "", data = ""] = /^event: (\w+)\nretry: \d+\ndata: (.*)\n\n$/.exec(decode(value)) ?? [];
      return { name, data: JSON.parse(data) };
    },
    [Symbol.asyncDispose]: () => reader.cancel(),
  };
}

function decode(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

Deno.test(
  "streamState() begins with the registrations of 30 days and the logins of 60 minutes",
  sanitized,
  async () => {
    const opened = await openAdminApp();
    const { send, clock, addUser } = opened;
    await addUser("alice");
    clock.now += 2 * 60_000;
    await send("POST", "/session/", { json: { ...alice, password: "wrong" } });
    const admin = await opened.logIn({ ...alice, login: "root" });
    await using events = await watch(opened, admin);
    const zeros = (count: number) => new Array<number>(count).fill(0);
    assertEquals(await events.next(), {
      name: "history",
      data: {
        registrations: { first_day: "2026-10-24", counts: [...zeros(29), 2] },
        logins: {
          first_minute: "2026-11-22T08:38:00.000Z",
          success: [...zeros(57), 2, 0, 1],
          failure: [...zeros(59), 1],
          throttled: zeros(60),
        },
      },
    });
  },
);

Deno.test("streamState() counts a day from midnight to midnight, in UTC", sanitized, async () => {
  const opened = await openAdminApp();
  const { clock, addUser } = opened;
  for (const [login, date] of [["a", "2026-11-23T00:00:00.000Z"], ["b", "2026-12-22T23:59:59.999Z"]] as const) {
    clock.now = Date.parse(date);
    await addUser(login);
  }
  await using events = await watch(opened, await opened.logIn({ ...alice, login: "root" }));
  const { registrations } = (await events.next())?.data ?? {};
  assertEquals(registrations, { first_day: "2026-11-23", counts: [1, ...new Array<number>(28).fill(0), 1] });
});

Deno.test("streamState() tells every second how things are", sanitized, async () => {
  const opened = await openAdminApp();
  const { app, addUser, admin } = opened;
  await addUser("alice");
  for (const seconds of [0.001, 0.002, 0.1]) app.metrics.syncs.observe(seconds);
  await using events = await watch(opened, admin);
  await events.next();
  const startedAt = performance.now();
  const { name, data: { hash, uptime_seconds: uptime, ...data } = {} } = await events.next() ?? {};
  const ms = performance.now() - startedAt;
  assert(ms > 900, `${ms}`);
  assertEquals(name, "now");
  assertMatch(JSON.stringify(hash), /^\{"p50_ms":\d+(\.\d{1,3})?,"p99_ms":\d+(\.\d{1,3})?\}$/);
  assert(typeof uptime === "number" && Number.isInteger(uptime));
  assertEquals(data, {
    time: "2026-11-22T09:35:39.123Z",
    logins: { success: 2, failure: 0, throttled: 0 },
    registrations: 2,
    sync: { p50_ms: 2, p99_ms: 100 },
    waiting: 0,
    running: 0,
    sessions: 2,
    users: 2,
    store_bytes: 0,
    deno: Deno.version.deno,
  });
});

Deno.test("streamState() has no times of a minute without hashes and syncs", sanitized, async () => {
  const opened = await openAdminApp();
  await using events = await watch(opened, opened.admin);
  await events.next();
  opened.clock.now += 60_000;
  const { hash, sync, logins } = (await events.next())?.data ?? {};
  const none = { p50_ms: null, p99_ms: null };
  assertEquals([hash, sync, logins], [none, none, { success: 0, failure: 0, throttled: 0 }]);
});

Deno.test("streamState() goes on while the session is good", sanitized, async () => {
  const opened = await openAdminApp();
  await using events = await watch(opened, opened.admin);
  await events.next();
  opened.clock.now += 7 * dayMs - 1;
  assertEquals((await events.next())?.name, "now");
});

const ends: Readonly<Record<string, (opened: AdminApp) => Promise<unknown> | void>> = {
  "the session ends": ({ send, admin }) => send("DELETE", "/session/", { token: admin }),
  "the session expires": ({ clock }) => {
    clock.now += 7 * dayMs;
  },
  "its user is no admin any more": async (opened) => {
    const root = await opened.app.store.findUser("root");
    assert(root !== undefined);
    await opened.addUser("alice");
    await opened.send("PATCH", "/user/alice", { token: opened.admin, json: { groups: ["admin"] } });
    assertEquals(await opened.app.store.replaceUser(root, { ...root, groups: ["staff"] }), "done");
  },
  "its user is deleted": async ({ addUser, send, admin, app }) => {
    await addUser("alice");
    await send("PATCH", "/user/alice", { token: admin, json: { groups: ["admin"] } });
    assertEquals(await deleteByLogin(app.store, "root"), "done");
  },
};

for (const [when, act] of Object.entries(ends)) {
  Deno.test(`streamState() ends when ${when}`, sanitized, async () => {
    const opened = await openAdminApp();
    await using events = await watch(opened, opened.admin);
    assertEquals((await events.next())?.name, "history");
    await act(opened);
    assertEquals([await events.next(), opened.app.eventStreams.openCount], [undefined, 0]);
  });
}

Deno.test("streamState() ends when the service stops, at once", sanitized, async () => {
  const stop = new AbortController();
  const opened = await openAdminApp({ stopping: stop.signal });
  await using events = await watch(opened, opened.admin);
  await events.next();
  const startedAt = performance.now();
  stop.abort();
  assertEquals(await events.next(), undefined);
  assert(performance.now() - startedAt < 500);
});

Deno.test("streamState() serves 20 at once, and the next when one has gone away", sanitized, async () => {
  const opened = await openAdminApp();
  const { send, admin: token } = opened;
  const watches = await Promise.all(Array.from({ length: 20 }, () => watch(opened, token)));
  await using _all = { [Symbol.asyncDispose]: async () => void await Promise.all(watches.map(leave)) };
  const { store } = opened.app;
  const count = store.countRegistrations.bind(store);
  let scans = 0;
  store.countRegistrations = async (days) => {
    scans++;
    return await count(days);
  };
  const refused = await send("GET", "/state/", { token });
  assertEquals([outcomeOf(refused), refused.headers.get("retry-after")], ["503 overloaded", "10"]);
  // Who may not see it is not told either.
  assertEquals(outcomeOf(await send("GET", "/state/")), "401 not-authenticated");
  // Looking at every user is not for whom is refused.
  assertEquals(scans, 0);
  await leave(watches[0]);
  assertEquals([(await send("GET", "/state/", { token })).status, scans], [200, 1]);
});

async function leave(events: Watch | undefined): Promise<void> {
  await events?.[Symbol.asyncDispose]();
}

Deno.test("streamState() opens no stream for HEAD, and forbids to store or compress it", sanitized, async () => {
  const { app, send, admin: token } = await openAdminApp();
  // Opened and read to its end it would look the same, 45 s later.
  app.eventStreams.open = () => {
    throw new Error("A stream for HEAD");
  };
  const { status, headers } = await send("HEAD", "/state/", { token });
  assertEquals([status, headers.get("content-type"), headers.has("content-length")], [200, "text/event-stream", false]);
  assertEquals([headers.get("cache-control"), headers.get("content-encoding")], ["no-store, no-transform", "identity"]);
});

/** A store that fails when it is to. */
class FailingStore extends MemoryStore {
  isFailing = false;

  override findSession(id: string): Promise<UserSession | undefined> {
    return this.isFailing ? Promise.reject(new Error("disk")) : super.findSession(id);
  }
}

Deno.test("streamState() ends with a line in the log when the store fails", sanitized, async () => {
  const store = new FailingStore();
  const opened = await openAdminApp({ store });
  await using events = await watch(opened, opened.admin);
  await events.next();
  store.isFailing = true;
  assertEquals(await events.next(), undefined);
  const { level, event, requestId, error } = JSON.parse(opened.lines.at(-1) ?? "");
  assertEquals([level, event, error.message], ["error", "state-failed", "disk"]);
  assertMatch(requestId, /^[0-9a-f]{8}-/);
});

Deno.test("the end of the service does not wait for a stream over a socket", sanitized, async () => {
  const stop = new AbortController();
  const { app, admin } = await openAdminApp({ stopping: stop.signal });
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, createRouter(routes, app));
  const headers = { authorization: `Bearer ${admin}` };
  const response = await fetch(`http://127.0.0.1:${server.addr.port}/state/`, { headers });
  const startedAt = performance.now();
  stop.abort();
  await server.shutdown();
  assert(performance.now() - startedAt < 500);
  assertMatch(await response.text(), /^event: history\n[^]*\n\n$/);
});

Deno.test("a stream over a socket ends when its client goes away", sanitized, async () => {
  const opened = await openAdminApp();
  const { app, admin } = opened;
  await using server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, createRouter(routes, app));
  const socket = await Deno.connect({ hostname: "127.0.0.1", port: server.addr.port });
  const head = `GET /state/ HTTP/1.1\r\nhost: gatehouse.test\r\nauthorization: Bearer ${admin}\r\n\r\n`;
  await socket.write(new TextEncoder().encode(head));
  await socket.read(new Uint8Array(1_024));
  assertEquals(app.eventStreams.openCount, 1);
  socket.close();
  for (let turn = 0; turn < 100 && app.eventStreams.openCount > 0; turn++) {
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  assertEquals(app.eventStreams.openCount, 0);
});
