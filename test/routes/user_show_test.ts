/** What a user may see of itself and of others: `GET /user/{login}`. */
import { assert, assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import { alice, openAppOfAlice, type Reply } from "../support/app.ts";
import { deleteByLogin } from "../support/store/records.ts";

function withoutIds({ status, headers, text }: Reply): unknown {
  return { status, text, headers: Array.from(headers).filter(([name]) => name !== "x-request-id") };
}

Deno.test("showUser() shows a user to itself, in whatever capitals", async () => {
  const { send, token } = await openAppOfAlice();
  for (const path of ["/user/alice", "/user/ALICE", "/user/%61lice"]) {
    const { status, headers, json } = await send("GET", path, { token });
    assertEquals(status, 200);
    assertEquals(Object.keys(json), ["id", "login", "registered_at", "groups", "disabled"]);
    assertEquals(json.login, "alice");
    assertEquals(headers.get("content-type"), "application/json");
    assertEquals(headers.get("cache-control"), "private, no-cache");
  }
});

Deno.test("showUser() wants a session", async () => {
  const { send, token } = await openAppOfAlice();
  for (const options of [{}, { token: "none" }, { token: token.slice(0, -1) }]) {
    const { status, headers, json } = await send("GET", "/user/alice", options);
    assertEquals([status, json.type], [401, "/problem/not-authenticated"]);
    assertEquals(headers.get("www-authenticate"), 'Bearer realm="gatehouse"');
  }
});

Deno.test("showUser() does not tell one user whether another exists", async () => {
  const opened = await openAppOfAlice();
  assertEquals((await opened.send("POST", "/user/", { json: { ...alice, login: "bob" } })).status, 201);
  const { send, token } = opened;
  const existing = await send("GET", "/user/bob", { token });
  assertEquals([existing.status, existing.json.type], [403, "/problem/forbidden"]);
  for (const path of ["/user/nobody", "/user/%00", "/user/a%2Fb", "/user/BOB", "/user/__proto__"]) {
    assertEquals(withoutIds(await send("GET", path, { token })), withoutIds(existing));
  }
});

Deno.test("showUser() answers 304 while the user is as the client knows it", async () => {
  const { app, send, token } = await openAppOfAlice();
  const first = await send("GET", "/user/alice", { token });
  const etag = String(first.headers.get("etag"));
  assertMatch(etag, /^"\S+"$/);
  const ask = (text: string) => send("GET", "/user/alice", { token, headers: { "if-none-match": text } });

  for (const known of [etag, `W/${etag}`, `"other", ${etag}`, "*"]) {
    const { status, headers, text } = await ask(known);
    assertEquals([status, text, headers.get("etag")], [304, "", etag]);
  }
  for (const known of ['"other"', "", etag.slice(1, -1)]) assertEquals((await ask(known)).status, 200);

  const user = await app.store.findUser("alice");
  assert(user !== undefined);
  await app.store.replaceUser(user, { ...user, groups: ["staff"] });
  const changed = await ask(etag);
  assertEquals([changed.status, changed.json.groups], [200, ["staff"]]);
  assertNotEquals(changed.headers.get("etag"), etag);
});

Deno.test("showUser() keeps the ETag when nothing that it shows has changed", async () => {
  const { app, send, token } = await openAppOfAlice();
  const first = await send("GET", "/user/alice", { token });
  const user = await app.store.findUser("alice");
  assert(user !== undefined);
  await app.store.replaceUser(user, { ...user, passwordHash: user.passwordHash.replace("i=100", "i=101") });
  assertEquals((await send("GET", "/user/alice", { token })).headers.get("etag"), first.headers.get("etag"));
});

Deno.test("showUser() knows nobody whose user is deleted", async () => {
  const { app, send, token } = await openAppOfAlice();
  await deleteByLogin(app.store, "alice");
  assertEquals((await send("GET", "/user/alice", { token })).status, 401);
});
