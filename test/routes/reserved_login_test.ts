/** Logins that apps trust: who may register them, and what is told of them. */
import { assertEquals } from "@std/assert";
import { countOutcomes, insertSetupTicket, openAdminApp, outcomeOf } from "../support/accounts.ts";
import { alice, openTestApp } from "../support/app.ts";

Deno.test("register() refuses logins that apps trust, in any case, taken or not", async () => {
  const opened = await openAdminApp();
  const replies = [];
  // The second is taken.
  for (const login of ["admin", "root", "ADMIN", "RooT", "No-Reply", "www", "gatehouse"]) {
    replies.push(await opened.send("POST", "/user/", { json: { ...alice, login } }));
  }
  assertEquals(countOutcomes(replies), { "403 login-reserved": 7 });
  assertEquals(new Set(replies.map(({ text }) => text)).size, 1);
  for (const login of ["admins", "roota", "my-root", "admin@corp.example"]) {
    assertEquals(outcomeOf(await opened.send("POST", "/user/", { json: { ...alice, login } })), "201");
  }
  // Who has one goes on.
  await opened.logIn({ ...alice, login: "root" });
});

Deno.test("register() takes a reserved login with a ticket of an administrator, or of the first start", async () => {
  const first = await openTestApp();
  const setup = { ...alice, login: "admin", ticket: await insertSetupTicket(first) };
  assertEquals(outcomeOf(await first.send("POST", "/user/", { json: setup })), "201");

  const opened = await openAdminApp();
  const ticket = await opened.makeTicket("register");
  for (const bad of ["none", await opened.makeTicket("register", "bob"), await opened.makeTicket("reset", "root")]) {
    const json = { ...alice, login: "support", ticket: bad };
    assertEquals(outcomeOf(await opened.send("POST", "/user/", { json })), "403 ticket-invalid");
  }
  const json = { ...alice, login: "Support", ticket };
  assertEquals(outcomeOf(await opened.send("POST", "/user/", { json })), "201");
});

const rows: readonly (readonly [setting: string, login: string, outcome: string])[] = [
  ["*@corp.example,ceo", "ceo@corp.example", "403 login-reserved"],
  ["*@corp.example,ceo", "CEO@Corp.Example", "403 login-reserved"],
  ["*@corp.example,ceo", "a@b@corp.example", "403 login-reserved"],
  ["*@corp.example,ceo", "ceo", "403 login-reserved"],
  ["*@corp.example,ceo", "corp.example", "201"],
  ["*@corp.example,ceo", "ceo@corp.example.org", "201"],
  ["*@corp.example,ceo", "ceo@mycorp.example", "201"],
  ["*@corp.example,ceo", "ceo@sub.corp.example", "201"],
  ["*@corp.example,ceo", "admin", "201"],
  ["none", "admin", "201"],
  ["none", "none", "201"],
];
for (const [setting, login, outcome] of rows) {
  Deno.test(`register() answers ${outcome} for ${login} where ${setting} is reserved`, async () => {
    const { send } = await openTestApp({ settings: { GATEHOUSE_RESERVED_LOGINS: setting } });
    assertEquals(outcomeOf(await send("POST", "/user/", { json: { ...alice, login } })), outcome);
  });
}

Deno.test("register() tells of a closed registration and of a missing ticket first", async () => {
  for (const [mode, outcome] of [["closed", "403 registration-closed"], ["ticket", "403 ticket-invalid"]] as const) {
    const { send } = await openTestApp({ settings: { GATEHOUSE_REGISTRATION: mode } });
    assertEquals(outcomeOf(await send("POST", "/user/", { json: { ...alice, login: "admin" } })), outcome);
  }
});
