/** The rules by which a foreign user becomes one of Gatehouse. */

import { assert, assertEquals } from "@std/assert";
import { decodeTime } from "@std/ulid";
import type { ForeignUser } from "../../../lib/import/foreign_format.ts";
import { type MappedUser, mapUser, tailOf } from "../../../lib/import/map_user.ts";
import hashes from "../passwords/hashes.json" with { type: "json" };

const modifiedAt = Date.UTC(2025, 0, 2, 3, 4, 5, 678);
const hash = `$pbkdf2-sha256$i=600000$${"s".repeat(21)}w$${"h".repeat(42)}g`;

Deno.test("mapUser() lowers the capitals of logins and groups, and drops groups that are named twice", () => {
  const { user, line } = mapped({ login: "Alice@Example.ORG", groups: ["Staff", "staff", "ADMIN"], disabled: true });
  const { id: _, ...rest } = user;
  assertEquals([line, rest], [7, {
    login: "alice@example.org",
    passwordHash: hash,
    registeredAt: modifiedAt,
    groups: ["staff", "admin"],
    disabled: true,
  }]);
});

Deno.test("mapUser() derives the id from the date and the login, and keeps that of an export", () => {
  const { id } = mapped({ login: "alice", registeredAt: 1_714_564_800_123 }).user;
  // The same in every version, as an import may be continued by a later one.
  assertEquals(id, "01HWT0D7KVNG6EK5V9P9BD7H6F");
  assertEquals(decodeTime(id), 1_714_564_800_123);
  assertEquals(mapped({ login: "ALICE", registeredAt: 1_714_564_800_123 }).user.id, id);
  const later = mapped({ login: "alice" }).user.id;
  assertEquals([decodeTime(later), tailOf(later)], [modifiedAt, tailOf(id)]);
  assert(tailOf(mapped({ login: "bob" }).user.id) !== tailOf(id));
  assertEquals(mapped({ login: "alice", registeredAt: 1_714_564_800_123.9 }).user.id, id);
  assertEquals(mapped({ registeredAt: 1_714_564_800_123.9 }).user.registeredAt, 1_714_564_800_123);
  assertEquals(decodeTime(mapped({ registeredAt: 0 }).user.id), 0);
  assertEquals(decodeTime(mapped({ registeredAt: 2 ** 48 - 1 }).user.id), 2 ** 48 - 1);
  assertEquals(mapped({ id: "01HWT0D7G0BB89CGQ3NCBYGDKQ" }).user.id, "01HWT0D7G0BB89CGQ3NCBYGDKQ");
});

Deno.test("mapUser() renames logins and groups as they stand in the file, and leaves groups out", () => {
  const names = new Map([["Old Name", "New.Name"], ["Night Shift", "Night"], ["Domain Users", ""]]);
  const rename = (name: string) => names.get(name) ?? name;
  const groups = ["Night Shift", "night", "Domain Users", "staff"];
  const result = mapUser(foreign({ login: "Old Name", groups }), { rename, modifiedAt });
  assert("user" in result);
  assertEquals([result.user.login, result.user.groups], ["new.name", ["night", "staff"]]);
  const unnamed = mapUser(foreign({ login: "Domain Users" }), { rename, modifiedAt });
  assert("reason" in unnamed && unnamed.reason.startsWith("the login must have at least 1 character"));
});

Deno.test("mapUser() tells fast hashes from others", () => {
  assertEquals(mapped({}).isFast, false);
  const fast = mapped({ passwordHash: hashes.hashes["ldap {SSHA}"] });
  assertEquals([fast.isFast, fast.user.passwordHash], [true, hashes.hashes["ldap {SSHA}"]]);
});

Deno.test("mapUser() refuses what no user can have, with the login of the file", () => {
  const groups = Array.from({ length: 33 }, (_, index) => `g${index}`);
  const characters = "must consist of a-z 0-9 . _ - @ + and start with a letter or digit";
  const rows: readonly [changes: Partial<ForeignUser>, reason: string][] = [
    [{ login: "b:ob" }, `the login ${characters}: rename it with --rename`],
    [{ login: "Bob Smith" }, `the login ${characters}: rename it with --rename`],
    [{ login: "\u212aate" }, `the login ${characters}: rename it with --rename`],
    [{ login: "-bob" }, `the login ${characters}: rename it with --rename`],
    [{ login: "" }, "the login must have at least 1 character: rename it with --rename"],
    [{ login: "x".repeat(65) }, "the login must have at most 64 characters: rename it with --rename"],
    [{ registeredAt: -1 }, "the date of registration is before 1970 or too late"],
    [{ registeredAt: 2 ** 48 }, "the date of registration is before 1970 or too late"],
    [{ registeredAt: NaN }, "the date of registration is before 1970 or too late"],
    [
      { groups: ["staff", "Domain Users"] },
      'the group "domain users" must consist of 1 to 32 of a-z 0-9 . _ -: rename it with --rename',
    ],
    [{ groups }, "there are more than 32 groups"],
    [{ id: "7" }, "the id is not a ULID: leave ids of other programs out"],
    [{ id: "01hwt0d7g0bb89cgq3ncbygdkq" }, "the id is not a ULID: leave ids of other programs out"],
    [{ id: "81HWT0D7G0BB89CGQ3NCBYGDKQ" }, "the id is not a ULID: leave ids of other programs out"],
    [{ passwordHash: "x".repeat(2_049) }, "the password hash cannot be verified: it has more than 2048 characters"],
  ];
  for (const [changes, reason] of rows) {
    const record = foreign(changes);
    assertEquals(mapUser(record, { rename: (login) => login, modifiedAt }), { line: 7, login: record.login, reason });
  }
  assert("user" in mapUser(foreign({ groups: groups.slice(1) }), { rename: (login) => login, modifiedAt }));
  assert("user" in mapUser(foreign({ login: "x".repeat(64) }), { rename: (login) => login, modifiedAt }));
});

Deno.test("mapUser() never repeats a hash in a reason", () => {
  for (const text of [hashes.hashes["shadow yescrypt"], "secret-plain-text", hash.slice(0, -30)]) {
    const result = mapUser(foreign({ passwordHash: text }), { rename: (login) => login, modifiedAt });
    assert("reason" in result && result.reason.startsWith("the password hash cannot be verified: "), text);
    assert(!result.reason.includes(text.slice(-10)));
  }
});

function foreign(changes: Partial<ForeignUser>): ForeignUser {
  return { line: 7, login: "alice", passwordHash: hash, groups: [], disabled: false, ...changes };
}

function mapped(changes: Partial<ForeignUser>): MappedUser {
  const result = mapUser(foreign(changes), { rename: (login) => login, modifiedAt });
  if ("reason" in result) throw new Error(result.reason);
  return result;
}
