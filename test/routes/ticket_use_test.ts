/** What a ticket is good for, and when it is void. */
import { assert, assertEquals } from "@std/assert";
import { createTicket } from "../../lib/accounts/ticket.ts";
import {
  countOutcomes,
  insertSetupTicket,
  keptUser,
  newPassword,
  openAdminApp,
  outcomeOf,
} from "../support/accounts.ts";
import { alice, openTestApp, type TestApp } from "../support/app.ts";
import { deleteByLogin } from "../support/store/records.ts";
import { hourMs, inMode, modes, register } from "../support/tickets.ts";

Deno.test("a ticket is void once its maker loses the rights, the account, all sessions or the password", async () => {
  const ends: [what: string, method: string, path: string, json?: unknown][] = [
    ["demoted", "PATCH", "/user/grace", { groups: [] }],
    ["disabled", "PATCH", "/user/grace", { disabled: true }],
    ["deleted", "DELETE", "/user/grace"],
    ["logged out everywhere", "DELETE", "/user/grace/session/"],
    ["with another password", "PUT", "/user/grace/password", {
      current_password: alice.password,
      password: newPassword,
    }],
  ];
  for (const [what, method, path, json] of ends) {
    const opened = await openAdminApp(inMode("ticket"));
    const { send, admin } = opened;
    const token = await opened.addUser("grace");
    assertEquals((await send("PATCH", "/user/grace", { token: admin, json: { groups: ["admin"] } })).status, 200);
    const codes: string[] = [];
    for (const json of [{ purpose: "register" }, { purpose: "reset", login: "root" }]) {
      codes.push(String((await send("POST", "/ticket/", { token, json })).json.ticket));
    }
    const presented = method === "PUT" ? token : admin;
    assert((await send(method, path, { token: presented, ...json !== undefined && { json } })).status < 300, what);
    assertEquals(await register(opened, "carol", codes[0]), "403 ticket-invalid", what);
    const reset = { ticket: codes[1], password: newPassword };
    assertEquals(outcomeOf(await send("PUT", "/user/root/password", { json: reset })), "403 ticket-invalid", what);
    assertEquals((await send("GET", "/session/", { token: admin })).status, 200);
  }
});

/** What comes of a registration with no ticket, with a good one, and with the code of none. */
const registrations: Record<typeof modes[number], [without: string, withGood: string, withBad: string]> = {
  open: ["201", "201", "403 ticket-invalid"],
  ticket: ["403 ticket-invalid", "201", "403 ticket-invalid"],
  closed: ["403 registration-closed", "403 ticket-invalid", "403 ticket-invalid"],
};

for (const mode of modes) {
  const [without, withGood, withBad] = registrations[mode];

  Deno.test(`register() in the mode ${mode} answers ${without} without a ticket and ${withGood} with one`, async () => {
    const opened = await openAdminApp(inMode(mode));
    // Not asked of the service: it may be from before the mode was changed.
    const { ticket, code } = createTicket("register", {
      login: "",
      maker: "",
      now: opened.clock.now,
      ttlMs: hourMs,
    });
    await opened.app.store.insertTicket(ticket);
    assertEquals(await register(opened, "a1"), without);
    for (const bad of ["", "none", code.slice(1), `${code}a`, `${code} `, code.toLowerCase()]) {
      assertEquals(await register(opened, "a2", bad), withBad);
    }
    assertEquals(await register(opened, "a3", code), withGood);
    if (withGood === "201") assertEquals((await keptUser(opened, "a3")).groups, []);
    assertEquals(await register(opened, "a4", code), "403 ticket-invalid");
  });

  Deno.test(`the setup ticket makes an admin in the mode ${mode}, and is useless when used`, async () => {
    const opened = await openTestApp(inMode(mode));
    const code = await insertSetupTicket(opened);
    assertEquals(await register(opened, "alice", code), "201");
    assertEquals((await keptUser(opened, "alice")).groups, ["admin"]);
    assertEquals((await opened.send("GET", "/user/", { token: await opened.logIn() })).status, 200);
    assertEquals(await register(opened, "bob", code), "403 ticket-invalid");
    assertEquals(await opened.app.store.findUser("bob"), undefined);
  });

  Deno.test(`of 100 uses of the setup ticket at once one makes an admin in the mode ${mode}`, async () => {
    const opened = await openTestApp(inMode(mode));
    const code = await insertSetupTicket(opened);
    assertEquals(await useAtOnce(opened, code), { "201": 1, "403 ticket-invalid": 99 });
    const { items: users } = await opened.app.store.listUsers({ limit: 100 });
    assertEquals(users.map(({ groups }) => groups), [["admin"]]);
  });
}

/** Registers 100 logins with one ticket. */
async function useAtOnce({ send }: TestApp, ticket: string): Promise<Record<string, number>> {
  const logins = Array.from({ length: 100 }, (_, index) => `user${index}`);
  return countOutcomes(
    await Promise.all(logins.map((login) => send("POST", "/user/", { json: { ...alice, login, ticket } }))),
  );
}

Deno.test("of 100 uses of an invitation at once one registers", async () => {
  const opened = await openAdminApp(inMode("ticket"));
  const code = await opened.makeTicket("register");
  assertEquals(await useAtOnce(opened, code), { "201": 1, "403 ticket-invalid": 99 });
  assertEquals((await opened.app.store.listUsers({ limit: 1 })).total, 2);
});

Deno.test("the setup ticket of a later start replaces the earlier one, and no ticket of another purpose", async () => {
  const opened = await openAdminApp(inMode("ticket"));
  const invitation = await opened.makeTicket("register");
  const first = await insertSetupTicket(opened);
  const second = await insertSetupTicket(opened);
  assertEquals(await register(opened, "a1", first), "403 ticket-invalid");
  assertEquals(await register(opened, "a2", invitation), "201");
  assertEquals(await register(opened, "a3", second), "201");
});

Deno.test("the setup ticket expires as others do", async () => {
  for (const [afterMs, outcome] of [[24 * hourMs - 1, "201"], [24 * hourMs, "403 ticket-invalid"]] as const) {
    const opened = await openTestApp();
    const code = await insertSetupTicket(opened);
    opened.clock.now += afterMs;
    assertEquals(await register(opened, "alice", code), outcome);
  }
});

Deno.test("a ticket outlives every registration that it does not make", async () => {
  const opened = await openTestApp({ settings: { GATEHOUSE_REGISTRATIONS_PER_HOUR: "3" } });
  const code = await insertSetupTicket(opened);
  assertEquals(await register(opened, "taken"), "201");
  assertEquals(await register(opened, "taken", code), "409 login-taken");
  assertEquals(await register(opened, "a b", code), "422 invalid-user /login invalid-characters");
  assertEquals(await register(opened, "a1"), "201");
  assertEquals(await register(opened, "alice", code), "429 too-many-registrations");
  opened.clock.now += hourMs;
  assertEquals(await register(opened, "alice", code), "201");
});

Deno.test("register() refuses a ticket that is no text", async () => {
  const opened = await openTestApp();
  for (const [ticket, code] of [[1, "not-text"], [null, "not-text"], [["a"], "not-text"], ["\ud800", "not-unicode"]]) {
    const reply = await opened.send("POST", "/user/", { json: { ...alice, ticket } });
    assertEquals(outcomeOf(reply), `422 invalid-user /ticket ${code}`);
  }
});

Deno.test("register() does not tell whether a login is taken to who has no ticket, and hashes nothing", async () => {
  for (const mode of ["ticket", "closed"] as const) {
    const opened = await openAdminApp(inMode(mode));
    const before = opened.app.metrics.hashes.count;
    for (const ticket of [undefined, "none"]) {
      assertEquals(await register(opened, "root", ticket), await register(opened, "nobody", ticket));
    }
    assertEquals(opened.app.metrics.hashes.count, before);
  }
});

Deno.test("an invitation of a login is for this login alone, in whatever capitals", async () => {
  const opened = await openAdminApp(inMode("ticket"));
  const code = await opened.makeTicket("register", "Carol");
  assertEquals(await register(opened, "bob", code), "403 ticket-invalid");
  assertEquals(await register(opened, "carol2", code), "403 ticket-invalid");
  assertEquals(await register(opened, "CAROL", code), "201");
  assertEquals(await register(opened, "carol", code), "403 ticket-invalid");
});

for (
  const [hours, settings] of [[24, {}], [1, { GATEHOUSE_TICKET_HOURS: "1" }], [100, {
    GATEHOUSE_TICKET_HOURS: "100",
  }]] as const
) {
  Deno.test(`a ticket is good for ${hours} hours, and not a moment longer`, async () => {
    const opened = await openAdminApp({ settings });
    const codes = [await opened.makeTicket("register"), await opened.makeTicket("register")];
    opened.clock.now += hours * hourMs;
    assertEquals(await register(opened, "a1", codes[0]), "403 ticket-invalid");
    opened.clock.now -= 1;
    assertEquals(await register(opened, "a1", codes[1]), "201");
  });
}

Deno.test("a ticket for a reset registers nobody", async () => {
  const opened = await openAdminApp();
  await opened.addUser("alice");
  const code = await opened.makeTicket("reset", "alice");
  assertEquals(await register(opened, "bob", code), "403 ticket-invalid");
  assertEquals(await deleteByLogin(opened.app.store, "alice"), "done");
  assertEquals(await register(opened, "alice", code), "403 ticket-invalid");
});
