/** Where a user is logged in, and ending it: `/user/{login}/session/`. */
import { assert, assertEquals } from "@std/assert";
import { setTimeout as delay } from "node:timers/promises";
import { type AdminApp, isLive, openAdminApp, outcomeOf, sessionIdOf } from "../support/accounts.ts";
import { alice } from "../support/app.ts";

const hourMs = 60 * 60 * 1_000;

/** The sessions that are listed to the holder of a token. */
async function listOf({ send }: AdminApp, token: string, login = "alice"): Promise<Record<string, unknown>[]> {
  const reply = await send("GET", `/user/${login}/session/`, { token });
  assertEquals(outcomeOf(reply), "200");
  assertEquals(Object.keys(reply.json), ["sessions", "total", "next"]);
  const { sessions, total, next } = reply.json;
  assert(Array.isArray(sessions));
  assertEquals([total, next], [sessions.length, null]);
  return sessions;
}

Deno.test("listSessions() shows when, where and with what each session was made, the oldest first", async () => {
  const opened = await openAdminApp();
  const { send, clock } = opened;
  const first = await opened.addUser("alice");
  clock.now += 1.5 * hourMs;
  const headers = { "user-agent": `Browser/1.0 (${"é".repeat(300)})` };
  const reply = await send("POST", "/session/", { json: alice, headers, client: "2001:db8::7" });
  const second = String(reply.json.token);
  clock.now += 0.5 * hourMs;
  assert(await isLive(opened, first));
  // The use is noted behind the reply.
  await delay(0);

  const expected = [
    {
      id: sessionIdOf(first),
      created_at: "2026-11-23T09:35:39.123Z",
      last_seen_at: "2026-11-23T11:35:39.123Z",
      expires_at: "2026-11-30T11:35:39.123Z",
      user_agent: "",
      address: "127.0.0.1",
      factors: ["password"],
      sites: [],
      authenticated_at: "2026-11-23T09:35:39.123Z",
      current: false,
    },
    {
      id: sessionIdOf(second),
      created_at: "2026-11-23T11:05:39.123Z",
      last_seen_at: "2026-11-23T11:05:39.123Z",
      expires_at: "2026-11-30T11:05:39.123Z",
      user_agent: headers["user-agent"].slice(0, 256),
      address: "2001:db8::7",
      factors: ["password"],
      sites: [],
      authenticated_at: "2026-11-23T11:05:39.123Z",
      current: true,
    },
  ];
  const shown = await send("GET", "/user/ALICE/session/", { token: second });
  assertEquals(shown.json, { sessions: expected, total: 2, next: null });
  assertEquals(shown.headers.get("cache-control"), "no-store");
  const seenByFirst = expected.map((session) => ({ ...session, current: session.id === sessionIdOf(first) }));
  assertEquals(await listOf(opened, first), seenByFirst);
  assertEquals(await listOf(opened, opened.admin), expected.map((session) => ({ ...session, current: false })));
});

Deno.test("listSessions() shows a User-Agent in UTF-8 as it was meant", async () => {
  const opened = await openAdminApp();
  await opened.addUser("alice");
  opened.clock.now++;
  // Headers are bytes: each stands in a character of its own.
  const sent = String.fromCharCode(...new TextEncoder().encode("Браузер/1.0 🦡\u202e"));
  const reply = await opened.send("POST", "/session/", { json: alice, headers: { "user-agent": sent } });
  const [, session] = await listOf(opened, String(reply.json.token));
  assertEquals(session?.["user_agent"], "Браузер/1.0 🦡");
});

Deno.test("listSessions() shows no session that has ended or expired, and none of another", async () => {
  const opened = await openAdminApp();
  await opened.addUser("alice");
  await opened.addUser("bob");
  const ended = await opened.logIn();
  assertEquals((await opened.send("DELETE", "/session/", { token: ended })).status, 204);
  opened.clock.now += 168 * hourMs - 1;
  const token = await opened.logIn();
  assertEquals((await listOf(opened, token)).length, 2);
  opened.clock.now += 1;
  assertEquals((await listOf(opened, token)).map(({ id }) => id), [sessionIdOf(token)]);
});

Deno.test("listSessions() shows all sessions once in pages, and where the next page is", async () => {
  const opened = await openAdminApp({ settings: { GATEHOUSE_MAX_SESSIONS: "120" } });
  const tokens = [await opened.addUser("alice")];
  for (let index = 1; index < 120; index++) {
    opened.clock.now++;
    tokens.push(await opened.logIn());
  }
  const [token = ""] = tokens;
  const sizes: number[] = [];
  const seen: unknown[] = [];
  for (let query: string | undefined = ""; query !== undefined;) {
    const reply = await opened.send("GET", `/user/alice/session/${query}`, { token });
    const { sessions, total, next } = reply.json;
    assert(Array.isArray(sessions));
    sizes.push(sessions.length);
    seen.push(...sessions.map(({ id }) => id));
    assertEquals([total, next], [120, seen.length < 120 ? seen.at(-1) : null]);
    query = /^<(.*)>; rel="next"$/.exec(reply.headers.get("link") ?? "")?.[1];
    assertEquals(query, next === null ? undefined : `?limit=50&after=${next}`);
  }
  assertEquals(sizes, [50, 50, 20]);
  assertEquals(seen, tokens.map(sessionIdOf));
  const rest = await opened.send("GET", `/user/alice/session/?limit=1000&after=${seen[99]}`, { token });
  assert(Array.isArray(rest.json.sessions));
  assertEquals(rest.json.sessions.map(({ id }) => id), seen.slice(100));
});

for (const query of ["?limit=0", "?limit=1001", "?limit=x", "?after=x", `?after=${"7".repeat(27)}`]) {
  Deno.test(`listSessions() refuses ${query}`, async () => {
    const { send, admin } = await openAdminApp();
    const pointer = query.includes("limit") ? "/limit out-of-range" : "/after invalid-cursor";
    const reply = await send("GET", `/user/root/session/${query}`, { token: admin });
    assertEquals(outcomeOf(reply), `422 invalid-query ${pointer}`);
  });
}

Deno.test("listSessions() counts no session that has expired, however many pages there are", async () => {
  const opened = await openAdminApp({ settings: { GATEHOUSE_SESSION_IDLE_HOURS: "1" } });
  await opened.addUser("alice");
  for (let index = 0; index < 3; index++) await opened.logIn();
  opened.clock.now += hourMs;
  const token = await opened.logIn();
  const { json } = await opened.send("GET", "/user/alice/session/?limit=1", { token });
  assertEquals([json.total, json.next], [1, null]);
  assert(Array.isArray(json.sessions) && json.sessions[0].id === sessionIdOf(token));
});

Deno.test("logIn() ends the session seen longest ago when the user has too many, and nobody else's", async () => {
  const opened = await openAdminApp({ settings: { GATEHOUSE_MAX_SESSIONS: "3" } });
  const { clock } = opened;
  const tokens = [await opened.addUser("alice")];
  for (let index = 1; index < 3; index++) {
    clock.now += hourMs;
    tokens.push(await opened.logIn());
  }
  clock.now += hourMs;
  // The oldest is used: the second is the one seen longest ago then.
  assert(await isLive(opened, tokens[0] ?? ""));
  await delay(0);
  tokens.push(await opened.logIn());
  assertEquals(await Promise.all(tokens.map((token) => isLive(opened, token))), [true, false, true, true]);
  assert(await isLive(opened, opened.admin));
  assertEquals((await listOf(opened, opened.admin)).length, 3);
});

Deno.test("listSessions() shows an admin that a user has no session", async () => {
  const opened = await openAdminApp();
  const token = await opened.addUser("alice");
  assertEquals((await opened.send("DELETE", "/session/", { token })).status, 204);
  assertEquals(await listOf(opened, opened.admin), []);
});

for (const by of ["the user", "an admin"]) {
  Deno.test(`endSession() ends one session and no other, by ${by}`, async () => {
    const opened = await openAdminApp();
    const own = await opened.addUser("alice");
    const other = await opened.logIn();
    const kept = await opened.logIn();
    const token = by === "an admin" ? opened.admin : own;
    const path = `/user/alice/session/${sessionIdOf(other)}`;
    const { status, text, headers } = await opened.send("DELETE", path, { token });
    assertEquals([status, text, headers.get("cache-control")], [204, "", "no-store"]);
    assertEquals(outcomeOf(await opened.send("DELETE", path, { token })), "404 not-found");
    assertEquals(await Promise.all([own, other, kept].map((each) => isLive(opened, each))), [true, false, true]);
    assertEquals((await listOf(opened, own)).length, 2);
  });

  Deno.test(`endSessions() ends all sessions of the user and of nobody else, by ${by}`, async () => {
    const opened = await openAdminApp();
    const tokens = [await opened.addUser("alice"), await opened.logIn()];
    const bob = await opened.addUser("bob");
    const token = by === "an admin" ? opened.admin : tokens[0] ?? "";
    const { status, text, headers } = await opened.send("DELETE", "/user/alice/session/", { token });
    assertEquals([status, text, headers.get("cache-control")], [204, "", "no-store"]);
    for (const ended of tokens) assertEquals(await isLive(opened, ended), false);
    assert(await isLive(opened, bob) && await isLive(opened, opened.admin));
    assert(await isLive(opened, await opened.logIn()));
  });
}
