import { assertEquals, assertMatch } from "@std/assert";
import { canonicalLogin, etagOf, publicUser } from "../../../lib/accounts/user.ts";

Deno.test("publicUser() shows the fields of the contract, and no other that a user has", () => {
  const user = {
    id: "01JD9Z8Q3N5V7X1B2C4D6F8G0H",
    login: "alice",
    passwordHash: "$pbkdf2-sha256$…",
    registeredAt: Date.UTC(2026, 10, 22, 9, 35, 39, 123),
    groups: ["admin"],
    disabled: false,
    somethingAddedLater: "secret",
  };
  assertEquals(publicUser(user), {
    id: "01JD9Z8Q3N5V7X1B2C4D6F8G0H",
    login: "alice",
    registered_at: "2026-11-22T09:35:39.123Z",
    groups: ["admin"],
    disabled: false,
  });
  assertEquals(publicUser({ ...user, disabled: true, groups: [] }).disabled, true);
});

Deno.test("canonicalLogin() makes small letters of A to Z, and leaves all else as it is", () => {
  const rows: readonly (readonly [login: string, canonical: string])[] = [
    ["alice", "alice"],
    ["Alice", "alice"],
    ["ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz"],
    ["A.B-C_D@E+F9", "a.b-c_d@e+f9"],
    ["", ""],
    // toLowerCase() would make "k" of the Kelvin sign, "å" of the Ångström sign, "i̇" of the Turkish capital.
    ["\u212aelvin", "\u212aelvin"],
    ["\u212b", "\u212b"],
    ["\u0130", "\u0130"],
    ["ÄÖÜ", "ÄÖÜ"],
    ["[\\]^_`@", "[\\]^_`@"],
    // Nobody's: it is too long.
    ["A".repeat(64), "a".repeat(64)],
    ["A".repeat(65), "A".repeat(65)],
  ];
  for (const [login, canonical] of rows) assertEquals(canonicalLogin(login), canonical);
});

Deno.test("etagOf() is another for every field that is shown, and the same for what is not", () => {
  const user = { id: "1", login: "alice", passwordHash: "a", registeredAt: 1, groups: ["a", "b"], disabled: false };
  const changes = [{ id: "2" }, { login: "bob" }, { registeredAt: 2 }, { groups: ["b", "a"] }, { disabled: true }, {}];
  const etags = changes.map((change) => etagOf({ ...user, ...change }));
  assertEquals(new Set(etags).size, changes.length);
  for (const etag of etags) assertMatch(etag, /^"\S+"$/);
  assertEquals(etagOf({ ...user, passwordHash: "b" }), etags.at(-1));
});
