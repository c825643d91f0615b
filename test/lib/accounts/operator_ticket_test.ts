/** What an operator does on the machine, and that its tickets work through HTTP. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { serveOperator } from "../../../lib/accounts/operator_ticket.ts";
import { TableStore } from "../../../lib/store/memory/table_store.ts";
import { newPassword, openAdminApp, openWithAlice, outcomeOf } from "../../support/accounts.ts";
import { alice, type TestApp } from "../../support/app.ts";
import { addTotp, makeAppPassword } from "../../support/factors/credentials.ts";
import { basicOf, told } from "../../support/guard_basic.ts";
import { userOf } from "../../support/store/records.ts";

function operate({ app }: TestApp, action: string, login = "") {
  return serveOperator({ action, login }, { store: app.store, config: app.config, now: app.now() });
}

/** The code in a text for the operator. */
function codeIn(text: string): string {
  return /: ([\w-]{43})$/m.exec(text)?.[1] ?? "";
}

Deno.test("reset is the way back for the last administrator, whatever administrators do meanwhile", async () => {
  const opened = await openAdminApp();
  const { text, audit } = await operate(opened, "reset", "Root");
  const code = codeIn(text);
  assertEquals(
    text,
    `Ticket to set a new password for "root": ${code}\nIt is valid once, until 2026-11-24T09:35:39.123Z. ` +
      `On this machine: http://127.0.0.1:8000/#reset=${code}&login=root (behind a proxy, the same at its address)`,
  );
  const { ticket, ...fields } = audit?.fields ?? {};
  assertEquals([audit?.event, fields], ["ticket-made", { purpose: "reset", user: "root" }]);
  assertMatch(String(ticket), /^[0-9A-Z]{26}$/);

  // Ends the sessions of its maker, and so their tickets.
  assertEquals(outcomeOf(await opened.send("DELETE", "/user/root/session/", { token: opened.admin })), "204");
  const json = { ticket: code, password: newPassword };
  assertEquals(outcomeOf(await opened.send("PUT", "/user/root/password", { json })), "204");
  assertEquals(outcomeOf(await opened.send("PUT", "/user/root/password", { json })), "403 ticket-invalid");
  await opened.logIn({ login: "root", password: newPassword });
});

for (const registration of ["open", "ticket", "closed"]) {
  const settings = { GATEHOUSE_REGISTRATION: registration };

  Deno.test(`admin registers an administrator where registration is ${registration}`, async () => {
    const opened = await openAdminApp({ settings });
    const { text, audit } = await operate(opened, "admin", "grace");
    assertStringIncludes(text, 'Ticket to register "grace" as an administrator: ');
    // The login may be a password that was typed into the wrong field.
    assertEquals([audit?.event, Object.keys(audit?.fields ?? {})], ["ticket-made", ["ticket", "purpose"]]);
    // A start without an administrator, or a ticket for another login, does not replace it.
    await operate(opened, "admin", "heidi");
    const registering = (login: string) =>
      opened.send("POST", "/user/", { json: { ...alice, login, ticket: codeIn(text) } });
    assertEquals(outcomeOf(await registering("mallory")), "403 ticket-invalid");
    const reply = await registering("grace");
    assertEquals([outcomeOf(reply), reply.json.groups], ["201", ["admin"]]);
    assertEquals(outcomeOf(await registering("grace")), "403 ticket-invalid");
  });

  Deno.test(`invite registers a user unless registration is closed: it is ${registration}`, async () => {
    const opened = await openAdminApp({ settings });
    for (const login of ["", "bob"]) {
      const { text, audit } = await operate(opened, "invite", login);
      if (registration === "closed") {
        assertEquals([text, audit], ["Registration is closed: see GATEHOUSE_REGISTRATION", undefined]);
        continue;
      }
      assertStringIncludes(text, login === "" ? "Ticket to register: " : 'Ticket to register "bob": ');
      const json = { ...alice, login: login || "anyone", ticket: codeIn(text) };
      const reply = await opened.send("POST", "/user/", { json });
      assertEquals([outcomeOf(reply), reply.json.groups], ["201", []]);
    }
  });
}

Deno.test("recover deletes the credentials of a user, and no other's", async () => {
  const opened = await openWithAlice();
  const { password } = await makeAppPassword(opened, "root", { token: opened.admin });
  for (const login of ["root", "alice"]) await addTotp(opened, login);
  const { text, audit } = await operate(opened, "recover", "Root");
  assertMatch(text, /^Deleted all passkeys, TOTP, recovery codes and app passwords of "root", /);
  assertEquals(audit, { event: "credential-deleted", fields: { user: "root", count: 2 } });
  const countOf = async (login: string) => (await opened.app.store.listCredentials(login)).length;
  assertEquals([await countOf("root"), await countOf("alice")], [0, 1]);
  assertEquals(await told(opened, basicOf("root", password)), "401 wrong-credentials, 1 hash");
  assertEquals(await told(opened, basicOf("root")), "200 root, 1 hash");
  for (const login of ["root", "nobody"]) {
    const again = await operate(opened, "recover", login);
    assertEquals(again, { text: `There is no user "${login}" with a second factor` });
  }
});

Deno.test("admin makes a user an administrator, also when the user changes meanwhile", async () => {
  const opened = await openWithAlice();
  const { store } = opened.app;
  const { findUser } = store;
  let isFirst = true;
  store.findUser = async (login) => {
    const user = await findUser.call(store, login);
    // After the user was read: the change is stale.
    if (isFirst && user !== undefined) await store.replaceUser(user, { ...user, groups: ["staff"] });
    isFirst = false;
    return user;
  };
  const groups = ["staff", "admin"];
  assertEquals(await operate(opened, "admin", "alice"), {
    text: 'The user "alice" is an administrator now',
    audit: { event: "user-changed", fields: { user: "alice", groups } },
  });
  const reply = await opened.send("GET", "/user/alice", { token: opened.token });
  assertEquals(reply.json.groups, groups);
});

Deno.test("the operator learns in one line why nothing was done", async () => {
  const opened = await openWithAlice();
  const { store } = opened.app;
  const groups = Array.from({ length: 32 }, (_, index) => `group-${index}`);
  await store.insertUser(userOf("busy", { groups }));
  await store.insertUser(userOf("off", { disabled: true }));
  const rows: readonly [action: string, login: string, text: string][] = [
    ["reset", "nobody", 'There is no user "nobody"'],
    ["reset", "", 'Cannot use the login "": Must have at least 1 character.'],
    ["reset", "off", 'The user "off" is disabled: an administrator must enable it first'],
    ["admin", "off", 'The user "off" is disabled: an administrator must enable it first'],
    ["admin", "", 'Cannot use the login "": Must have at least 1 character.'],
    ["admin", "root", 'The user "root" is an administrator already'],
    ["admin", "busy", 'The user "busy" is in too many groups to be in "admin" too'],
    [
      "admin",
      "b:ob",
      'Cannot use the login "b:ob": Must consist of a-z 0-9 . _ - @ + and start with a letter or digit.',
    ],
    ["invite", "alice", 'There is a user "alice" already'],
    ["unlock", "alice", 'Cannot do "unlock": use reset, invite, admin or recover'],
  ];
  const before = await recordsIn(store);
  for (const [action, login, text] of rows) {
    assertEquals(await operate(opened, action, login), { text }, action + login);
  }
  assertEquals(await recordsIn(store), before);
});

Deno.test("the operator learns that the user was deleted meanwhile", async () => {
  const opened = await openWithAlice();
  const { store } = opened.app;
  const user = await store.findUser("alice");
  assert(user !== undefined);
  await store.deleteUser(user);
  store.findUser = () => Promise.resolve(user);
  assertEquals(await operate(opened, "reset", "alice"), { text: 'There is no user "alice"' });
  let finds = 0;
  store.findUser = () => Promise.resolve(++finds < 3 ? user : undefined);
  assertEquals(await operate(opened, "admin", "alice"), { text: 'There is no user "alice"' });
});

Deno.test("a ticket of the operator for a service on a unix socket has a link without an origin", async () => {
  const opened = await openWithAlice({ settings: { GATEHOUSE_LISTEN: "unix:/run/gatehouse.sock" } });
  const { text } = await operate(opened, "reset", "alice");
  assertStringIncludes(
    text,
    `. The link is the address of the page with #reset=${codeIn(text)}&login=alice at its end`,
  );
});

async function recordsIn(store: TestApp["app"]["store"]) {
  assert(store instanceof TableStore);
  return (await Array.fromAsync(store.records())).flat();
}
