/** A new password while the user changes: `PUT /user/{login}/password`. */
import { assert, assertEquals } from "@std/assert";
import type { User } from "../../lib/store.ts";
import { TableStore } from "../../lib/store/memory/table_store.ts";
import { countOutcomes, isLive, newPassword, openWithAlice, outcomeOf } from "../support/accounts.ts";
import { alice } from "../support/app.ts";
import { deleteByLogin, sessionsIn } from "../support/store/records.ts";
import { change, isPassword } from "../support/password_change.ts";

const right = { current_password: alice.password, password: newPassword };

Deno.test("changePassword() takes one of 20 changes at once", async () => {
  const opened = await openWithAlice();
  const { token } = opened;
  const passwords = Array.from({ length: 20 }, (_, index) => `${newPassword} ${index}`);
  const replies = await Promise.all(passwords.map((password) => change(opened, { ...right, password }, { token })));
  assertEquals(countOutcomes(replies), { "204": 1, "403 wrong-current-password": 19 });
  const winner = passwords[replies.findIndex(({ status }) => status === 204)] ?? "";
  assert(await isPassword(opened, winner));
  assert(await isLive(opened, token));
});

/** A store in which something happens between the look at a user and the change. */
class ChangingStore extends TableStore {
  between: ((user: User) => Promise<unknown>) | undefined;

  override async replaceUser(current: User, next: User, options = {}) {
    const { between } = this;
    this.between = undefined;
    await between?.(current);
    return await super.replaceUser(current, next, options);
  }
}

const wrong = "403 wrong-current-password";
const invalid = "403 ticket-invalid";
const ended = "401 not-authenticated";

const meanwhile: [
  what: string,
  between: (store: TableStore, user: User) => Promise<unknown>,
  byPassword: string,
  byTicket: string,
][] = [
  ["gets groups", (store, user) => store.replaceUser(user, { ...user, groups: ["staff"] }), "204", "204"],
  ["is disabled", (store, user) => store.replaceUser(user, { ...user, disabled: true }), ended, "204"],
  ["gets another password", (store, user) => store.replaceUser(user, { ...user, passwordHash: "x" }), wrong, invalid],
  ["is logged out everywhere", (store, user) => store.deleteSessions(user.login), ended, "204"],
  ["is deleted", (store, user) => deleteByLogin(store, user.login), ended, invalid],
  [
    "becomes another of that login",
    async (store, user) => {
      await deleteByLogin(store, user.login);
      await store.insertUser({ ...user, id: "01KAN6Z3H3AAAAAAAAAAAAAAAA" });
    },
    ended,
    invalid,
  ],
];

for (const [what, between, byPassword, byTicket] of meanwhile) {
  for (const [proof, outcome] of [["password", byPassword], ["ticket", byTicket]] as const) {
    Deno.test(`changePassword() by ${proof} answers ${outcome} when the user ${what} meanwhile`, async () => {
      const store = new ChangingStore();
      const opened = await openWithAlice({ store });
      const { token } = opened;
      const ticket = await opened.makeTicket("reset", "alice");
      store.between = (user) => between(store, user);
      const reply = proof === "password"
        ? await change(opened, right, { token })
        : await change(opened, { ticket, password: newPassword });
      assertEquals(outcomeOf(reply), outcome);
      const kept = await store.findUser("alice");
      if (what === "gets groups") assertEquals(kept?.groups, ["staff"]);
      if (what === "is disabled") assertEquals([kept?.disabled, await sessionsIn(store, "alice")], [true, []]);
      if (outcome !== "204") assert(!await isPassword(opened, newPassword));
    });
  }
}
