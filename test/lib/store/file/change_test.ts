import { serialize } from "node:v8";
import { assert, assertEquals, assertLess, assertThrows } from "@std/assert";
import type { Change } from "../../../../lib/store.ts";
import { noSites } from "../../../../lib/store/fields.ts";
import { decodeChanges, encodeChanges } from "../../../../lib/store/file/change.ts";
import { credentialOf, secretOf, sessionOf, siteOf, ticketOf, userOf } from "../../../support/store/records.ts";

const changes: readonly Change[] = [
  { kind: "user", record: userOf("alice") },
  { kind: "user", record: userOf("bob", { groups: ["admin", "staff"], disabled: true }) },
  { kind: "user", deletedKey: "carol" },
  { kind: "session", record: sessionOf("alice", "s1", { userAgent: "Ünïcode ☂" }) },
  { kind: "session", deletedKey: "s2" },
  { kind: "ticket", record: ticketOf("t1", { purpose: "reset", login: "alice" }) },
  { kind: "ticket", deletedKey: "t2" },
  { kind: "ticket", record: ticketOf("t3", { purpose: "login", login: "alice" }) },
  { kind: "session", record: sessionOf("alice", "s3", { factors: ["passkey", "totp"], authenticatedAt: 5 }) },
  {
    kind: "session",
    record: sessionOf("alice", "s4", {
      sites: ["https://wiki.example.org", "http://[::1]:80"].map((origin) => siteOf(origin)),
    }),
  },
  { kind: "ticket", record: ticketOf("t4", { purpose: "site", login: "alice" }) },
  secretOf("decoy"),
  {
    kind: "credential",
    record: credentialOf("alice", "c1", { name: "Ключ", counter: 5, signCount: 2 ** 32 - 1 }),
  },
  { kind: "credential", record: credentialOf("alice", "c2", { kind: "recovery", secret: "" }) },
  { kind: "credential", deletedKey: "c3" },
];

Deno.test("decodeChanges() gives back what encodeChanges() was given, in order", () => {
  assertEquals(decodeChanges(encodeChanges(changes)), [...changes]);
  assertEquals(decodeChanges(encodeChanges([])), []);
});

Deno.test("decodeChanges() keeps the order of changes of one record", () => {
  const moves: Change[] = [
    { kind: "user", record: userOf("alice", { id: "first" }) },
    { kind: "user", deletedKey: "alice" },
    { kind: "user", record: userOf("alice", { id: "second" }) },
    { kind: "user", record: userOf("bob") },
  ];
  assertEquals(decodeChanges(encodeChanges(moves)), moves);
});

Deno.test("encodeChanges() takes at most 165 bytes a user of 12 letters in a batch of 1,000", () => {
  const users = Array.from({ length: 1_000 }, (_, index): Change => ({
    kind: "user",
    record: userOf(`user${String(index).padStart(8, "0")}`, {
      passwordHash: `$pbkdf2-sha256$i=600000$${"s".repeat(22)}$${"h".repeat(43)}`,
    }),
  }));
  assert(encodeChanges(users).length <= 165_000);
});

Deno.test("decodeChanges() lets sessions without sites share one list, also those of an older version", () => {
  const sessions = [sessionOf("alice", "s1"), sessionOf("bob", "s2")];
  const bytes = encodeChanges(sessions.map((record) => ({ kind: "session", record }) as const));
  const found = [...decodeChanges(bytes), ...decodeChanges(serialize([session4]))];
  for (const change of found) {
    assert(change.kind === "session" && "record" in change && change.record.sites === noSites);
  }
  assertEquals(found.length, 3);
});

Deno.test("decodeChanges() lets users without groups share one list", () => {
  const [one, two] = decodeChanges(encodeChanges([
    { kind: "user", record: userOf("alice") },
    { kind: "user", record: userOf("bob") },
  ]));
  assert(one?.kind === "user" && two?.kind === "user" && "record" in one && "record" in two);
  assert(one.record.groups === two.record.groups);
});

const user: readonly unknown[] = [1, ["id"], ["alice"], ["hash"], [1], [""], [false]];
const oldSession: readonly unknown[] = [3, ["id"], ["alice"], ["hash"], [1], [2], ["curl"], ["192.0.2.1"]];
const session4: readonly unknown[] = [9, ...oldSession.slice(1), ["password,totp"], [3]];
const site = `https://wiki.example.org ${"51".repeat(32)}`;
const session: readonly unknown[] = [12, ...session4.slice(1), [site]];
const ticket: readonly unknown[] = [5, ["hash"], ["setup"], [""], [Number.MAX_SAFE_INTEGER]];
const newTicket: readonly unknown[] = [7, ["h2"], ["reset"], ["alice"], [1], ["id"], [""], [0]];
const secret: readonly unknown[] = [8, ["decoy"], ["value"]];
const credential: readonly unknown[] = [10, ["key"], ["id"], ["alice"], ["totp"], [""], [1], [0], ["secret"], [2], [3]];
const deletions = [[2, ["alice"]], [4, ["id"]], [6, ["hash"]], [11, ["key"]]];
const holes: unknown[] = [];
holes.length = 4_294_967_295;

Deno.test("decodeChanges() accepts each kind, and the longest values", () => {
  // Each by itself, as they have lists in common.
  for (const run of [user, oldSession, session4, session, ticket, newTicket, secret, credential, ...deletions]) {
    assertEquals(decodeChanges(serialize([run])).length, 1);
  }
  const long = { key: "k".repeat(64), text: "ü".repeat(2_048), time: Date.UTC(9_999, 11, 31) };
  decodeChanges(serialize([
    [1, [long.key], [long.key], [long.text], [long.time], ["g".repeat(2_048)], [true]],
    [3, [long.key], [long.key], [long.key], [0], [long.time], [long.text], [""]],
    [8, [long.key], [long.key]],
    [9, [long.key], [long.key], [long.key], [0], [0], [""], [""], ["recovery,totp,passkey,password"], [
      long.time,
    ]],
    session.with(10, [`${site},http://${"a".repeat(32_768 - site.length - 73)} ${"ef".repeat(32)}`]),
    [
      10,
      ...[
        long.key,
        long.key,
        long.key,
        "app-password",
        long.text,
        long.time,
        long.time,
        long.text,
        long.time,
        long.time,
      ]
        .map((value) => [value]),
    ],
  ]));
});

/** `run` with another value in a column of its only row. */
function changed(run: readonly unknown[], index: number, value: unknown): unknown {
  return [run.with(index, [value])];
}

const refused: Record<string, unknown> = {
  "not a list": { changes: [] },
  "a list of holes": holes,
  "a run that is not a list": ["user"],
  "a run that is a list of holes": [holes],
  "a kind that a later version wrote": [[13, ["x"]]],
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
  "a session without a factor": changed(session, 8, ""),
  "a session with a factor that nothing has": changed(session, 8, "password,constructor"),
  "a session with a factor twice": changed(session, 8, "password,totp,password"),
  "a session with an unknown factor and one twice": changed(session, 8, "password,password,x"),
  "a session whose factors are a list": changed(session, 8, ["password"]),
  "a session that was authenticated before 1970": changed(session, 9, -1),
  "a session of format 4 with the columns of 1": [[9, ...oldSession.slice(1)]],
  "a session of format 5 with the columns of 4": [[12, ...session4.slice(1)]],
  "a session whose sites are missing": changed(session, 10, undefined),
  "a session whose sites are a list": changed(session, 10, [site]),
  "a site without a hash": changed(session, 10, "https://wiki.example.org"),
  "a site with an empty hash": changed(session, 10, "https://wiki.example.org "),
  "a site whose hash is short": changed(session, 10, site.slice(0, -1)),
  "a site whose hash is long": changed(session, 10, `${site}0`),
  "a site whose hash has capitals": changed(session, 10, site.replace(/\d+$/, "AB".repeat(32))),
  "a site of another protocol": changed(session, 10, site.replace("https", "javascript")),
  "a site without a host": changed(session, 10, site.replace("wiki.example.org", "")),
  "a site with a space": changed(session, 10, site.replace("wiki", "wi ki")),
  "a site with a line break": changed(session, 10, site.replace("wiki", "wi\nki")),
  "a site with a line break at its end": changed(session, 10, `${site}\n`),
  "a site that is not ASCII": changed(session, 10, site.replace("wiki", "вики")),
  "a site twice": changed(session, 10, `${site},${site.replace("5151", "5252")}`),
  "a site and a comma": changed(session, 10, `${site},`),
  "a comma alone": changed(session, 10, ","),
  "sites that are too long": changed(
    session,
    10,
    `${site},http://${"a".repeat(32_769 - site.length - 73)} ${"ef".repeat(32)}`,
  ),
  "a credential without a key": changed(credential, 1, ""),
  "a credential whose key is too long": changed(credential, 1, "k".repeat(65)),
  "a credential of nobody": changed(credential, 3, ""),
  "a credential of a kind that nothing has": changed(credential, 4, "password"),
  "a credential whose name is too long": changed(credential, 5, "n".repeat(2_049)),
  "a credential that was used at no time": changed(credential, 7, NaN),
  "a credential whose secret is too long": changed(credential, 8, "s".repeat(4_097)),
  "a credential whose counter is negative": changed(credential, 9, -1),
  "a credential whose count is not whole": changed(credential, 10, 0.5),
  "a deleted credential without a key": [[11, [""]]],
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

Deno.test("encodeChanges() takes no more bytes for a list once others were decoded", () => {
  const bytes = encodeChanges(changes);
  for (let round = 0; round < 2_000; round++) decodeChanges(encodeChanges(changes));
  assertEquals(encodeChanges(changes), bytes);
});
