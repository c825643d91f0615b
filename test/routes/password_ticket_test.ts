/** A new password by a ticket: `PUT /user/{login}/password`. */
import { assert, assertEquals } from "@std/assert";
import {
  countOutcomes,
  insertSetupTicket,
  isLive,
  keptUser,
  newPassword,
  openWithAlice,
  outcomeOf,
} from "../support/accounts.ts";
import { alice } from "../support/app.ts";
import { change, isPassword } from "../support/password_change.ts";

const right = { current_password: alice.password, password: newPassword };

Deno.test("changePassword() accepts a ticket instead of the password and session, and ends every session", async () => {
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

Deno.test("a reset ticket is void once the user is deleted, and for a later user with that login", async () => {
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
