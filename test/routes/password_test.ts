/** A new password, by the present one or by a ticket: `PUT /user/{login}/password`. */
import { assert, assertEquals, assertNotEquals } from "@std/assert";
import type { PasswordStrength } from "../../lib/passwords/password_strength.js";
import { createPasswordStrength } from "../../lib/accounts/user.ts";
import { hashPassword } from "../../lib/passwords/password_hash.ts";
import type { User } from "../../lib/store.ts";
import { TableStore } from "../../lib/store/memory/table_store.ts";
import {
  type AdminApp,
  countOutcomes,
  insertSetupTicket,
  isLive,
  keptUser,
  newPassword,
  openAdminApp,
  outcomeOf,
} from "../support/accounts.ts";
import { alice, type Reply, type SendOptions, type TestAppOptions } from "../support/app.ts";
import { deleteByLogin, sessionsIn } from "../support/store/records.ts";

const right = { current_password: alice.password, password: newPassword };

/** An app with an admin, and with `alice`, who is logged in. */
async function openWithAlice(options?: TestAppOptions): Promise<AdminApp & { token: string }> {
  const opened = await openAdminApp(options);
  return { ...opened, token: await opened.addUser("alice") };
}

async function change({ send }: AdminApp, json: unknown, options: SendOptions = {}): Promise<Reply> {
  return await send("PUT", "/user/alice/password", { json, ...options });
}

/** Whether `alice` can log in with it. */
async function isPassword({ send }: AdminApp, password: string): Promise<boolean> {
  return (await send("POST", "/session/", { json: { login: "alice", password } })).status === 201;
}

Deno.test("changePassword() sets the password by the present one, and ends every other session", async () => {
  const opened = await openWithAlice();
  const { token } = opened;
  const others = [await opened.logIn(), await opened.logIn()];
  const bob = await opened.addUser("bob");
  const before = await keptUser(opened, "alice");
  const { status, text, headers } = await change(opened, right, { token });
  assertEquals([status, text, headers.get("cache-control")], [204, "", "no-store"]);
  assertEquals([await isPassword(opened, alice.password), await isPassword(opened, newPassword)], [false, true]);
  for (const other of others) assertEquals(await isLive(opened, other), false);
  for (const live of [token, bob, opened.admin]) assert(await isLive(opened, live));
  const after = await keptUser(opened, "alice");
  assertNotEquals(after.passwordHash, before.passwordHash);
  assertEquals({ ...after, passwordHash: "" }, { ...before, passwordHash: "" });
});

Deno.test("changePassword() takes the login in whatever capitals, and the present password in either Unicode form", async () => {
  const opened = await openAdminApp();
  const password = "sept éléphants violets à Nîmes";
  assertEquals((await opened.send("POST", "/user/", { json: { login: "zoe", password } })).status, 201);
  const token = await opened.logIn({ login: "zoe", password });
  const json = { current_password: password.normalize("NFD"), password: newPassword };
  assertEquals(outcomeOf(await opened.send("PUT", "/user/ZOE/password", { token, json })), "204");
});

Deno.test("changePassword() refuses the same password again, in either Unicode form", async () => {
  const opened = await openAdminApp();
  const password = "sept éléphants violets à Nîmes".normalize("NFC");
  assertEquals((await opened.send("POST", "/user/", { json: { login: "alice", password } })).status, 201);
  const token = await opened.logIn({ login: "alice", password });
  const other = await opened.logIn({ login: "alice", password });
  const ticket = await opened.makeTicket("reset", "alice");
  for (const same of [password, password.normalize("NFD")]) {
    const byPassword = await change(opened, { current_password: password, password: same }, { token });
    assertEquals(outcomeOf(byPassword), "422 invalid-user /password unchanged");
    assertEquals(outcomeOf(await change(opened, { ticket, password: same })), "422 invalid-user /password unchanged");
  }
  assert(await isLive(opened, other));
  // The ticket is not used up by it.
  assertEquals(outcomeOf(await change(opened, { ticket, password: newPassword })), "204");
});

Deno.test("changePassword() refuses a wrong present password, and changes nothing", async () => {
  const opened = await openWithAlice();
  const { token } = opened;
  const other = await opened.logIn();
  const before = await keptUser(opened, "alice");
  for (const wrong of ["", newPassword, alice.password.toUpperCase(), `${alice.password} `, "x".repeat(5_000)]) {
    const reply = await change(opened, { ...right, current_password: wrong }, { token });
    assertEquals(outcomeOf(reply), "403 wrong-current-password");
  }
  // Wrong comes before unchanged: or who found a browser open could try passwords.
  const same = { current_password: "wrong", password: alice.password };
  assertEquals(outcomeOf(await change(opened, same, { token })), "403 wrong-current-password");
  assertEquals(await keptUser(opened, "alice"), before);
  for (const live of [token, other]) assert(await isLive(opened, live));
});

const { password } = right;
const badBodies: [what: string, body: unknown, ...errors: string[]][] = [
  ["too short", { ...right, password: "wJ4-qLm9zVt2xR" }, "/password too-short"],
  ["too long", { ...right, password: `wJ4-qLm9zVt2xR${"x".repeat(1_011)}` }, "/password too-long"],
  ["common", { ...right, password: "passwordpassword" }, "/password guessable"],
  ["with the login", { ...right, password: "Alice-Vk9-qTz4.Lm2" }, "/password guessable"],
  ["no text", { ...right, password: 1 }, "/password not-text"],
  [
    "a lone surrogate",
    { current_password: "\ud800", password: "\ud800" },
    "/password not-unicode",
    "/current_password not-unicode",
  ],
  ["nothing", {}, "/password missing", "/current_password missing"],
  ["no proof", { password }, "/current_password missing"],
  ["two proofs", { ...right, ticket: "none" }, "/current_password unknown-field"],
  ["a ticket of null", { ticket: null, password }, "/ticket not-text"],
  ["a ticket alone", { ticket: "none" }, "/password missing"],
  ["an unknown field", { ...right, login: "alice" }, "/login unknown-field"],
  ["a list", [], " not-object"],
];

for (const [what, body, ...errors] of badBodies) {
  Deno.test(`changePassword() refuses with every bad field, and hashes nothing: ${what}`, async () => {
    const opened = await openWithAlice();
    const before = opened.app.metrics.hashes.count;
    const reply = await change(opened, body, { token: opened.token });
    assertEquals(outcomeOf(reply), ["422 invalid-user", ...errors].join(" "));
    assertEquals(opened.app.metrics.hashes.count, before);
  });
}

Deno.test("changePassword() hashes twice, whatever shows that one may and whatever the old hash cost", async () => {
  for (const cost of ["100", "50"]) {
    const opened = await openWithAlice({ settings: { GATEHOUSE_PBKDF2_ITERATIONS: "100" } });
    const { metrics: { hashes }, store } = opened.app;
    const { token } = opened;
    const user = await keptUser(opened, "alice");
    const rehash = async (password: string) => {
      const current = await keptUser(opened, "alice");
      const passwordHash = await hashPassword(password, Number(cost));
      assertEquals(await store.replaceUser(current, { ...current, passwordHash }), "done");
    };
    assertEquals(user.disabled, false);
    await rehash(alice.password);
    let before = hashes.count;
    assertEquals(outcomeOf(await change(opened, right, { token })), "204");
    assertEquals(hashes.count - before, 2);

    await rehash(newPassword);
    const ticket = await opened.makeTicket("reset", "alice");
    before = hashes.count;
    assertEquals(outcomeOf(await change(opened, { ticket, password: alice.password })), "204");
    assertEquals(hashes.count - before, 2);
  }
});

Deno.test("changePassword() judges nothing for who may not change it, nor more than a client may have judged", async () => {
  const opened = await openWithAlice({ settings: { GATEHOUSE_REGISTRATIONS_PER_HOUR: "60" } });
  const { token, app } = opened;
  const bob = await opened.addUser("bob");
  const passwordStrength = createPasswordStrength();
  Object.assign(app.passwordStrength, {
    weaknessOf: (...options: Parameters<PasswordStrength["weaknessOf"]>) => {
      judgedCount++;
      return passwordStrength.weaknessOf(...options);
    },
  });
  let judgedCount = 0;
  const client = "192.0.2.7";
  try {
    const guessable = { ...right, password: "passwordpassword" };
    assertEquals(outcomeOf(await change(opened, guessable, { client })), "401 not-authenticated");
    assertEquals(outcomeOf(await change(opened, guessable, { client, token: bob })), "403 forbidden");
    const byTicket = { ticket: "none", password: "passwordpassword" };
    assertEquals(outcomeOf(await change(opened, byTicket, { client, token })), "403 ticket-invalid");
    assertEquals(judgedCount, 0);
    const replies: Reply[] = [];
    for (let count = 0; count < 602; count++) replies.push(await change(opened, guessable, { client, token }));
    assertEquals(countOutcomes(replies), {
      "422 invalid-user /password guessable": 600,
      "429 too-many-new-passwords": 2,
    });
    assertEquals([judgedCount, replies.at(-1)?.headers.get("retry-after")], [600, "6"]);
    assertEquals(outcomeOf(await change(opened, right, { token })), "204");
  } finally {
    Reflect.deleteProperty(app.passwordStrength, "weaknessOf");
  }
});

Deno.test("changePassword() demands as many characters as are set", async () => {
  const opened = await openWithAlice({ settings: { GATEHOUSE_PASSWORD_MIN_LENGTH: "20" } });
  const { token } = opened;
  const short = { ...right, password: "wJ4-qLm9zVt2xRs7Np." };
  assertEquals(outcomeOf(await change(opened, short, { token })), "422 invalid-user /password too-short");
  assertEquals(outcomeOf(await change(opened, { ...right, password: "wJ4-qLm9zVt2xRs7Np.K" }, { token })), "204");
});

Deno.test("changePassword() lets nobody change another's, with whatever password, not even an admin", async () => {
  const opened = await openWithAlice();
  const bob = await opened.addUser("bob");
  for (const token of [bob, opened.admin]) {
    for (const current_password of [alice.password, "wrong"]) {
      assertEquals(outcomeOf(await change(opened, { ...right, current_password }, { token })), "403 forbidden");
    }
  }
  assert(await isPassword(opened, alice.password));
});

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

Deno.test("changePassword() takes a ticket in place of the password, without a session, and ends every session", async () => {
  const opened = await openWithAlice();
  const tokens = [opened.token, await opened.logIn()];
  const ticket = await opened.makeTicket("reset", "ALICE");
  const { status, text, headers } = await change(opened, { ticket, password: newPassword });
  assertEquals([status, text, headers.get("cache-control")], [204, "", "no-store"]);
  assertEquals([await isPassword(opened, alice.password), await isPassword(opened, newPassword)], [false, true]);
  for (const token of tokens) assertEquals(await isLive(opened, token), false);
  assert(await isLive(opened, opened.admin));
  const again = await change(opened, { ticket, password: `${newPassword} again` });
  assertEquals(outcomeOf(again), "403 ticket-invalid");
});

Deno.test("changePassword() ends the caller's own session too when it goes by a ticket", async () => {
  const opened = await openWithAlice();
  const ticket = await opened.makeTicket("reset", "alice");
  const { token } = opened;
  assertEquals(outcomeOf(await change(opened, { ticket, password: newPassword }, { token })), "204");
  assertEquals(await isLive(opened, token), false);
});

Deno.test("of 100 uses of a reset ticket at once one sets the password", async () => {
  const opened = await openWithAlice();
  const ticket = await opened.makeTicket("reset", "alice");
  const passwords = Array.from({ length: 100 }, (_, index) => `${newPassword} ${index}`);
  const replies = await Promise.all(passwords.map((password) => change(opened, { ticket, password })));
  assertEquals(countOutcomes(replies), { "204": 1, "403 ticket-invalid": 99 });
  const winner = passwords[replies.findIndex(({ status }) => status === 204)] ?? "";
  assert(await isPassword(opened, winner));
});

Deno.test("changePassword() takes a reset ticket for its login alone, before its end", async () => {
  const opened = await openWithAlice();
  const { send, app } = opened;
  await opened.addUser("bob");
  const ticket = await opened.makeTicket("reset", "alice");
  const json = { ticket, password: newPassword };
  const before = app.metrics.hashes.count;
  for (const login of ["bob", "root", "nobody", "a b"]) {
    const reply = await send("PUT", `/user/${encodeURIComponent(login)}/password`, { json });
    assertEquals(outcomeOf(reply), "403 ticket-invalid");
  }
  opened.clock.now += 24 * 60 * 60 * 1_000;
  assertEquals(outcomeOf(await change(opened, json)), "403 ticket-invalid");
  assertEquals(app.metrics.hashes.count, before);
  opened.clock.now -= 1;
  assertEquals(outcomeOf(await change(opened, json)), "204");
});

Deno.test("changePassword() takes no ticket of another purpose, nor what is none", async () => {
  const opened = await openWithAlice();
  const good = await opened.makeTicket("reset", "alice");
  const tickets = [
    await opened.makeTicket("register"),
    await opened.makeTicket("register", "alice"),
    await insertSetupTicket(opened),
    "",
    "none",
    good.slice(1),
    `${good} `,
  ];
  for (const ticket of tickets) {
    // The session of alice herself does not help.
    const reply = await change(opened, { ticket, password: newPassword }, { token: opened.token });
    assertEquals(outcomeOf(reply), "403 ticket-invalid");
  }
});

Deno.test("a reset ticket is void once the user is deleted, and for whoever registers then with that login", async () => {
  const opened = await openWithAlice();
  const json = { ticket: await opened.makeTicket("reset", "alice"), password: newPassword };
  assertEquals(outcomeOf(await opened.send("DELETE", "/user/alice", { token: opened.admin })), "204");
  assertEquals(outcomeOf(await change(opened, json)), "403 ticket-invalid");
  await opened.addUser("alice");
  assertEquals(outcomeOf(await change(opened, json)), "403 ticket-invalid");
  assert(await isPassword(opened, alice.password));
});

Deno.test("a reset ticket is void once the password is another", async () => {
  const opened = await openWithAlice();
  const tickets = [await opened.makeTicket("reset", "alice"), await opened.makeTicket("reset", "alice")];
  await opened.addUser("bob");
  const ofBob = await opened.makeTicket("reset", "bob");
  assertEquals(outcomeOf(await change(opened, right, { token: opened.token })), "204");
  for (const ticket of tickets) {
    assertEquals(outcomeOf(await change(opened, { ticket, password: alice.password })), "403 ticket-invalid");
  }
  const json = { ticket: ofBob, password: newPassword };
  assertEquals(outcomeOf(await opened.send("PUT", "/user/bob/password", { json })), "204");
});

Deno.test("a disabled user changes no password by a session, and by a ticket stays disabled", async () => {
  const opened = await openWithAlice();
  const { send, admin, token } = opened;
  assertEquals((await send("PATCH", "/user/alice", { token: admin, json: { disabled: true } })).status, 200);
  assertEquals(outcomeOf(await change(opened, right, { token })), "401 not-authenticated");

  const ticket = await opened.makeTicket("reset", "alice");
  assertEquals(outcomeOf(await change(opened, { ticket, password: newPassword })), "204");
  assertEquals([(await keptUser(opened, "alice")).disabled, await isPassword(opened, newPassword)], [true, false]);
  assertEquals((await send("PATCH", "/user/alice", { token: admin, json: { disabled: false } })).status, 200);
  assertEquals([await isPassword(opened, alice.password), await isPassword(opened, newPassword)], [false, true]);
});
