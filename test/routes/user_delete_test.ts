/** The end of an account: `DELETE /user/{login}`. */
import { assert, assertEquals, assertNotEquals } from "@std/assert";
import type { ActorOptions, User } from "../../lib/store.ts";
import { TableStore } from "../../lib/store/memory/table_store.ts";
import { countOutcomes, isLive, keptUser, newPassword, openAdminApp, outcomeOf } from "../support/accounts.ts";
import { alice } from "../support/app.ts";
import { deleteByLogin, sessionsIn } from "../support/store/records.ts";

const minuteMs = 60 * 1_000;

Deno.test("deleteUser() deletes the caller's own account, with every session of it", async () => {
  const opened = await openAdminApp();
  const { app, send, admin } = opened;
  const tokens = [await opened.addUser("alice"), await opened.logIn()];
  const bob = await opened.addUser("bob");
  const { status, text, headers } = await send("DELETE", "/user/ALICE", { token: tokens[0] ?? "" });
  assertEquals([status, text, headers.get("cache-control")], [204, "", "no-store"]);
  for (const token of tokens) assertEquals(await isLive(opened, token), false);
  assertEquals(await sessionsIn(app.store, "alice"), []);
  assertEquals(outcomeOf(await send("POST", "/session/", { json: alice })), "401 wrong-credentials");
  assertEquals(outcomeOf(await send("GET", "/user/alice", { token: admin })), "404 not-found");
  assert(await isLive(opened, bob));
});

Deno.test("deleteUser() wants a session under 10 minutes old of whoever deletes the own account", async () => {
  for (const [ageMs, outcome] of [[10 * minuteMs, "403 login-again"], [10 * minuteMs - 1, "204"]] as const) {
    const opened = await openAdminApp();
    const token = await opened.addUser("alice");
    opened.clock.now += ageMs;
    assertEquals(outcomeOf(await opened.send("DELETE", "/user/alice", { token })), outcome);
    assertEquals(await opened.app.store.findUser("alice") === undefined, outcome === "204");
  }
});

Deno.test("deleteUser() refuses when the user is no longer as If-Match has it", async () => {
  const { send, admin: token, addUser } = await openAdminApp();
  await addUser("alice");
  const etag = (await send("GET", "/user/alice", { token })).headers.get("etag") ?? "";
  await send("PATCH", "/user/alice", { token, json: { groups: ["staff"] } });
  const remove = async (condition: string) =>
    outcomeOf(await send("DELETE", "/user/alice", { token, headers: { "if-match": condition } }));
  assertEquals(await remove(etag), "412 precondition-failed");
  assertEquals(await remove("*"), "204");
});

/** A store in which something happens between the look at a user and the deletion. */
class OvertakenStore extends TableStore {
  between: ((user: User) => Promise<unknown>) | undefined;

  override async deleteUser(user: User, options?: ActorOptions) {
    const { between } = this;
    this.between = undefined;
    await between?.(user);
    return await super.deleteUser(user, options);
  }
}

/** A concurrent change of alice, how her deletion ends without and with If-Match, and whether she then exists. */
const meanwhile: [
  what: string,
  between: (store: TableStore, user: User) => Promise<unknown>,
  plain: string,
  conditional: string,
][] = [
  ["nothing happens", () => Promise.resolve(), "204 gone", "204 gone"],
  [
    "she gets a group",
    (store, user) => store.replaceUser(user, { ...user, groups: ["staff"] }),
    "204 gone",
    "412 precondition-failed there",
  ],
  [
    "her password is hashed anew, which nobody sees",
    (store, user) => store.replaceUser(user, { ...user, passwordHash: "another" }),
    "204 gone",
    "204 gone",
  ],
  ["she is deleted", (store, user) => deleteByLogin(store, user.login), "204 gone", "204 gone"],
  [
    "a namesake takes her login",
    async (store, user) => {
      await deleteByLogin(store, user.login);
      await store.insertUser({ ...user, id: "01KAN6Z3H3AAAAAAAAAAAAAAAA" });
    },
    "204 there",
    "412 precondition-failed there",
  ],
];

for (const [what, between, plain, conditional] of meanwhile) {
  Deno.test(`deleteUser() deletes nobody else and nobody changed when meanwhile ${what}`, async () => {
    for (const [isConditional, expected] of [[false, plain], [true, conditional]] as const) {
      const store = new OvertakenStore();
      const { send, admin: token, addUser, lines } = await openAdminApp({ store });
      await addUser("alice");
      const etag = (await send("GET", "/user/alice", { token })).headers.get("etag") ?? "";
      store.between = (user) => between(store, user);
      const headers: Record<string, string> = isConditional ? { "if-match": etag } : {};
      const outcome = outcomeOf(await send("DELETE", "/user/alice", { token, headers }));
      const isThere = await store.findUser("alice") !== undefined;
      assertEquals(`${outcome} ${isThere ? "there" : "gone"}`, expected);
      const isTold = lines.some((line) => line.includes('"user-deleted"'));
      assertEquals(isTold, expected === "204 gone" && what !== "she is deleted");
    }
  });
}

Deno.test("deleteUser() goes by when the session was made, not by when it was used", async () => {
  const opened = await openAdminApp();
  const token = await opened.addUser("alice");
  for (let hour = 0; hour < 3; hour++) {
    opened.clock.now += 60 * minuteMs;
    assert(await isLive(opened, token));
  }
  assertEquals(outcomeOf(await opened.send("DELETE", "/user/alice", { token })), "403 login-again");
  assertEquals(outcomeOf(await opened.send("DELETE", "/user/alice", { token: await opened.logIn() })), "204");
});

Deno.test("deleteUser() requires a recent login of an admin who deletes others, or himself", async () => {
  const opened = await openAdminApp();
  const { send, admin: token } = opened;
  const users = [await opened.addUser("alice"), await opened.addUser("bob")];
  assertEquals((await send("PATCH", "/user/bob", { token, json: { groups: ["admin"] } })).status, 200);
  opened.clock.now += 60 * minuteMs;
  assertEquals(outcomeOf(await send("DELETE", "/user/alice", { token })), "403 login-again");
  assertEquals(outcomeOf(await send("DELETE", "/user/root", { token })), "403 login-again");
  const json = { password: alice.password };
  assertEquals(outcomeOf(await send("POST", "/session/authentication/", { token, json })), "200");
  assertEquals(outcomeOf(await send("DELETE", "/user/alice", { token })), "204");
  assertEquals(outcomeOf(await send("DELETE", "/user/alice", { token })), "404 not-found");
  assertEquals(outcomeOf(await send("DELETE", "/user/root", { token })), "204");
  for (const ended of [users[0] ?? "", token]) assertEquals(await isLive(opened, ended), false);
  const bob = await opened.logIn({ ...alice, login: "bob" });
  assertEquals(outcomeOf(await send("DELETE", "/user/bob", { token: bob })), "409 last-admin");
});

Deno.test("deleteUser() keeps the last admin", async () => {
  const opened = await openAdminApp();
  await opened.addUser("alice");
  assertEquals(outcomeOf(await opened.send("DELETE", "/user/root", { token: opened.admin })), "409 last-admin");
  assert(await isLive(opened, opened.admin));
});

Deno.test("deleteUser() deletes a disabled user", async () => {
  const opened = await openAdminApp();
  const { send, admin: token } = opened;
  await opened.addUser("alice");
  assertEquals((await send("PATCH", "/user/alice", { token, json: { disabled: true } })).status, 200);
  assertEquals(outcomeOf(await send("DELETE", "/user/alice", { token })), "204");
});

Deno.test("deleteUser() frees the login for another user, for whom nothing of the former is good", async () => {
  const opened = await openAdminApp();
  const { send, admin } = opened;
  const old = await opened.addUser("alice");
  const ticket = await opened.makeTicket("reset", "alice");
  const before = await keptUser(opened, "alice");
  assertEquals((await send("PATCH", "/user/alice", { token: admin, json: { groups: ["staff"] } })).status, 200);
  assertEquals(outcomeOf(await send("DELETE", "/user/alice", { token: old })), "204");

  const token = await opened.addUser("alice");
  const after = await keptUser(opened, "alice");
  assertNotEquals(after.id, before.id);
  assertEquals(after.groups, []);
  assertEquals(await isLive(opened, old), false);
  const json = { ticket, password: newPassword };
  assertEquals(outcomeOf(await send("PUT", "/user/alice/password", { json })), "403 ticket-invalid");
  assert(await isLive(opened, token));
  assert(await isLive(opened, await opened.logIn()));
});

Deno.test("deleteUser() answers all of 20 at once that the user is gone, and tells of one deletion", async () => {
  const opened = await openAdminApp();
  await opened.addUser("alice");
  const before = opened.lines.length;
  const replies = await Promise.all(
    Array.from({ length: 20 }, () => opened.send("DELETE", "/user/alice", { token: opened.admin })),
  );
  assertEquals(
    replies.filter(({ status }) => status !== 204 && status !== 404),
    [],
    JSON.stringify(countOutcomes(replies)),
  );
  const told = opened.lines.slice(before).filter((line) => line.includes('"user-deleted"'));
  assertEquals(told.length, 1);
});
