/** What becomes of a fault of the service: in the reply, and in the log. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { isStoreFailure } from "../../lib/failure_log.ts";
import { Hasher } from "../../lib/passwords/hasher.ts";
import { StoreClosedError, StoreFullError, StoreUnavailableError } from "../../lib/store.ts";
import { TableStore } from "../../lib/store/memory/table_store.ts";
import { alice, openAppOfAlice, openTestApp, type SendOptions } from "../support/app.ts";
import { pbkdf2 } from "../support/passwords/phc.ts";

/** A store in which everything fails. */
class FailingStore extends TableStore {
  error: unknown;

  override findUser(): Promise<never> {
    return Promise.reject(this.error);
  }
  override findSession(): Promise<never> {
    return Promise.reject(this.error);
  }
  override failure(): Promise<never> {
    return Promise.reject(this.error);
  }
}

/** What a store may fail with, what the client is told, and whether it can be tried again. */
const faults: [what: string, error: unknown, status: number, code: string][] = [
  ["a full disk", new StoreFullError("secret", { cause: new Error("root of it") }), 507, "store-full"],
  [
    "a store that is closed",
    new StoreClosedError("secret", { cause: new Error("root of it") }),
    503,
    "store-closed",
  ],
  [
    "a database that is away",
    new StoreUnavailableError("secret", { cause: new Error("root of it") }),
    503,
    "store-unavailable",
  ],
  ["a bug", new TypeError("secret", { cause: new Error("root of it") }), 500, "internal-error"],
  ["a thrown text", "secret and root of it", 500, "internal-error"],
  ["a thrown nothing", undefined, 500, "internal-error"],
];

for (const [what, error, status, code] of faults) {
  Deno.test(`${what} is told to the client without its text, and to the log for operators`, async () => {
    const store = new FailingStore();
    store.error = error;
    const { lines, send, token } = await openAppOfFailing(store);
    const requests: [method: string, path: string, options: SendOptions][] = [
      ["POST", "/user/", { json: alice }],
      ["POST", "/session/", { json: alice }],
      ["GET", "/session/", { token }],
      ["DELETE", "/session/", { token }],
      ["GET", "/user/alice", { token }],
      ["GET", "/health/ready", {}],
    ];
    for (const [index, [method, path, options]] of requests.entries()) {
      const before = lines.length;
      const reply = await send(method, path, options);
      assertEquals([reply.status, reply.json.type], [status, `/problem/${code}`]);
      assertEquals(Object.keys(reply.json), ["type", "title", "status"]);
      assert(!/secret|root of it/.test(reply.text + JSON.stringify(Array.from(reply.headers))));

      const logged = lines.slice(before).map((line) => JSON.parse(line));
      const id = reply.headers.get("x-request-id");
      const events = logged.map(({ level, event, requestId }) => [level, event, requestId]);
      if (!isStoreFailure(error)) {
        assertEquals(events, [["error", "request-failed", id], ["info", "request", id]]);
        if (error !== undefined) assertMatch(JSON.stringify(logged[0]), /secret.*root of it/s);
        continue;
      }
      // What fails for all of them for the same reason is told once, and without a stack.
      const first = error instanceof StoreFullError ? ["warn", "request-failed", id] : ["error", "store-not-ready", id];
      // A failing health check has no line of its own, unless the store fails to answer it in another way.
      const request = status === 503 && path === "/health/ready" ? [] : [["info", "request", id]];
      assertEquals(events, [...index === 0 ? [first] : [], ...request]);
      if (index === 0) assertEquals([logged[0].reason, logged[0].error], ["secret", undefined]);
    }
  });
}

/** Opens an app over a store that fails. @returns it, and a token that is one */
async function openAppOfFailing(store: FailingStore) {
  const { token } = await openAppOfAlice();
  return { ...await openTestApp({ store }), token };
}

Deno.test("what the client did wrong is no error in the log", async () => {
  const { lines, send, token } = await openAppOfAlice();
  await send("POST", "/user/", { body: "{" });
  await send("POST", "/session/", { json: { ...alice, password: "wrong" } });
  await send("GET", "/user/bob", { token });
  await send("GET", "/user/%zz");
  assertEquals(lines.map((line) => JSON.parse(line).level), Array(lines.length).fill("info"));
});

Deno.test("an overload is answered with the time to come again, and is no error in the log", async () => {
  const hasher = await Hasher.open({ scheme: pbkdf2(100), concurrency: 1, maxWaitMs: 0 });
  const { app, lines, send } = await openTestApp({ hasher });
  const logins = ["a1", "a2", "a3"];
  const replies = await Promise.all(
    logins.map((login) => send("POST", "/user/", { json: { ...alice, login } })),
  );
  assertEquals(replies.map(({ status }) => status), [201, 503, 503]);
  for (const { headers, json } of replies.slice(1)) {
    assertEquals(json.type, "/problem/overloaded");
    assertEquals(headers.get("retry-after"), "1");
  }
  assertEquals(await app.store.findUser("a2"), undefined);
  const sessions = logins.map(() => send("POST", "/session/", { json: { ...alice, login: "a1" } }));
  assertEquals((await Promise.all(sessions)).map(({ status }) => status), [201, 503, 503]);
  assertEquals(lines.filter((line) => line.includes('"error"')), []);
  assertEquals(app.metrics.failures.overloaded.count, 4);
});

/** A store that notes no use of a session. */
class ReadOnlyStore extends TableStore {
  error: Error = new StoreFullError("Cannot change the store");

  override touchSession(): Promise<never> {
    return Promise.reject(this.error);
  }
}

/** What was logged beside the requests. */
function notesOf(lines: readonly string[]) {
  return lines.map((line) => JSON.parse(line)).filter(({ level }) => level !== "info");
}

Deno.test("uses that cannot be noted are one warning a minute without a stack, and the session goes on", async () => {
  const { clock, lines, send, token } = await openAppOfAlice({ store: new ReadOnlyStore() });
  clock.now += 2 * 60 * 60 * 1_000;
  const ids: (string | null)[] = [];
  for (let index = 0; index < 50; index++) {
    if (index === 40) clock.now += 60_000;
    const { status, headers } = await send("GET", index % 2 === 0 ? "/session/" : "/guard/", { token });
    assertEquals(status, 200);
    ids.push(headers.get("x-request-id"));
  }
  const notes = notesOf(lines);
  assertEquals(notes.map(({ level, event, reason, omitted }) => [level, event, reason, omitted]), [
    ["warn", "touch-failed", "Cannot change the store", undefined],
    ["warn", "touch-failed", "Cannot change the store", 39],
  ]);
  assertEquals(notes.map(({ requestId }) => requestId), [ids[0], ids[40]]);
  assert(lines.every((line) => !line.includes("stack")));
});

Deno.test("a use that cannot be noted for another reason is an error in the log with its stack", async () => {
  const store = new ReadOnlyStore();
  store.error = new TypeError("a bug");
  const { clock, lines, send, token } = await openAppOfAlice({ store });
  clock.now += 2 * 60 * 60 * 1_000;
  for (let index = 0; index < 2; index++) await send("GET", "/session/", { token });
  const notes = notesOf(lines);
  assertEquals(notes.map(({ level, event, error }) => [level, event, error.name]), [
    ["error", "touch-failed", "TypeError"],
    ["error", "touch-failed", "TypeError"],
  ]);
  assertMatch(notes[0].error.stack, /a bug/);
});

Deno.test("a hash that is none lets nobody in, and neither the reply nor the log shows it", async () => {
  const { app, lines, send } = await openAppOfAlice();
  const user = await app.store.findUser("alice");
  assert(user !== undefined);
  const passwordHash = user.passwordHash.replace("$i=", "$I=");
  await app.store.replaceUser(user, { ...user, passwordHash });
  const reply = await send("POST", "/session/", { json: alice });
  assertEquals([reply.status, reply.json.type], [401, "/problem/wrong-credentials"]);
  for (const part of [alice.password, ...passwordHash.split("$").slice(2)]) {
    assert(![reply.text, ...lines].some((text) => text.includes(part)), part);
  }
});
