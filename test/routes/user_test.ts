import { assert, assertEquals, assertMatch } from "@std/assert";
import { decodeTime } from "@std/ulid";
import { isHashOf } from "../support/passwords/verify.ts";
import { alice, openAppOfAlice, openedAt, openTestApp, type Reply, type TestApp } from "../support/app.ts";

const ulidPattern = /^[0-9A-HJKMNP-TV-Z]{26}$/;

/** 36 characters that nobody guesses. */
const unguessable = "Vk9-qTz4.Lm2_xRw7~Bn5!Hd8?Yc3+Pg6=Js";

function register({ send }: TestApp, login: string, client = "127.0.0.1"): Promise<Reply> {
  return send("POST", "/user/", { json: { ...alice, login }, client });
}

/** Of each bad field the pointer and the code. */
function errorsOf({ json }: Reply): string[] {
  assert(Array.isArray(json.errors));
  return json.errors.map((error) => `${error.pointer} ${error.code}`);
}

Deno.test("register() answers 201 with the user and where it is", async () => {
  const { send } = await openTestApp();
  const { status, headers, json } = await send("POST", "/user/", { json: alice });
  assertEquals(status, 201);
  const { id, ...rest } = json;
  assertMatch(String(id), ulidPattern);
  assertEquals(decodeTime(String(id)), openedAt);
  assertEquals(rest, {
    login: "alice",
    registered_at: "2026-11-23T09:35:39.123Z",
    groups: [],
    disabled: false,
  });
  const requestId = headers.get("x-request-id");
  assertMatch(String(requestId), /^[0-9a-f]{8}-[0-9a-z]+$/);
  assertEquals(Object.fromEntries(headers), {
    "cache-control": "no-store",
    "content-type": "application/json",
    "location": "./alice",
    "x-content-type-options": "nosniff",
    "x-request-id": String(requestId),
  });
});

Deno.test("register() keeps the password as PHC text of the cost that is set", async () => {
  const { app } = await openAppOfAlice();
  const user = await app.store.findUser("alice");
  assert(user !== undefined);
  assertMatch(user.passwordHash, /^\$pbkdf2-sha256\$i=100\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/);
  assert(await isHashOf(alice.password, user.passwordHash));
});

Deno.test("register() gives the address of a login that a path must encode, and it leads there", async () => {
  const { send, logIn } = await openTestApp();
  const credentials = { ...alice, login: "al+ice@example.org" };
  const { headers } = await send("POST", "/user/", { json: credentials });
  assertEquals(headers.get("location"), "./al%2Bice%40example.org");
  const token = await logIn(credentials);
  const location = headers.get("location") ?? "";
  // Also where it is mounted.
  assertEquals(new URL(location, "https://site.test/auth/user/").pathname, "/auth/user/al%2Bice%40example.org");
  const { pathname } = new URL(location, "http://gatehouse.test/user/");
  const { status, json } = await send("GET", pathname, { token });
  assertEquals([status, json.login], [200, "al+ice@example.org"]);
});

Deno.test("register() takes a login once, in whatever capitals, and hashes nothing for the second", async () => {
  for (
    const [first, second] of [["alice", "alice"], ["Alice", "alice"], ["alice", "ALICE"], ["aLICE", "Alice"]]
  ) {
    const opened = await openTestApp();
    assertEquals((await register(opened, first ?? "")).json.login, "alice");
    const before = opened.app.metrics.hashes.count;
    const { status, json } = await register(opened, second ?? "");
    assertEquals([status, json.type], [409, "/problem/login-taken"]);
    assertEquals(opened.app.metrics.hashes.count, before);
  }
});

Deno.test("register() lets one of 200 at once have a login, for the work of one", async () => {
  const opened = await openTestApp();
  const before = opened.app.metrics.hashes.count;
  const replies = await Promise.all(Array.from({ length: 200 }, () => register(opened, "alice")));
  assertEquals(replies.filter(({ status }) => status === 201).length, 1);
  assertEquals(replies.filter(({ status }) => status === 409).length, 199);
  assertEquals(opened.app.metrics.hashes.count - before, 1);
});

const goodUsers: [what: string, login: string, password: string][] = [
  ["shortest login", "a", alice.password],
  ["longest login", "a".repeat(64), alice.password],
  ["digit first", "0day", alice.password],
  ["every kind of character", "a.b_c-d@e+f0", alice.password],
  ["shortest password", "alice", unguessable.slice(0, 15)],
  ["longest password, in bytes", "alice", unguessable + "x".repeat(1_024 - unguessable.length)],
  ["spaces around the password, kept", "alice", `  ${alice.password}  `],
  ["no Latin letter", "alice", "седемь лиловых вомбатов поют"],
  ["15 code points outside the BMP", "alice", "🐘🦏🐅🦓🦒🐊🦩🐢🦔🐙🦀🐝🦋🐌🦂"],
];

for (const [what, login, password] of goodUsers) {
  Deno.test(`register() takes: ${what}`, async () => {
    const { send, logIn } = await openTestApp();
    const { status, text } = await send("POST", "/user/", { json: { login, password } });
    assertEquals(status, 201, text);
    assertMatch(await logIn({ login, password }), /\S/);
  });
}

const { login, password } = alice;
const badUsers: [what: string, body: unknown, errors: string[]][] = [
  ["a list", [], [" not-object"]],
  ["null", null, [" not-object"]],
  ["text", "alice", [" not-object"]],
  ["nothing", {}, ["/login missing", "/password missing"]],
  ["inherited names", { constructor: 1 }, [
    "/constructor unknown-field",
    "/login missing",
    "/password missing",
  ]],
  ["numbers", { login: 1, password: 2 }, ["/login not-text", "/password not-text"]],
  ["null fields", { login: null, password: null }, ["/login not-text", "/password not-text"]],
  ["lists", { login: ["a"], password: [[]] }, ["/login not-text", "/password not-text"]],
  ["lone surrogates", { login: "\ud800", password: "\udc00" }, [
    "/login not-unicode",
    "/password not-unicode",
  ]],
  ["every field at once", { login: "a b", password: "short", "a/b~c": 1 }, [
    "/a~1b~0c unknown-field",
    "/login invalid-characters",
    "/password too-short",
  ]],
  ["an unknown field", { login, password, groups: ["admin"] }, ["/groups unknown-field"]],
  ["an empty login", { login: "", password }, ["/login too-short"]],
  ["a login too long", { login: "a".repeat(65), password }, ["/login too-long"]],
  ["a login too long and odd", { login: ":".repeat(65), password }, [
    "/login too-long",
    "/login invalid-characters",
  ]],
  ["a colon", { login: "a:b", password }, ["/login invalid-characters"]],
  ["a point first", { login: ".alice", password }, ["/login invalid-characters"]],
  ["a slash", { login: "a/b", password }, ["/login invalid-characters"]],
  ["a space at the end", { login: "alice ", password }, ["/login invalid-characters"]],
  ["a line break at the end", { login: "alice\n", password }, ["/login invalid-characters"]],
  ["NUL", { login: "ali\0ce", password }, ["/login invalid-characters"]],
  ["a letter that looks like another", { login: "аlice", password }, ["/login invalid-characters"]],
  ["a letter whose small one is ASCII", { login: "\u212aim", password }, ["/login invalid-characters"]],
  ["14 characters", { login, password: unguessable.slice(0, 14) }, ["/password too-short"]],
  ["14 characters outside the BMP", { login, password: "🐘🦏🐅🦓🦒🐊🦩🐢🦔🐙🦀🐝🦋🐌" }, [
    "/password too-short",
  ]],
  ["14 characters in NFC", { login, password: unguessable.slice(0, 13) + "e\u0301" }, [
    "/password too-short",
  ]],
  ["1,025 bytes", { login, password: unguessable + "x".repeat(1_025 - unguessable.length) }, [
    "/password too-long",
  ]],
  ["a password with the login", { login, password: "Alice-Vk9-qTz4.Lm2" }, ["/password guessable"]],
  ["a password with the service", { login, password: "Gatehouse-Vk9-qTz4" }, ["/password guessable"]],
  ["a repeat", { login, password: "aaaaaaaaaaaaaaaaaa" }, ["/password guessable"]],
  ["a sequence", { login, password: "abcdefghijklmnop" }, ["/password guessable"]],
  ["a keyboard walk", { login, password: "qwertyuiopasdfgh" }, ["/password guessable"]],
  ["common passwords", { login, password: "passwordpassword" }, ["/password guessable"]],
];

for (const [what, body, errors] of badUsers) {
  Deno.test(`register() refuses with every bad field: ${what}`, async () => {
    const { app, send } = await openTestApp();
    const before = app.metrics.hashes.count;
    const reply = await send("POST", "/user/", { json: body });
    assertEquals([reply.status, reply.json.type], [422, "/problem/invalid-user"]);
    assertEquals(errorsOf(reply), errors);
    assertEquals(app.metrics.hashes.count, before);
  });
}

Deno.test("register() tells of no more than 6 unknown fields, which leaves room for the others", async () => {
  const { send } = await openTestApp();
  const fields = Object.fromEntries(Array.from({ length: 1_000 }, (_, index) => [`f${index}`, 0]));
  assertEquals(errorsOf(await send("POST", "/user/", { json: { ...fields, ...alice } })).length, 6);
});

Deno.test("register() demands as many characters as are set", async () => {
  const { send } = await openTestApp({ settings: { GATEHOUSE_PASSWORD_MIN_LENGTH: "20" } });
  const json = { login: "alice", password: unguessable.slice(0, 19) };
  assertEquals(errorsOf(await send("POST", "/user/", { json })), ["/password too-short"]);
  const longer = { ...json, password: unguessable.slice(0, 20) };
  assertEquals((await send("POST", "/user/", { json: longer })).status, 201);
});

Deno.test("register() takes nobody without a ticket while registration is closed, and hashes nothing", async () => {
  const { app, send } = await openTestApp({ settings: { GATEHOUSE_REGISTRATION: "closed" } });
  const before = app.metrics.hashes.count;
  const { status, json } = await send("POST", "/user/", { json: alice });
  assertEquals([status, json.type], [403, "/problem/registration-closed"]);
  assertEquals([await app.store.findUser("alice"), app.metrics.hashes.count], [undefined, before]);
});
