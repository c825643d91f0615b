/** Tickets as administrators make, list and delete them. */
import { assert, assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import { createHash } from "node:crypto";
import { createTicket } from "../../lib/accounts/ticket.ts";
import { recentLoginMs } from "../../routes/auth/authorization.ts";
import { type AdminApp, insertSetupTicket, keptUser, openAdminApp, outcomeOf } from "../support/accounts.ts";
import { alice, openedAt, type Reply } from "../support/app.ts";
import { hourMs, inMode, register } from "../support/tickets.ts";

async function make({ send, admin }: AdminApp, json: unknown): Promise<Reply> {
  return await send("POST", "/ticket/", { token: admin, json });
}

Deno.test("makeTicket() answers 201 with a code, its purpose and its end, and `no-store`", async () => {
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
    assertEquals(rest, { purpose: json?.purpose, ...login, expires_at: "2026-11-24T09:35:39.123Z" });
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

Deno.test("makeTicket() requires a recent login", async () => {
  const opened = await openAdminApp();
  await opened.addUser("alice");
  const bodies = [{ purpose: "reset", login: "root" }, { purpose: "reset", login: "alice" }, { purpose: "register" }];
  for (const [waitMs, outcome] of [[recentLoginMs - 1, "201"], [1, "403 login-again"]] as const) {
    opened.clock.now += waitMs;
    for (const json of bodies) assertEquals(outcomeOf(await make(opened, json)), outcome);
  }
  const token = await opened.logIn({ ...alice, login: "root" });
  for (const json of bodies) assertEquals((await opened.send("POST", "/ticket/", { token, json })).status, 201);
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
    { purpose: "register", login: "dora", made_by: null, created_at: null, expires_at: "2026-11-23T10:35:39.123Z" },
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
