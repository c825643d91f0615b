/** HTTP Basic at the guard while the user changes: what was remembered is forgotten. */
import { assertEquals } from "@std/assert";
import type { User } from "../../lib/store.ts";
import { TableStore } from "../../lib/store/memory/table_store.ts";
import {
  type AdminApp,
  auditOf,
  countOutcomes,
  keptUser,
  newPassword,
  openWithAlice,
  outcomeOf,
} from "../support/accounts.ts";
import { openTestApp } from "../support/app.ts";
import { deleteByLogin } from "../support/store/records.ts";
import { ask, basicOf, password, told } from "../support/guard_basic.ts";

const changes: readonly [what: string, change: (opened: AdminApp, token: string) => Promise<unknown>, then: string][] =
  [
    ["the password is changed", ({ send }, token) => {
      const json = { current_password: password, password: newPassword };
      return send("PUT", "/user/alice/password", { token, json });
    }, "401 wrong-credentials, 1 hash"],
    ["the user is disabled", ({ send, admin }) => {
      return send("PATCH", "/user/alice", { token: admin, json: { disabled: true } });
    }, "401 wrong-credentials, 1 hash"],
    [
      "the user is deleted",
      ({ send }, token) => send("DELETE", "/user/alice", { token }),
      "401 wrong-credentials, 1 hash",
    ],
    ["the login is another's, of the same password", async ({ send, addUser }, token) => {
      await send("DELETE", "/user/alice", { token });
      await addUser("alice");
    }, "200 alice, 1 hash"],
    ["the sessions are ended, of which it is none", ({ send }, token) => {
      return send("DELETE", "/user/alice/session/", { token });
    }, "200 alice, 0 hash"],
  ];

for (const [what, change, then] of changes) {
  Deno.test(`guard() answers ${then} to Basic that was right until ${what}`, async () => {
    const opened = await openWithAlice();
    assertEquals(await told(opened, basicOf("alice")), "200 alice, 1 hash");
    await change(opened, opened.token);
    assertEquals(await told(opened, basicOf("alice")), then);
    const { headers } = await ask(opened, basicOf("alice"));
    if (then.startsWith("200")) assertEquals(headers.get("remote-id"), (await keptUser(opened, "alice")).id);
  });
}

Deno.test("guard() sees at once that a user is in other groups, by Basic too", async () => {
  const opened = await openWithAlice();
  const groupsOf = async () => (await ask(opened, basicOf("alice"))).headers.get("remote-groups");
  for (const groups of [[], ["staff", "night"], ["night"]]) {
    const json = { groups };
    assertEquals((await opened.send("PATCH", "/user/alice", { token: opened.admin, json })).status, 200);
    assertEquals(await groupsOf(), ["users", ...groups].join());
  }
});

/** Changes a user once, right after they were looked up: while the password is verified. */
class ChangingStore extends TableStore {
  change: ((store: TableStore, user: User) => Promise<unknown>) | undefined;

  override async findUser(login: string): Promise<User | undefined> {
    const user = await super.findUser(login);
    const { change } = this;
    this.change = undefined;
    if (user !== undefined) await change?.(this, user);
    return user;
  }
}

const meanwhile: readonly [what: string, change: (store: TableStore, user: User) => Promise<unknown>, then: string][] =
  [
    ["is disabled", (store, user) => store.replaceUser(user, { ...user, disabled: true }), "401 wrong-credentials"],
    ["is deleted", (store, { login }) => deleteByLogin(store, login), "401 wrong-credentials"],
    ["gets another password", async (store, user) => {
      const { passwordHash } = await store.findUser("root") ?? user;
      // Of the other salt it is another hash, though of the same password.
      await store.replaceUser(user, { ...user, passwordHash: passwordHash.replace(/\$[^$]+$/, `$${"A".repeat(43)}`) });
    }, "401 wrong-credentials"],
    ["gets groups", (store, user) => store.replaceUser(user, { ...user, groups: ["staff"] }), "200 users,staff"],
    ["stays as they are", () => Promise.resolve(), "200 users"],
  ];

for (const [what, change, then] of meanwhile) {
  Deno.test(`guard() answers ${then} to Basic of a user who ${what} while it is verified`, async () => {
    const store = new ChangingStore();
    const opened = await openWithAlice({ store });
    store.change = change;
    const before = opened.lines.length;
    const reply = await ask(opened, basicOf("alice"));
    assertEquals(`${outcomeOf(reply)} ${reply.headers.get("remote-groups") ?? ""}`.trimEnd(), then);
    const logged = auditOf(opened.lines.slice(before)).map(({ event, user }) => `${event} ${user}`);
    assertEquals(logged, [then.startsWith("200") ? "login alice" : "login-failed alice"]);
  });
}

Deno.test("guard() audits once a Basic password that many requests share, although the user changes", async () => {
  const store = new ChangingStore();
  const opened = await openWithAlice({ store });
  store.change = (store, user) => store.replaceUser(user, { ...user, disabled: true });
  const before = opened.lines.length;
  const replies = await Promise.all(Array.from({ length: 10 }, () => ask(opened, basicOf("alice"))));
  assertEquals(countOutcomes(replies), { "401 wrong-credentials": 10 });
  const logged = auditOf(opened.lines.slice(before)).map(({ event, user }) => `${event} ${user}`);
  assertEquals(logged, ["login-failed alice"]);
});

Deno.test("guard() remembers Basic also when the password was hashed anew", async () => {
  const { app } = await openWithAlice();
  const opened = await openTestApp({ store: app.store, settings: { GATEHOUSE_PBKDF2_ITERATIONS: "150" } });
  assertEquals(await told(opened, basicOf("alice")), "200 alice, 2 hash");
  assertEquals(await told(opened, basicOf("alice")), "200 alice, 0 hash");
  opened.clock.now += 60_000;
  assertEquals(await told(opened, basicOf("alice")), "200 alice, 1 hash");
});
