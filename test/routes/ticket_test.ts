/** Tickets: made by administrators, used once; and the first administrator's. */
import { assert, assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import { createHash } from "node:crypto";
import type { Ticket, TicketOptions } from "../../lib/store.ts";
import { TableStore } from "../../lib/store/memory/table_store.ts";
import { createTicket } from "../../lib/accounts/ticket.ts";
import { freshLoginMs } from "../../routes/auth/authorization.ts";
import {
  type AdminApp,
  countOutcomes,
  insertSetupTicket,
  keptUser,
  newPassword,
  openAdminApp,
  outcomeOf,
} from "../support/accounts.ts";
import { alice, openedAt, openTestApp, type Reply, type TestApp } from "../support/app.ts";
import { deleteByLogin } from "../support/store/records.ts";

const hourMs = 60 * 60 * 1_000;
const modes = ["open", "ticket", "closed"] as const;

function inMode(mode: typeof modes[number]) {
  return { settings: { GATEHOUSE_REGISTRATION: mode } };
}

async function make({ send, admin }: AdminApp, json: unknown): Promise<Reply> {
  return await send("POST", "/ticket/", { token: admin, json });
}

async function register({ send }: TestApp, login: string, ticket?: string): Promise<string> {
  return outcomeOf(await send("POST", "/user/", { json: { ...alice, login, ticket } }));
}

Deno.test("makeTicket() answers 201 with a code, its purpose and its end, in a reply that nobody may keep", async () => {
  const opened = await openAdminApp();
  await opened.addUser("alice");
  for (
    const [json, login] of [[{ purpose: "register" }, {}], [{ purpose: "reset", login: "alice" }, { login: "alice" }]]
  ) {
    const reply = await make(opened, json);
    const { id, ticket, ...rest } = reply.json;
    assertEquals(reply.status, 201);
    assertMatch(String(id), /^[0-9A-HJKMNP-TV-Z]{26}$/);
    assertMatch(String(ticket), /^[\w-]{43}$/);
    assertEquals(rest, { purpose: json?.purpose, ...login, expires_at: "2026-11-23T09:35:39.123Z" });
    assertEquals(reply.headers.get("cache-control"), "no-store");
  }
});

Deno.test("makeTicket() keeps the SHA-256 of the code, and no other trace of it", async () => {
  const opened = await openAdminApp();
  const { id, ticket } = (await make(opened, { purpose: "register", login: "Carol" })).json;
  const code = String(ticket);
  const secretHash = createHash("sha256").update(code).digest("hex");
  const expiresAt = opened.clock.now + 24 * hourMs;
  assertEquals(await opened.app.store.findTicket(secretHash), {
    id: String(id),
    secretHash,
    purpose: "register",
    login: "carol",
    maker: (await keptUser(opened, "root")).id,
    createdAt: opened.clock.now,
    expiresAt,
  });
  assertEquals(await opened.app.store.findTicket(code), undefined);
  assertNotEquals(await opened.makeTicket("register"), code);
});

const badRequests: [what: string, json: unknown, outcome: string][] = [
  ["nothing", {}, "422 invalid-ticket /purpose unknown-purpose"],
  ["the purpose of the first admin", { purpose: "setup" }, "422 invalid-ticket /purpose unknown-purpose"],
  ["an inherited name", { purpose: "constructor" }, "422 invalid-ticket /purpose unknown-purpose"],
  ["a list of purposes", { purpose: ["reset"], login: "alice" }, "422 invalid-ticket /purpose unknown-purpose"],
  ["a reset of nobody", { purpose: "reset" }, "422 invalid-ticket /login missing"],
  ["a login that is no text", { purpose: "register", login: 1 }, "422 invalid-ticket /login not-text"],
  ["a login of null", { purpose: "register", login: null }, "422 invalid-ticket /login not-text"],
  ["an empty login", { purpose: "register", login: "" }, "422 invalid-ticket /login too-short"],
  [
    "a login that nobody can have",
    { purpose: "register", login: "a b" },
    "422 invalid-ticket /login invalid-characters",
  ],
  [
    "a reset of a login that nobody can have",
    { purpose: "reset", login: ":" },
    "422 invalid-ticket /login invalid-characters",
  ],
  ["unknown fields", { purpose: "register", expires_at: "never" }, "422 invalid-ticket /expires_at unknown-field"],
  ["a list", [], "422 invalid-ticket  not-object"],
  ["a reset of an unknown login", { purpose: "reset", login: "nobody" }, "404 not-found"],
];

for (const [what, json, outcome] of badRequests) {
  Deno.test(`makeTicket() refuses: ${what}`, async () => {
    const opened = await openAdminApp();
    const reply = await make(opened, json);
    assertEquals(outcomeOf(reply), outcome);
    assert(!reply.text.includes('"ticket":'));
  });
}

Deno.test("makeTicket() makes no invitation while registration is closed, and a reset all the same", async () => {
  const opened = await openAdminApp(inMode("closed"));
  for (const json of [{ purpose: "register" }, { purpose: "register", login: "carol" }]) {
    assertEquals(outcomeOf(await make(opened, json)), "403 registration-closed");
  }
  assertEquals(outcomeOf(await make(opened, { purpose: "reset", login: "root" })), "201");
  assertEquals(opened.lines.filter((line) => line.includes('"event":"ticket-made"')).length, 1);
});

Deno.test("makeTicket() wants a fresh login for a reset of an administrator, and for no other ticket", async () => {
  const opened = await openAdminApp();
  await opened.addUser("alice");
  await opened.addUser("bob");
  const patch = async (login: string, json: unknown) => {
    assertEquals((await opened.send("PATCH", `/user/${login}`, { token: opened.admin, json })).status, 200);
  };
  await patch("bob", { groups: ["admin"], disabled: true });
  opened.clock.now += freshLoginMs - 1;
  for (const login of ["root", "bob", "alice"]) {
    assertEquals(outcomeOf(await make(opened, { purpose: "reset", login })), "201");
  }
  opened.clock.now++;
  assertEquals(outcomeOf(await make(opened, { purpose: "reset", login: "root" })), "403 login-again");
  // Disabled is not demoted: enabled again, bob would be an administrator.
  assertEquals(outcomeOf(await make(opened, { purpose: "reset", login: "BOB" })), "403 login-again");
  assertEquals(outcomeOf(await make(opened, { purpose: "reset", login: "alice" })), "201");
  assertEquals(outcomeOf(await make(opened, { purpose: "register" })), "201");
  const token = await opened.logIn({ ...alice, login: "root" });
  assertEquals(
    (await opened.send("POST", "/ticket/", { token, json: { purpose: "reset", login: "bob" } })).status,
    201,
  );
});

Deno.test("makeTicket() makes no reset with an old login of whom becomes an administrator meanwhile", async () => {
  const store = new PromotingStore();
  const opened = await openAdminApp({ store });
  await opened.addUser("alice");
  opened.clock.now += freshLoginMs;
  store.isPromoting = true;
  assertEquals(outcomeOf(await make(opened, { purpose: "reset", login: "alice" })), "403 login-again");
});

/** A store in which alice becomes an administrator between the look at her and the insertion of a ticket. */
class PromotingStore extends TableStore {
  isPromoting = false;

  override async insertTicket(ticket: Ticket, options?: TicketOptions) {
    const user = await this.findUser("alice");
    if (this.isPromoting && user !== undefined) await this.replaceUser(user, { ...user, groups: ["admin"] });
    this.isPromoting = false;
    return await super.insertTicket(ticket, options);
  }
}

Deno.test("a ticket of an administrator is void with the rights, the account, all sessions or the password", async () => {
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

Deno.test("listTickets() shows the tickets that are good by pages, with who made them, and never a code", async () => {
  const opened = await openAdminApp();
  const { send, admin, clock } = opened;
  await opened.addUser("alice");
  const old = createTicket("register", { login: "dora", maker: "", now: clock.now, ttlMs: hourMs });
  await opened.app.store.insertTicket({ ...old.ticket, createdAt: 0 });
  await insertSetupTicket(opened);
  const codes: string[] = [old.code];
  const wanted = [{ purpose: "register" }, { purpose: "register", login: "carol" }, {
    purpose: "reset",
    login: "alice",
  }];
  for (const json of wanted) {
    clock.now += 1_000;
    codes.push(String((await make(opened, json)).json.ticket));
  }
  const created = (second: number) => new Date(openedAt + second * 1_000).toISOString();
  const expires = (second: number) => new Date(openedAt + second * 1_000 + 24 * hourMs).toISOString();
  const expected = [
    { purpose: "register", login: "dora", made_by: null, created_at: null, expires_at: "2026-11-22T10:35:39.123Z" },
    ...wanted.map((one, index) => ({
      ...one,
      made_by: "root",
      created_at: created(index + 1),
      expires_at: expires(index + 1),
    })),
  ];
  const get = (query = "") => send("GET", `/ticket/${query}`, { token: admin });
  const all = await get();
  const shown = all.json.tickets as Record<string, unknown>[];
  assertEquals(shown.map(({ id: _, ...rest }) => rest), expected);
  assertEquals([all.json.total, all.json.next, all.headers.get("link")], [4, null, null]);
  assertEquals(all.headers.get("cache-control"), "no-store");
  for (const code of codes) {
    assert(!all.text.includes(code));
    assert(!all.text.includes(createHash("sha256").update(code).digest("hex")));
  }
  const first = await get("?limit=3");
  assertEquals([first.json.tickets, first.json.total, first.json.next], [shown.slice(0, 3), 4, shown[2]?.id]);
  assertEquals(first.headers.get("link"), `<?limit=3&after=${shown[2]?.id}>; rel="next"`);
  const second = await get(`?limit=3&after=${shown[2]?.id}`);
  assertEquals([second.json.tickets, second.json.total, second.json.next], [shown.slice(3), 4, null]);

  assertEquals(outcomeOf(await send("DELETE", `/ticket/${shown[1]?.id}`, { token: admin })), "204");
  assertEquals(await register(opened, "bob", codes[1]), "403 ticket-invalid");
  assertEquals((await get()).json.total, 3);
  clock.now = openedAt + hourMs;
  assertEquals((await get()).json.total, 2);
});

Deno.test("listTickets() refuses what is no page", async () => {
  const { send, admin: token } = await openAdminApp();
  const rows = [["?limit=0", "/limit out-of-range"], ["?limit=1001", "/limit out-of-range"], [
    "?after=none",
    "/after invalid-cursor",
  ]];
  for (const [query, error] of rows) {
    assertEquals(outcomeOf(await send("GET", `/ticket/${query}`, { token })), `422 invalid-query ${error}`);
  }
  assertEquals((await send("GET", "/ticket/?limit=1000", { token })).status, 200);
});

Deno.test("deleteTicket() withdraws no setup, and nothing by a code", async () => {
  const opened = await openAdminApp();
  const { send, admin: token } = opened;
  const code = await insertSetupTicket(opened);
  const ticket = await opened.app.store.findTicket(createHash("sha256").update(code).digest("hex"));
  const other = await opened.makeTicket("register");
  for (const id of [ticket?.id, code, other, createHash("sha256").update(other).digest("hex"), "none", "%00"]) {
    assertEquals(outcomeOf(await send("DELETE", `/ticket/${id}`, { token })), "404 not-found");
  }
  assertEquals(await register(opened, "bob", other), "201");
  assertEquals(await register(opened, "carol", code), "201");
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
    const { users } = await opened.app.store.listUsers({ limit: 100 });
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

Deno.test("the setup ticket of a later start takes the place of the earlier, and makes no ticket of another purpose void", async () => {
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
