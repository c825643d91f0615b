/** Changes of a user at the same time: `PATCH /user/{login}`. */
import { assert, assertEquals } from "@std/assert";
import type { User } from "../../lib/store.ts";
import { TableStore } from "../../lib/store/memory/table_store.ts";
import {
  type AdminApp,
  countOutcomes,
  isLive,
  keptUser,
  newPassword,
  openAdminApp,
  outcomeOf,
} from "../support/accounts.ts";
import { alice, type Reply, type SendOptions } from "../support/app.ts";
import { deleteByLogin } from "../support/store/records.ts";

async function change({ send, admin }: AdminApp, json: unknown, options: SendOptions = {}): Promise<Reply> {
  return await send("PATCH", "/user/alice", { token: admin, json, ...options });
}

Deno.test("changeUser() lets one of 20 at once change what all of them have seen", async () => {
  const opened = await openAdminApp();
  await opened.addUser("alice");
  const etag = String((await opened.send("GET", "/user/alice", { token: opened.admin })).headers.get("etag"));
  const replies = await Promise.all(
    Array.from({ length: 20 }, (_, index) => {
      return change(opened, { groups: [`g${index}`] }, { headers: { "if-match": etag } });
    }),
  );
  assertEquals(countOutcomes(replies), { "200": 1, "412 precondition-failed": 19 });
  const winner = replies.findIndex(({ status }) => status === 200);
  assertEquals((await keptUser(opened, "alice")).groups, [`g${winner}`]);
});

Deno.test("changeUser() makes all of 20 changes at once when none says what it has seen", async () => {
  const opened = await openAdminApp();
  await opened.addUser("alice");
  const changes = Array.from({ length: 20 }, (_, index) => {
    return change(opened, index % 2 === 0 ? { groups: ["staff"] } : { disabled: true });
  });
  assertEquals(countOutcomes(await Promise.all(changes)), { "200": 20 });
  const { groups, disabled } = await keptUser(opened, "alice");
  assertEquals([groups, disabled], [["staff"], true]);
});

/** A store in which something happens between the look at a user and the change. */
class ChangingStore extends TableStore {
  between: (() => Promise<unknown>) | undefined;

  override async replaceUser(current: User, next: User, options = {}) {
    const { between } = this;
    this.between = undefined;
    await between?.();
    return await super.replaceUser(current, next, options);
  }
}

Deno.test("changeUser() keeps what another changes meanwhile, also a password", async () => {
  const store = new ChangingStore();
  const opened = await openAdminApp({ store });
  const token = await opened.addUser("alice");
  const json = { current_password: alice.password, password: newPassword };
  store.between = () => opened.send("PUT", "/user/alice/password", { token, json });
  assertEquals(outcomeOf(await change(opened, { groups: ["staff"] })), "200");
  assert(await isLive(opened, await opened.logIn({ login: "alice", password: newPassword })));
  assertEquals((await keptUser(opened, "alice")).groups, ["staff"]);
});

Deno.test("changeUser() changes nobody who is deleted meanwhile, nor who registers then with that login", async () => {
  for (const isRegisteredAgain of [false, true]) {
    const store = new ChangingStore();
    const opened = await openAdminApp({ store });
    await opened.addUser("alice");
    store.between = async () => {
      assertEquals(await deleteByLogin(store, "alice"), "done");
      if (isRegisteredAgain) await opened.addUser("alice");
    };
    assertEquals(outcomeOf(await change(opened, { groups: ["admin"] })), "404 not-found");
    assertEquals((await store.findUser("alice"))?.groups, isRegisteredAgain ? [] : undefined);
  }
});

const ways: [what: string, method: string, json?: unknown][] = [
  ["demote", "PATCH", { groups: [] }],
  ["disable", "PATCH", { disabled: true }],
  ["delete", "DELETE"],
];

for (const [what, method, json] of ways) {
  Deno.test(`of two admins who ${what} each other at once one stays`, async () => {
    for (let round = 0; round < 10; round++) {
      const opened = await openAdminApp();
      const token = await opened.addUser("alice");
      assertEquals(outcomeOf(await change(opened, { groups: ["admin"] })), "200");
      const options = json === undefined ? {} : { json };
      const replies = await Promise.all([
        opened.send(method, "/user/alice", { token: opened.admin, ...options }),
        opened.send(method, "/user/root", { token, ...options }),
      ]);
      const done = method === "DELETE" ? 204 : 200;
      assertEquals(replies.filter(({ status }) => status === done).length, 1, countText(replies));
      assertEquals(await opened.app.store.countAdmins(), 1);
    }
  });
}

function countText(replies: readonly Reply[]): string {
  return JSON.stringify(countOutcomes(replies));
}
