/** A new password, by the present one or by a ticket: `PUT /user/{login}/password`. */
import { assert, assertEquals, assertNotEquals } from "@std/assert";
import type { PasswordStrength } from "../../lib/passwords/password_strength.js";
import { createPasswordStrength } from "../../lib/accounts/user.ts";
import { hashPassword } from "../../lib/passwords/password_hash.ts";
import { pbkdf2 } from "../support/passwords/phc.ts";
import {
  countOutcomes,
  isLive,
  keptUser,
  newPassword,
  openAdminApp,
  openWithAlice,
  outcomeOf,
} from "../support/accounts.ts";
import { alice, type Reply } from "../support/app.ts";
import { change, isPassword } from "../support/password_change.ts";

const right = { current_password: alice.password, password: newPassword };

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

Deno.test("changePassword() ignores the case of the login and the Unicode form of the current password", async () => {
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
      const passwordHash = await hashPassword(password, pbkdf2(Number(cost)));
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

Deno.test("changePassword() computes no strength for clients without the right or over their limit", async () => {
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
