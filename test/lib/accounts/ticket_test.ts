import { assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import { decodeTime } from "@std/ulid";
import { createHash } from "node:crypto";
import type { Ticket } from "../../../lib/store.ts";
import { TableStore } from "../../../lib/store/memory/table_store.ts";
import { createTicket, findGoodTicket, setupNotice } from "../../../lib/accounts/ticket.ts";

const now = Date.parse("2026-11-22T09:35:39.123Z");
const ttlMs = 1_000;
const expiresAt = now + ttlMs;

Deno.test("createTicket() makes a code of 32 random bytes, and a ticket that has only its SHA-256", () => {
  const { ticket, code } = createTicket("register", { login: "alice", maker: "root's id", now, ttlMs });
  assertMatch(code, /^[A-Za-z0-9_-]{43}$/);
  assertEquals(Uint8Array.fromBase64(code, { alphabet: "base64url" }).length, 32);
  const secretHash = createHash("sha256").update(code).digest("hex");
  const { id, ...rest } = ticket;
  assertMatch(id, /^[0-9A-HJKMNP-TV-Z]{26}$/);
  assertEquals(decodeTime(id), now);
  const expected = { secretHash, purpose: "register", login: "alice", maker: "root's id", createdAt: now, expiresAt };
  assertEquals(rest, expected);
});

Deno.test("createTicket() never repeats a code", () => {
  const codes = Array.from({ length: 1_000 }, () => createTicket("setup", { login: "", maker: "", now, ttlMs }).code);
  assertEquals(new Set(codes).size, 1_000);
});

const addresses: readonly (readonly [Deno.Addr, origin: string | undefined])[] = [
  [{ transport: "tcp", hostname: "127.0.0.1", port: 8000 }, "http://127.0.0.1:8000"],
  [{ transport: "tcp", hostname: "::1", port: 8000 }, "http://[::1]:8000"],
  [{ transport: "tcp", hostname: "192.0.2.7", port: 80 }, "http://192.0.2.7:80"],
  [{ transport: "tcp", hostname: "0.0.0.0", port: 9000 }, "http://localhost:9000"],
  [{ transport: "tcp", hostname: "::", port: 9000 }, "http://localhost:9000"],
  [{ transport: "unix", path: "/run/gatehouse.sock" }, undefined],
];

for (const [address, origin] of addresses) {
  Deno.test(`setupNotice() has the code, its expiry, and a link to ${origin ?? "the page"}`, () => {
    const made = createTicket("setup", { login: "", maker: "", now, ttlMs });
    const notice = setupNotice(made, address);
    const first = `There is no administrator yet: register with this ticket to become the administrator: ${made.code}`;
    const second =
      "It is valid once, until 2026-11-22T09:35:40.123Z; the next start of any instance prints a new one instead";
    const link = origin === undefined
      ? `The link is the address of the page with #ticket=${made.code} at its end`
      : `On this machine: ${origin}/#ticket=${made.code} (behind a proxy, the same at its address)`;
    assertEquals(notice, `${first}\n${second}. ${link}\n`);
  });
}

const purposes: readonly Ticket["purpose"][] = ["setup", "register", "reset"];

const looks: [
  what: string,
  made: Partial<Ticket>,
  look: Partial<Parameters<typeof findGoodTicket>[1]>,
  isGood: boolean,
][] = [
  ["for its login", { login: "alice" }, { login: "alice" }, true],
  ["for another login", { login: "alice" }, { login: "bob" }, false],
  ["for a login that begins alike", { login: "alice" }, { login: "alice2" }, false],
  ["of any login", { login: "" }, { login: "bob" }, true],
  ["a moment before its end", {}, { now: expiresAt - 1 }, true],
  ["at its end", {}, { now: expiresAt }, false],
  ["long after", {}, { now: expiresAt * 2 }, false],
  ["for no purpose", {}, { purposes: [] }, false],
  ...purposes.flatMap((purpose) =>
    purposes.map((wanted): typeof looks[number] => {
      return [`of ${purpose} for ${wanted}`, { purpose }, { purposes: [wanted] }, purpose === wanted];
    })
  ),
  ["of one purpose among several", { purpose: "register" }, { purposes: ["setup", "register"] }, true],
];

for (const [what, made, look, isGood] of looks) {
  Deno.test(`findGoodTicket() ${isGood ? "finds" : "does not find"} a ticket ${what}`, async () => {
    const store = new TableStore();
    const { purpose = "register", login = purpose === "reset" ? "alice" : "" } = made;
    await addAlice(store);
    const { ticket, code } = createTicket(purpose, { login, maker: "", now, ttlMs });
    await store.insertTicket(ticket);
    const found = await findGoodTicket(code, { store, purposes, login: "alice", now, ...look });
    assertEquals(found, isGood ? ticket : undefined);
  });
}

Deno.test("findGoodTicket() finds none by a code that is not the whole one, or by the hash that is kept", async () => {
  const store = new TableStore();
  const { ticket, code } = createTicket("setup", { login: "", maker: "", now, ttlMs });
  await store.insertTicket(ticket);
  const options = { store, purposes, login: "alice", now };
  const other = createTicket("setup", { login: "", maker: "", now, ttlMs }).code;
  assertNotEquals(other, code);
  for (const bad of ["", "none", code.slice(1), code.slice(0, -1), `${code}A`, ` ${code}`, ticket.secretHash, other]) {
    assertEquals(await findGoodTicket(bad, options), undefined, bad);
  }
  assertEquals(await findGoodTicket(code, options), ticket);
});

/** A reset needs a user. */
async function addAlice(store: TableStore): Promise<void> {
  const user = { id: "1", login: "alice", passwordHash: "", registeredAt: now, groups: [], disabled: false };
  await store.insertUser(user);
}
