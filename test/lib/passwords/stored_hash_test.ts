import {
  assert,
  assertEquals,
  assertFalse,
  assertMatch,
  assertNotEquals,
  assertRejects,
  assertThrows,
} from "@std/assert";
import { readConfig } from "../../../lib/config/config.ts";
import {
  argon2id,
  hashPassword,
  memoryBytesOf,
  passwordSchemeOf,
  workOfScheme,
} from "../../../lib/passwords/password_hash.ts";
import { parseStoredHash, usableHash, workKeyOf, workOf, wrapHash } from "../../../lib/passwords/stored_hash.ts";
import { pbkdf2 } from "../../support/passwords/phc.ts";
import { cheapVectors } from "../../support/passwords/vectors.ts";
import { isHashOf } from "../../support/passwords/verify.ts";

/** Made by argon2-cffi 21.1.0 with the salt 00 01 … 0f. */
const argon2Hashes: readonly (readonly [password: string, hash: string])[] = [
  ["mellow-otter-41-lantern", "hAmmY590V4Cc7qz7R3rNcq3nVnTIHkPG9eq3VwMAMPY"],
  ["pässwörd", "eCrffB233dgiuXE1iutaiZP35cfD78wj+xWofmbux/s"],
  ["", "MVSMP3rBIzE7F86FWHKNemRnE6hkgY2O2buZdxt7Gkw"],
];
for (const [password, hash] of argon2Hashes) {
  Deno.test(`parseStoredHash() verifies what argon2-cffi made of "${password}"`, async () => {
    const text = `$argon2id$v=19$m=19456,t=2,p=1$AAECAwQFBgcICQoLDA0ODw$${hash}`;
    assert(await isHashOf(password, text));
    assertFalse(await isHashOf(`${password}!`, text));
  });
}

Deno.test("hashPassword() makes a hash of each scheme that verifies, normalized", async () => {
  for (const scheme of [pbkdf2(3), argon2id]) {
    const text = await hashPassword("p\u00e4ssword", scheme);
    assert(await isHashOf("pa\u0308ssword", text));
    assertFalse(await isHashOf("password", text));
    assertNotEquals(await hashPassword("p\u00e4ssword", scheme), text);
  }
});

Deno.test("hashPassword() writes Argon2id with a 16-byte salt and a 32-byte hash in unpadded base64", async () => {
  const text = await hashPassword("password", argon2id);
  assertMatch(text, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/);
});

Deno.test("parseStoredHash() keeps U+FEFF at the start of a password", async () => {
  const text = await hashPassword("\ufeffpassword", pbkdf2(1));
  assert(await isHashOf("\ufeffpassword", text));
  assertFalse(await isHashOf("password", text));
});

Deno.test("parseStoredHash() returns work and memory of the new hashes of both settings", async () => {
  const rows = [
    [{ GATEHOUSE_PBKDF2_ITERATIONS: "7" }, "pbkdf2-sha256 i=7", 0],
    [{ GATEHOUSE_PASSWORD_HASH: "argon2id" }, "argon2id m=19456,t=2,p=1", 19_456 * 1_024],
  ] as const;
  for (const [env, work, memoryBytes] of rows) {
    const scheme = passwordSchemeOf(readConfig({ ...env }));
    const stored = parseStoredHash(await hashPassword("password", scheme));
    assertEquals([stored.work, stored.memoryBytes, stored.isFast, stored.script], [
      work,
      memoryBytes,
      false,
      undefined,
    ]);
  }
});

/** SHA-1 of "password", as `htpasswd -s` writes it. */
const sha = "{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=";

Deno.test("wrapHash() stores the hash of a fast digest, by each scheme, in place of the digest", async () => {
  for (const scheme of [pbkdf2(3), argon2id]) {
    const text = await wrapHash(sha, scheme);
    assert(text.startsWith("{SHA}*~$"));
    assertFalse(text.includes("W6ph5Mm5Pz8GgiULbPgzG37mj9g"));
    assert(await isHashOf("password", text));
    assertFalse(await isHashOf("Password", text));
    const { work, isFast, memoryBytes } = parseStoredHash(text);
    assertEquals([work, isFast, memoryBytes], [`LDAP {SHA} > ${workOfScheme(scheme)}`, false, memoryBytesOf(scheme)]);
  }
});

Deno.test("parseStoredHash() verifies a hash of another program with the password as it was typed", async () => {
  // printf 'pa\314\210ssword' | openssl dgst -sha1 -binary | base64
  const text = await wrapHash("{SHA}NRplV2d6UfTJ5YdZFKOTTx8kXpA=", pbkdf2(1));
  assert(await isHashOf("pa\u0308ssword", text));
  assertFalse(await isHashOf("p\u00e4ssword", text));
});

Deno.test("wrapHash() refuses what has no digest, is wrapped already, or is of no kind", async () => {
  for (const text of ["{SHA}*", await wrapHash(sha, pbkdf2(1)), "password", ""]) {
    await assertRejects(() => wrapHash(text, pbkdf2(1)), RangeError);
  }
  assertThrows(() => parseStoredHash("{SHA}*"), RangeError, "it has no digest");
});

Deno.test("parseStoredHash() takes a separator in a salt for a part of it", () => {
  const digest = "ab".repeat(32);
  assertEquals(parseStoredHash(`pbkdf2:sha256:10000$a~b$${digest}`).digest.toHex(), digest);
});

const [salt, hash] = ["A".repeat(22), "B".repeat(43)];
const unusable: readonly (readonly [text: string, reason: string])[] = [
  ["", "it is empty"],
  ["password", "it is no hash, or a password"],
  ["$unknown$", "it is of no known kind"],
  [`$pbkdf2-sha256$i=10000001$${salt}$${hash}`, "it has more than 10000000 iterations"],
  [`x~$pbkdf2-sha256$i=10000001$${salt}$${hash}`, "it has more than 10000000 iterations"],
  [`$pbkdf2-sha256$i=1$${salt}$`, "it is not of the form"],
  [`$unknown$~$pbkdf2-sha256$i=1$${salt}$${hash}`, "it is of no known kind"],
  [`$pbkdf2-sha256$i=1$${salt}$${hash}~$pbkdf2-sha256$i=1$${salt}$${hash}`, "it is wrapped and has the digest"],
  [`$pbkdf2-sha256$i=1$${salt}$${hash}${" ".repeat(2_048)}`, "it has more than 2048 characters"],
];
for (const [text, reason] of unusable) {
  Deno.test(`parseStoredHash() refuses "${text.slice(0, 80)}": ${reason}`, () => {
    const { message } = assertThrows(() => parseStoredHash(text), RangeError);
    assertEquals(message.slice(0, reason.length), reason);
    assertEquals(usableHash(text), undefined);
  });
}

Deno.test("workKeyOf() is equal only for hashes of the same work", async () => {
  const texts = [...cheapVectors.map(({ hash }) => hash), await hashPassword("password", pbkdf2(1))];
  const salt = "c2FsdHNhbHQ";
  texts.push(...[1_000, 2_000].map((iterations) => `{PBKDF2}${iterations}$${salt}$${"A".repeat(27)}`));
  texts.push(...[8, 9].map((memory) => `{ARGON2}$argon2i$v=19$m=${memory},t=1,p=1$${salt}$${"A".repeat(43)}`));
  const fast = texts.filter((text) => usableHash(text)?.isFast);
  for (const scheme of [pbkdf2(1), pbkdf2(2)]) {
    for (const text of fast) texts.push(await wrapHash(text, scheme));
  }
  const keyed = texts.filter((text) => workKeyOf(text) !== "");
  const works = Map.groupBy(keyed, workKeyOf);
  for (const [key, same] of works) assertEquals(new Set(same.map(workOf)).size, 1, key);
  // Some kinds of each sort have a key: otherwise the start parses every hash of a large register.
  for (const head of ["$pbkdf2-sha256$i=1", "$argon2id$", "$2b$", "{SSHA}", "$apr1$", "scrypt:", "pbkdf2_sha256$"]) {
    assert(works.keys().some((key) => key.includes(` ${head}`)), head);
  }
});
