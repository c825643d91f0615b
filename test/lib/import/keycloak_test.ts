/**
 * Users of Keycloak. `files/keycloak-realm.json` follows the documented format of `kc.sh export`; its hashes are of
 * Python's hashlib and of argon2-cffi.
 */

import { assertEquals, assertRejects } from "@std/assert";
import { ForeignFileError } from "../../../lib/import/foreign_format.ts";
import { keycloak } from "../../../lib/import/keycloak.ts";
import { foreignFile, readForeign } from "../../support/foreign_users.ts";

const path = foreignFile("keycloak-realm.json");
const registeredAt = Date.UTC(2024, 2, 1, 12, 0, 0, 123);
const salt = "8PHy8/T19vf4+fr7/P3+/w";
const passlibSalt = salt.replaceAll("+", ".");

Deno.test("keycloak reads Argon2 and PBKDF2 as PHC and passlib texts, groups, and disabled users", async () => {
  const settings: string[] = [];
  const records = (await readForeign(keycloak, { path })).map((record) => {
    if ("reason" in record) return record;
    const { passwordHash, ...rest } = record;
    const [, head = "", digest = ""] = /^(.*\$)([A-Za-z0-9+/.]+)$/.exec(passwordHash) ?? [];
    settings.push(`${head} ${digest.length}`);
    return rest;
  });
  const user = { registeredAt, groups: [], disabled: false };
  const withoutPassword = { reason: "there is no password", isWithoutPassword: true };
  assertEquals(records, [
    { ...user, line: 1, login: "alice", groups: ["staff", "staff.night"] },
    { ...user, line: 2, login: "bob", disabled: true },
    { ...user, line: 3, login: "carol@example.org" },
    { ...user, line: 4, login: "dave" },
    { line: 5, login: "federated", ...withoutPassword },
    { line: 6, login: "service-account-shop", ...withoutPassword },
  ]);
  assertEquals(settings, [
    `$argon2id$v=19$m=7168,t=5,p=1$${salt}$ 43`,
    `$pbkdf2-sha256$27500$${passlibSalt}$ 86`,
    `$pbkdf2-sha512$210000$${passlibSalt}$ 86`,
    `$pbkdf2$1300000$${passlibSalt}$ 27`,
  ]);
});

Deno.test("keycloak reads a list of realms, and the users of a realm alone", async () => {
  const realm = JSON.parse(await Deno.readTextFile(path));
  const expected = await readForeign(keycloak, { path });
  const users = JSON.stringify({ realm: "shop", users: realm.users });
  assertEquals(await readForeign(keycloak, { content: users }), expected);
  const logins = (await readForeign(keycloak, { content: JSON.stringify([realm, { realm: "empty" }, realm]) }))
    .map(({ line, login }) => `${line} ${login}`);
  assertEquals([logins[0], logins[6], logins.length], ["1 alice", "7 alice", 12]);
});

Deno.test("keycloak refuses a user without a name, and a password of an unknown form or algorithm", async () => {
  const secretData = JSON.stringify({ value: "AAAA", salt: "AAAA" });
  const password = (credentialData: unknown, secret = secretData) => [
    { type: "password", secretData: secret, credentialData: JSON.stringify(credentialData) },
  ];
  const argon2 = (parameters: Record<string, unknown>) => {
    const known = { memory: ["7168"], type: ["id"], version: ["1.3"], parallelism: ["1"] };
    return password({ algorithm: "argon2", hashIterations: 5, additionalParameters: { ...known, ...parameters } });
  };
  const [unknownForm, unknownParameters] = [
    "its password is not as Keycloak 8 or newer writes it",
    "its Argon2 parameters are unknown",
  ];
  const rows: readonly [user: Record<string, unknown>, reason: string | undefined][] = [
    [{ credentials: argon2({}) }, undefined],
    [{ credentials: argon2({ type: ["constructor"] }) }, unknownParameters],
    [{ credentials: argon2({ version: ["constructor"] }) }, unknownParameters],
    [{ credentials: argon2({ memory: ["1e9"] }) }, unknownParameters],
    [{ credentials: argon2({ parallelism: undefined }) }, unknownParameters],
    [{ credentials: password({ algorithm: "argon2", hashIterations: 5 }) }, unknownParameters],
    [
      { credentials: password({ algorithm: "md5", hashIterations: 5 }) },
      'its password has the unknown algorithm "md5"',
    ],
    [{ credentials: password({ hashIterations: 5 }) }, 'its password has the unknown algorithm ""'],
    [{ credentials: password({ algorithm: "pbkdf2", hashIterations: "5" }) }, unknownForm],
    [{ credentials: password({ algorithm: "pbkdf2", hashIterations: 5 }, "{") }, unknownForm],
    [{ credentials: password({ algorithm: "pbkdf2", hashIterations: 5 }, '{"value":"$","salt":"AAAA"}') }, unknownForm],
    [{ credentials: [{ type: "password", hashedSaltedValue: "AAAA", salt: "AAAA", hashIterations: 5 }] }, unknownForm],
    [{ credentials: argon2({ type: [{ toString: 1 }], memory: { toString: 1 } }) }, unknownParameters],
    [{ credentials: "none" }, "there is no password"],
    [{ username: undefined, credentials: [] }, "it has no username"],
  ];
  for (const [user, reason] of rows) {
    const content = JSON.stringify({ users: [{ username: "eve", createdTimestamp: "now", ...user }] });
    const [record] = await readForeign(keycloak, { content });
    assertEquals(record && "reason" in record ? record.reason : undefined, reason, JSON.stringify(user));
  }
});

Deno.test("keycloak has no name of a group that is not a text", async () => {
  const credentials = [{
    type: "password",
    secretData: '{"value":"AAAA","salt":"AAAA"}',
    credentialData: '{"algorithm":"pbkdf2","hashIterations":5}',
  }];
  const groups = [{ toString: 1 }, 7, ["/a"], "/a/b"];
  const [record] = await readForeign(keycloak, {
    content: JSON.stringify({ users: [{ username: "eve", groups, credentials }] }),
  });
  assertEquals(record && "groups" in record && record.groups, ["", "", "", "a.b"]);
});

Deno.test("keycloak refuses a file without users", async () => {
  for (const content of ['{"realm":"shop"}', '{"users":[]}', "[]"]) {
    const reason = 'as it has no list "users": use kc.sh export --realm NAME --file FILE';
    await assertRejects(() => readForeign(keycloak, { content }), ForeignFileError, reason);
  }
  await assertRejects(() => readForeign(keycloak, { content: "users:" }), ForeignFileError, "it is another format");
});
