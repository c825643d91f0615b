import { serialize } from "node:v8";
import { assert, assertEquals, assertLess, assertThrows } from "@std/assert";
import type { Change } from "../../../../lib/store.ts";
import { decodeChanges, encodeChanges } from "../../../../lib/store/file/change.ts";
import { secretOf, sessionOf, ticketOf, userOf } from "../../../support/store/records.ts";

const changes: readonly Change[] = [
  { kind: "put-user", user: userOf("alice") },
  { kind: "put-user", user: userOf("bob", { groups: ["admin", "staff"], disabled: true }) },
  { kind: "delete-user", login: "carol" },
  { kind: "put-session", session: sessionOf("alice", "s1", { userAgent: "Ünïcode ☂" }) },
  { kind: "delete-session", id: "s2" },
  { kind: "put-ticket", ticket: ticketOf("t1", { purpose: "reset", login: "alice" }) },
  { kind: "delete-ticket", secretHash: "t2" },
  secretOf("decoy"),
];

Deno.test("decodeChanges() gives back what encodeChanges() was given, in order", () => {
  assertEquals(decodeChanges(encodeChanges(changes)), [...changes]);
  assertEquals(decodeChanges(encodeChanges([])), []);
});

Deno.test("decodeChanges() keeps the order of changes of one record", () => {
  const moves: Change[] = [
    { kind: "put-user", user: userOf("alice", { id: "first" }) },
    { kind: "delete-user", login: "alice" },
    { kind: "put-user", user: userOf("alice", { id: "second" }) },
    { kind: "put-user", user: userOf("bob") },
  ];
  assertEquals(decodeChanges(encodeChanges(moves)), moves);
});

Deno.test("encodeChanges() takes at most 165 bytes a user of 12 letters in a batch of 1,000", () => {
  const users = Array.from({ length: 1_000 }, (_, index): Change => ({
    kind: "put-user",
    user: userOf(`user${String(index).padStart(8, "0")}`, {
      passwordHash: `$pbkdf2-sha256$i=600000$${"s".repeat(22)}$${"h".repeat(43)}`,
    }),
  }));
  assert(encodeChanges(users).length <= 165_000);
});

Deno.test("decodeChanges() lets users without groups share one list", () => {
  const [one, two] = decodeChanges(encodeChanges([
    { kind: "put-user", user: userOf("alice") },
    { kind: "put-user", user: userOf("bob") },
  ]));
  assert(one?.kind === "put-user" && two?.kind === "put-user" && one.user.groups === two.user.groups);
});

const user: readonly unknown[] = [1, ["id"], ["alice"], ["hash"], [1], [""], [false]];
const session: readonly unknown[] = [3, ["id"], ["alice"], ["hash"], [1], [1], ["curl"], ["192.0.2.1"]];
const ticket: readonly unknown[] = [5, ["hash"], ["setup"], [""], [Number.MAX_SAFE_INTEGER]];
const newTicket: readonly unknown[] = [7, ["h2"], ["reset"], ["alice"], [1], ["id"], [""], [0]];
const secret: readonly unknown[] = [8, ["decoy"], ["value"]];
const deletions = [[2, ["alice"]], [4, ["id"]], [6, ["hash"]]];
const holes: unknown[] = [];
holes.length = 4_294_967_295;

Deno.test("decodeChanges() accepts each kind, and the longest values", () => {
  assertEquals(decodeChanges(serialize([user, session, ticket, newTicket, secret, ...deletions])).length, 8);
  const long = { key: "k".repeat(64), text: "ü".repeat(2_048), time: Date.UTC(9_999, 11, 31) };
  decodeChanges(serialize([
    [1, [long.key], [long.key], [long.text], [long.time], ["g".repeat(2_048)], [true]],
    [3, [long.key], [long.key], [long.key], [0], [long.time], [long.text], [""]],
    [8, [long.key], [long.key]],
  ]));
});

/** `run` with another value in a column of its only row. */
function changed(run: readonly unknown[], index: number, value: unknown): unknown {
  return [run.with(index, [value])];
}

const refused: Record<string, unknown> = {
  "not a list": { changes: [] },
  "a list of holes": holes,
  "a run that is not a list": ["put-user"],
  "a run that is a list of holes": [holes],
  "a kind that a later version wrote": [[9, ["x"]]],
  "a kind that is a list of holes": [[holes, ["x"]]],
  "a kind that is text": [["1", ["x"]]],
  "a run without columns": [[2]],
  "a run with too few columns": [user.slice(0, -1)],
  "a run with too many columns": [[...user, [1]]],
  "a column that is not a list": [user.with(2, "alice")],
  "a column that is a map": [[2, new Map([[0, "alice"]])]],
  "a column that is a typed array": [[2, new Uint8Array(1)]],
  "a column of holes": [[2, holes]],
  "columns of holes": [[1, holes, holes, holes, holes, holes, holes]],
  "a column that is longer than the first": [user.with(3, ["hash", "hash"])],
  "a column that is shorter than the first": [user.with(3, [])],
  "a list that stands in two columns": [[1, ["x"], ...Array(5).fill(["x"])]],
  "a run that is there twice": Array(2).fill(deletions[0]),
  "an id that is empty": changed(user, 1, ""),
  "an id that is too long": changed(user, 1, "k".repeat(65)),
  "an id that is an object": changed(user, 1, Object("id")),
  "a login with a line break": changed(user, 2, "alice\nRemote-User"),
  "a login that is not ASCII": changed(user, 2, "аlice"),
  "a login that is empty": changed(user, 2, ""),
  "a hash that is too long": changed(user, 3, "h".repeat(2_049)),
  "a hash that is a list": changed(user, 3, ["hash"]),
  "a time that is a bigint": changed(user, 4, 1n),
  "a time that is not whole": changed(user, 4, 0.5),
  "a time that is not a number": changed(user, 4, NaN),
  "a time before 1970": changed(user, 4, -1),
  "a time that RFC 3339 cannot show": changed(user, 4, Date.UTC(10_000, 0)),
  "groups that are not text": changed(user, 5, ["admin"]),
  "groups with a line break": changed(user, 5, "admin\n"),
  "a flag that is a number": changed(user, 6, 1),
  "a session's time that is text": changed(session, 5, "1"),
  "a User-Agent that is missing": changed(session, 6, undefined),
  "an address that is null": changed(session, 7, null),
  "a purpose that nothing has": changed(ticket, 2, "constructor"),
  "a ticket's login with a space": changed(ticket, 3, "a b"),
  "a ticket that expires at infinity": changed(ticket, 4, Infinity),
  "a ticket to register that expires when no date can be shown": [ticket.with(2, ["register"])],
  "a ticket for a reset that expires after the year 9999": changed(newTicket, 4, Date.UTC(10_000, 0)),
  "a ticket without an id": changed(newTicket, 5, ""),
  "a ticket whose maker is missing": changed(newTicket, 6, undefined),
  "a ticket that was made at no time": changed(newTicket, 7, NaN),
  "a ticket of format 2 with the columns of 1": [[7, ...ticket.slice(1)]],
  "a ticket of format 1 with the columns of 2": [[5, ...newTicket.slice(1)]],
  "a secret without a name": changed(secret, 1, ""),
  "a secret without a value": changed(secret, 2, ""),
  "a secret whose value is too long": changed(secret, 2, "k".repeat(65)),
  "a secret whose value is bytes": changed(secret, 2, new Uint8Array(32)),
  "a secret without the column of values": [secret.slice(0, -1)],
  "a deleted login that is a number": [[2, [1]]],
  "a deleted session that is an object": [[4, [{}]]],
  "a deleted ticket that is missing": [[6, [undefined]]],
};

for (const [what, value] of Object.entries(refused)) {
  Deno.test(`decodeChanges() refuses ${what}`, () => {
    const bytes = serialize(value);
    const startedAt = performance.now();
    assertThrows(() => decodeChanges(bytes), TypeError, "Invalid changes: ");
    assertLess(performance.now() - startedAt, 1_000);
  });
}

Deno.test("decodeChanges() takes time in proportion to its bytes, whatever refers to whatever", () => {
  const run = [2, Array.from({ length: 20_000 }, (_, index) => `user${index}`)];
  const bytes = serialize(Array(100_000).fill(run));
  const startedAt = performance.now();
  assertThrows(() => decodeChanges(bytes), TypeError, "Invalid changes: ");
  assertLess(performance.now() - startedAt, 2_000);
});

/** Bytes of a clone: a list of `count` items, each of which is `item`. */
function listOf(count: number, item: readonly number[]): Uint8Array {
  const items = Array.from({ length: count }, () => item).flat();
  return new Uint8Array([0xff, 0x0f, 0x41, ...varint(count), ...items, 0x24, 0, ...varint(count)]);
}

/** As V8 writes it, 7 bits a byte. */
function varint(value: number): number[] {
  return value < 0x80 ? [value] : [value & 0x7f | 0x80, ...varint(value >>> 7)];
}

Deno.test("decodeChanges() makes no room for items that are not there", () => {
  // In one process of 4 GB V8 ends it, which nothing can catch.
  const holes = varint(8_388_607);
  const hostile = {
    "lists with holes alone": listOf(20, [0x61, ...holes, 0x40, 0, ...holes]),
    "a list in each list": new Uint8Array([
      0xff,
      0x0f,
      ...Array(1_000).fill([0x41, ...varint(500_000)]).flat(),
      ...new Uint8Array(500_000).fill(0x54),
    ]),
    "a length of six bytes": new Uint8Array([0xff, 0x0f, 0x41, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01, 0x54, 0x24, 0, 1]),
    "an older version of clones": new Uint8Array([0xff, 0x0c, 0x41, 0, 0x24, 0, 0]),
  };
  for (const [what, bytes] of Object.entries(hostile)) {
    const before = Deno.memoryUsage().rss;
    assertThrows(() => decodeChanges(bytes), TypeError, "Invalid changes: ", what);
    assertLess(Deno.memoryUsage().rss - before, 50_000_000, what);
  }
});

Deno.test("decodeChanges() takes a list that V8 wrote by index, as if it had holes", () => {
  const logins = ["alice", "bob"].map((login) => login);
  delete logins[2];
  const run = new Array(2);
  run[0] = 2;
  run[1] = logins;
  assertEquals(serialize([run]).includes(0x61), true);
  assertEquals(decodeChanges(serialize([run])).length, 2);
});

Deno.test("decodeChanges() refuses bytes that are no structured clone, and one nested too deeply", () => {
  assertThrows(() => decodeChanges(new Uint8Array([1, 2, 3])));
  // Each pair of bytes begins a list of one item.
  const nested = new Uint8Array(2_000_000).map((_, index) => index % 2 === 0 ? 0x41 : 1);
  assertThrows(() => decodeChanges(new Uint8Array([0xff, 0x0f, ...nested])), RangeError);
});

Deno.test("encodeChanges() takes no more bytes for a list once others were decoded", () => {
  const bytes = encodeChanges(changes);
  for (let round = 0; round < 2_000; round++) decodeChanges(encodeChanges(changes));
  assertEquals(encodeChanges(changes), bytes);
});
