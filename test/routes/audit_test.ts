/** Who did what to whom: the lines of the log that say so, and what they never say. */
import { assert, assertEquals } from "@std/assert";
import type { Session, User } from "../../lib/store.ts";
import { TableStore } from "../../lib/store/memory/table_store.ts";
import {
  type AdminApp,
  auditOf,
  insertSetupTicket,
  newPassword,
  openAdminApp,
  outcomeOf,
  sessionIdOf,
} from "../support/accounts.ts";
import { alice, openTestApp, type SendOptions } from "../support/app.ts";

const clientAddress = "192.0.2.7";

/** What a request is to be told of, beside its client and id. */
type Told = Readonly<Record<string, unknown>>;

/** Sends a request, and checks what the log tells of it. */
async function assertTold(
  { send, lines }: Pick<AdminApp, "send" | "lines">,
  [method, path, options]: [method: string, path: string, options: SendOptions],
  [outcome, ...told]: [outcome: string, ...told: Told[]],
): Promise<void> {
  const before = lines.length;
  const reply = await send(method, path, { client: clientAddress, ...options });
  assertEquals(outcomeOf(reply), outcome);
  const requestId = reply.headers.get("x-request-id");
  assertEquals(auditOf(lines.slice(before)), told.map((fields) => ({ ...fields, clientAddress, requestId })));
}

/** An app with an admin, and with `alice`, who is logged in. */
async function openWithAlice(): Promise<AdminApp & { token: string }> {
  const opened = await openAdminApp();
  return { ...opened, token: await opened.addUser("alice") };
}

const byAlice = { by: "alice", user: "alice" };
const byRoot = { by: "root", user: "alice" };

Deno.test("a registration is told, and the ticket that made it", async () => {
  const opened = await openTestApp();
  const ticket = await insertSetupTicket(opened);
  const registered = { event: "user-registered", user: "alice" };
  await assertTold(opened, ["POST", "/user/", { json: { ...alice, login: "ALICE", ticket } }], [
    "201",
    { event: "ticket-used", user: "alice", purpose: "setup" },
    registered,
  ]);
  await assertTold(opened, ["POST", "/user/", { json: alice }], ["409 login-taken"]);
  const bob = { ...alice, login: "bob" };
  await assertTold(opened, ["POST", "/user/", { json: bob }], ["201", { ...registered, user: "bob" }]);
  const carol = { ...alice, login: "carol", ticket };
  await assertTold(opened, ["POST", "/user/", { json: carol }], ["403 ticket-invalid"]);
});

Deno.test("a login and a logout are told", async () => {
  const opened = await openWithAlice();
  const logIn = { event: "login", ...byAlice, factors: ["password"] };
  await assertTold(opened, ["POST", "/session/", { json: { ...alice, login: "Alice" } }], ["201", logIn]);
  await assertTold(opened, ["POST", "/session/", { json: { ...alice, cookie: true } }], ["201", logIn]);
  const { token } = opened;
  await assertTold(opened, ["DELETE", "/session/", { token }], ["204", { event: "logout", ...byAlice }]);
  await assertTold(opened, ["DELETE", "/session/", { token }], ["401 not-authenticated"]);
});

Deno.test("a failed login is told, with the login of a user and without that of nobody", async () => {
  const opened = await openWithAlice();
  const failed = { event: "login-failed" };
  const refusal = "401 wrong-credentials";
  const wrong = { ...alice, login: "ALICE", password: "wrong" };
  await assertTold(opened, ["POST", "/session/", { json: wrong }], [refusal, { ...failed, user: "alice" }]);
  await assertTold(opened, ["POST", "/session/", { json: { ...wrong, login: "nobody" } }], [refusal, failed]);
  const json = { disabled: true };
  await opened.send("PATCH", "/user/alice", { token: opened.admin, json });
  await assertTold(opened, ["POST", "/session/", { json: alice }], [refusal, { ...failed, user: "alice" }]);
});

Deno.test("a login that comes too late is told as failed", async () => {
  class DisablingStore extends TableStore {
    override async insertSession(session: Session, user: User): Promise<boolean> {
      if (user.login === "alice") await this.replaceUser(user, { ...user, disabled: true });
      return await super.insertSession(session, user);
    }
  }
  const opened = await openTestApp({ store: new DisablingStore() });
  assertEquals((await opened.send("POST", "/user/", { json: alice })).status, 201);
  const failed = { event: "login-failed", user: "alice" };
  await assertTold(opened, ["POST", "/session/", { json: alice }], ["401 wrong-credentials", failed]);
});

Deno.test("a change of password is told, and by whom", async () => {
  const opened = await openWithAlice();
  const { token } = opened;
  const path = "/user/alice/password";
  const right = { current_password: alice.password, password: newPassword };
  const wrong = { ...right, current_password: "wrong" };
  const failed = { event: "login-failed", user: "alice" };
  await assertTold(opened, ["PUT", path, { token, json: wrong }], ["403 wrong-current-password", failed]);
  await assertTold(opened, ["PUT", path, { token, json: right }], ["204", { event: "password-changed", ...byAlice }]);
  const json = { ticket: await opened.makeTicket("reset", "alice"), password: alice.password };
  await assertTold(opened, ["PUT", path, { json }], [
    "204",
    { event: "ticket-used", user: "alice", purpose: "reset" },
    { event: "password-changed", user: "alice" },
  ]);
});

Deno.test("a ticket is told when it is made, with whom it resets, and when it is withdrawn", async () => {
  const opened = await openWithAlice();
  const { admin, token, send, lines } = opened;
  const makes: [json: unknown, told: Told][] = [
    [{ purpose: "register" }, { purpose: "register" }],
    // Nobody of that login is registered.
    [{ purpose: "register", login: "carol" }, { purpose: "register" }],
    [{ purpose: "register", login: "alice" }, { purpose: "register" }],
    [{ purpose: "reset", login: "ALICE" }, { purpose: "reset", user: "alice" }],
  ];
  for (const [json, told] of makes) {
    const before = lines.length;
    const { json: { id: ticket }, headers } = await send("POST", "/ticket/", {
      token: admin,
      json,
      client: clientAddress,
    });
    const requestId = headers.get("x-request-id");
    assertEquals(auditOf(lines.slice(before)), [
      { event: "ticket-made", by: "root", ticket, ...told, clientAddress, requestId },
    ]);
    const deleted = { event: "ticket-deleted", by: "root", ticket };
    await assertTold(opened, ["DELETE", `/ticket/${ticket}`, { token }], ["403 forbidden"]);
    await assertTold(opened, ["DELETE", `/ticket/${ticket}`, { token: admin }], ["204", deleted]);
    await assertTold(opened, ["DELETE", `/ticket/${ticket}`, { token: admin }], ["404 not-found"]);
  }
  await assertTold(opened, ["POST", "/ticket/", { token, json: { purpose: "register" } }], ["403 forbidden"]);
});

Deno.test("a change of groups, a disabling and an enabling are told, with what was set", async () => {
  const opened = await openWithAlice();
  const { admin, token } = opened;
  for (const json of [{ groups: ["staff", "night"] }, { disabled: true }, { groups: [], disabled: false }]) {
    const told = { event: "user-changed", ...byRoot, ...json };
    await assertTold(opened, ["PATCH", "/user/ALICE", { token: admin, json }], ["200", told]);
  }
  const json = { disabled: true };
  await assertTold(opened, ["PATCH", "/user/root", { token: admin, json }], ["409 last-admin"]);
  await assertTold(opened, ["PATCH", "/user/nobody", { token: admin, json }], ["404 not-found"]);
  await assertTold(opened, ["PATCH", "/user/root", { token, json }], ["401 not-authenticated"]);
});

Deno.test("the end of sessions is told, with how many", async () => {
  const opened = await openWithAlice();
  const { admin, token } = opened;
  const path = "/user/alice/session/";
  const id = sessionIdOf(await opened.logIn());
  const told = { event: "sessions-ended" };
  await assertTold(opened, ["DELETE", path + id, { token }], ["204", { ...told, ...byAlice, count: 1 }]);
  await assertTold(opened, ["DELETE", path + id, { token }], ["404 not-found"]);
  await opened.logIn();
  await assertTold(opened, ["DELETE", path, { token: admin }], ["204", { ...told, ...byRoot, count: 2 }]);
});

Deno.test("a deletion is told", async () => {
  const opened = await openWithAlice();
  const { admin } = opened;
  const bob = await opened.addUser("bob");
  const told = { event: "user-deleted" };
  await assertTold(opened, ["DELETE", "/user/bob", { token: bob }], ["204", { ...told, by: "bob", user: "bob" }]);
  await assertTold(opened, ["DELETE", "/user/alice", { token: admin }], ["204", { ...told, ...byRoot }]);
  await assertTold(opened, ["DELETE", "/user/root", { token: admin }], ["409 last-admin"]);
});

Deno.test("reading is not told", async () => {
  const opened = await openWithAlice();
  for (const path of ["/user/", "/user/alice", "/user/alice/session/", "/session/", "/health/live"]) {
    await assertTold(opened, ["GET", path, { token: opened.admin }], ["200"]);
  }
});

Deno.test("every line of the audit says that it is one, and is no warning", async () => {
  const { lines } = await openWithAlice();
  const records = lines.map((line) => JSON.parse(line)).filter(({ event }) => event !== "request");
  assert(records.length >= 4);
  for (const { audit, level } of records) assertEquals([audit, level], [true, "info"]);
});

Deno.test("a password that is typed where a login belongs is in no line of the log", async () => {
  for (const settings of [{}, { GATEHOUSE_LOGIN_ERRORS: "exact" }, { GATEHOUSE_REGISTRATION: "ticket" }]) {
    const opened = await openAdminApp({ settings });
    const { send, admin, lines } = opened;
    const token = await opened.addUser("alice");
    const secret = "my-secret.pass+word@2026";
    const credentials = { login: secret, password: secret };
    const change = { current_password: secret, password: newPassword };
    const path = `/user/${encodeURIComponent(secret)}`;
    const requests: [method: string, path: string, json?: unknown][] = [
      ["POST", "/session/", credentials],
      ["POST", "/session/", { ...credentials, cookie: true }],
      ["POST", "/user/", { login: secret, password: "short" }],
      ["POST", "/user/", { ...alice, login: secret, ticket: secret }],
      ["PUT", `${path}/password`, change],
      ["PUT", `${path}/password`, { ticket: secret, password: newPassword }],
      ["PUT", "/user/alice/password", change],
      ["PATCH", path, { groups: ["staff"] }],
      ["GET", path],
      ["GET", `/user/?prefix=${encodeURIComponent(secret)}`],
      ["GET", `${path}/session/`],
      ["DELETE", `${path}/session/`],
      ["DELETE", `${path}/session/${encodeURIComponent(secret)}`],
      ["DELETE", path],
      ["POST", "/ticket/", { purpose: "reset", login: secret }],
      ["DELETE", `/ticket/${encodeURIComponent(secret)}`],
    ];
    for (const [method, target, json] of requests) {
      for (const presented of [undefined, token, admin]) {
        const options = { ...json !== undefined && { json }, ...presented !== undefined && { token: presented } };
        const { status } = await send(method, target, options);
        assert(status >= 400 || target.startsWith("/user/?"), `${method} ${target} ${status}`);
      }
    }
    // It is not known to be wrong: somebody may be invited by it.
    const json = { purpose: "register", login: secret };
    assertEquals((await send("POST", "/ticket/", { token: admin, json })).status, 201);
    for (const line of lines) {
      for (const text of [secret, encodeURIComponent(secret)]) assert(!line.includes(text), line);
    }
  }
});
