import { assert, assertEquals, assertFalse, assertMatch, assertRejects } from "@std/assert";
import { assertInstanceOf, assertStringIncludes, assertThrows } from "@std/assert";
import { Buffer } from "node:buffer";
import { pbkdf2Sync } from "node:crypto";
import { maxIterations, recommendedIterations, settings } from "../../../lib/config/settings.ts";
import { hashPassword } from "../../../lib/passwords/password_hash.ts";
import { iterationsOf } from "../../../lib/passwords/stored_hash.ts";
import { isHashOf } from "../../support/passwords/verify.ts";
import { countedSalt, pbkdf2, phcByNode, unpadded, zeroSalt } from "../../support/passwords/phc.ts";

const highSalt = Buffer.alloc(16, 0xff);

const vectors: readonly (readonly [password: string, salt: Buffer, iterations: number])[] = [
  ["password", countedSalt, 1],
  ["password", countedSalt, 2],
  ["password", countedSalt, 1_000],
  ["passwordPASSWORDpassword", zeroSalt, 10],
  ["", zeroSalt, 1],
  ["a\tb\x01\n", highSalt, 1],
  ["pässwörd", countedSalt, 3],
  ["パスワード🔑", highSalt, 3],
  // HMAC hashes a key of more than one block of SHA-256 first.
  ["x".repeat(64), countedSalt, 5],
  ["x".repeat(65), countedSalt, 5],
  ["x".repeat(1_024), countedSalt, 5],
];

Deno.test("parseStoredHash() verifies what another implementation of PBKDF2-HMAC-SHA256 has hashed", async () => {
  for (const [password, salt, iterations] of vectors) {
    const passwordHash = phcByNode(password, { salt, iterations });
    assert(await isHashOf(password, passwordHash), password);
    assertFalse(await isHashOf(`${password}!`, passwordHash), password);
  }
});

Deno.test("parseStoredHash() verifies a hash written down beforehand", async () => {
  // python3 -c 'import hashlib; print(hashlib.pbkdf2_hmac("sha256", b"correct horse", bytes(range(16)), 1000).hex())'
  const hex = "c914cc4f06cc6e8f46d157e3a1b5aa7abceebb17bb0444cd4c4ac16ca2ae9864";
  const passwordHash = `$pbkdf2-sha256$i=1000$AAECAwQFBgcICQoLDA0ODw$${unpadded(Buffer.from(hex, "hex"))}`;
  assert(await isHashOf("correct horse", passwordHash));
  assertFalse(await isHashOf("Correct horse", passwordHash));
});

Deno.test("hashPassword() makes what another implementation makes of the same salt", async () => {
  for (const [password, , iterations] of vectors) {
    const passwordHash = await hashPassword(password, pbkdf2(iterations));
    const salt = Buffer.from(passwordHash.split("$")[3] ?? "", "base64");
    assertEquals(passwordHash, phcByNode(password, { salt, iterations }));
  }
});

Deno.test("hashPassword() writes a 16-byte salt and a 32-byte hash in unpadded base64", async () => {
  const passwordHash = await hashPassword("password", pbkdf2(7));
  assertMatch(passwordHash, /^\$pbkdf2-sha256\$i=7\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/);
  const [, , , salt, hash] = passwordHash.split("$").map((part) => Buffer.from(part, "base64"));
  assertEquals([salt?.length, hash?.length], [16, 32]);
});

Deno.test("hashPassword() never repeats a salt or a hash", async () => {
  const hashes = await Promise.all(Array.from({ length: 100 }, () => hashPassword("password", pbkdf2(1))));
  assertEquals(new Set(hashes.map((text) => text.split("$")[3])).size, 100);
  assertEquals(new Set(hashes.map((text) => text.split("$")[4])).size, 100);
});

Deno.test("hashPassword() refuses to hash without an iteration", async () => {
  await assertRejects(() => hashPassword("password", pbkdf2(0)));
});

Deno.test("recommendedIterations is what OWASP recommends", () => {
  assertEquals(recommendedIterations, 600_000);
});

Deno.test("parseStoredHash() verifies no hash when one bit of it differs, first or last", async () => {
  const hash = pbkdf2Sync("password", countedSalt, 1, 32, "sha256");
  const textOf = (bytes: Buffer) => `$pbkdf2-sha256$i=1$${unpadded(countedSalt)}$${unpadded(bytes)}`;
  assert(await isHashOf("password", textOf(hash)));
  for (const [index, bit] of [[0, 0x80], [15, 0x10], [31, 0x01]] as const) {
    const flipped = Buffer.from(hash);
    flipped[index] = (flipped[index] ?? 0) ^ bit;
    assertFalse(await isHashOf("password", textOf(flipped)), `byte ${index}`);
  }
});

Deno.test("parseStoredHash() reads the cost and the salt from the hash", async () => {
  const passwordHash = phcByNode("password", { salt: countedSalt, iterations: 5 });
  assertFalse(await isHashOf("password", passwordHash.replace("i=5", "i=6")));
  assertFalse(
    await isHashOf("password", passwordHash.replace(unpadded(countedSalt), unpadded(zeroSalt))),
  );
});

const goodSalt = "A".repeat(22);
const goodHash = "B".repeat(43);
const malformed: readonly string[] = [
  "",
  "password",
  "$",
  "$$$$",
  `pbkdf2-sha256$i=1$${goodSalt}$${goodHash}`,
  `$pbkdf2-sha1$i=1$${goodSalt}$${goodHash}`,
  `$pbkdf2-sha512$i=1$${goodSalt}$${goodHash}`,
  `$PBKDF2-SHA256$i=1$${goodSalt}$${goodHash}`,
  `$pbkdf2-sha256$${goodSalt}$${goodHash}`,
  `$pbkdf2-sha256$i=$${goodSalt}$${goodHash}`,
  `$pbkdf2-sha256$i=0$${goodSalt}$${goodHash}`,
  `$pbkdf2-sha256$i=01$${goodSalt}$${goodHash}`,
  `$pbkdf2-sha256$i=-1$${goodSalt}$${goodHash}`,
  `$pbkdf2-sha256$i=+1$${goodSalt}$${goodHash}`,
  `$pbkdf2-sha256$i=1.5$${goodSalt}$${goodHash}`,
  `$pbkdf2-sha256$i=1e5$${goodSalt}$${goodHash}`,
  `$pbkdf2-sha256$i=0x10$${goodSalt}$${goodHash}`,
  `$pbkdf2-sha256$i= 1$${goodSalt}$${goodHash}`,
  `$pbkdf2-sha256$i=١$${goodSalt}$${goodHash}`,
  // A cost of nine digits would keep a thread busy for minutes.
  `$pbkdf2-sha256$i=10000001$${goodSalt}$${goodHash}`,
  `$pbkdf2-sha256$i=999999999$${goodSalt}$${goodHash}`,
  `$pbkdf2-sha256$i=1000000000$${goodSalt}$${goodHash}`,
  `$pbkdf2-sha256$i=1,l=32$${goodSalt}$${goodHash}`,
  `$pbkdf2-sha256$I=1$${goodSalt}$${goodHash}`,
  `$pbkdf2-sha256$i=1$$${goodHash}`,
  `$pbkdf2-sha256$i=1$${goodSalt}$`,
  `$pbkdf2-sha256$i=1$${goodSalt}`,
  `$pbkdf2-sha256$i=1$${goodSalt.slice(1)}$${goodHash}`,
  `$pbkdf2-sha256$i=1$${goodSalt}A$${goodHash}`,
  `$pbkdf2-sha256$i=1$${goodSalt}$${goodHash.slice(1)}`,
  `$pbkdf2-sha256$i=1$${goodSalt}$${goodHash}B`,
  `$pbkdf2-sha256$i=1$${goodSalt}==$${goodHash}=`,
  `$pbkdf2-sha256$i=1$${"-".repeat(22)}$${goodHash}`,
  `$pbkdf2-sha256$i=1$${goodSalt}$${"_".repeat(43)}`,
  `$pbkdf2-sha256$i=1$${goodSalt} $${goodHash.slice(1)}`,
  ` $pbkdf2-sha256$i=1$${goodSalt}$${goodHash}`,
  `$pbkdf2-sha256$i=1$${goodSalt}$${goodHash}\n`,
  `\n$pbkdf2-sha256$i=1$${goodSalt}$${goodHash}`,
  `$pbkdf2-sha256$i=1$${goodSalt}$${goodHash}$`,
  `$pbkdf2-sha256$i=1$${goodSalt}$${goodHash}$pbkdf2-sha256$i=1$${goodSalt}$${goodHash}`,
];

Deno.test("iterationsOf() is 0 of any other text, and parseStoredHash() repeats nothing of it", async () => {
  const good = `$pbkdf2-sha256$i=1$${goodSalt}$${goodHash}`;
  assertEquals([await isHashOf("x", good), iterationsOf(good)], [false, 1]);
  for (const text of malformed) {
    assertEquals(iterationsOf(text), 0, text);
    // Some are hashes as other programs write them.
    const result = await isHashOf("x", text).catch((error: unknown) => error);
    if (result === false) continue;
    assertInstanceOf(result, RangeError, text);
    assertFalse(result.message.includes(goodSalt) || result.message.includes(goodHash));
  }
});

Deno.test("iterationsOf() knows a hash of as many iterations as can be set, and none of more", () => {
  assertEquals(maxIterations, 10_000_000);
  assertEquals(settings.pbkdf2Iterations.parse(String(maxIterations)), maxIterations);
  assertThrows(() => settings.pbkdf2Iterations.parse(String(maxIterations + 1)), RangeError);
  assertEquals(iterationsOf(`$pbkdf2-sha256$i=${maxIterations}$${goodSalt}$${goodHash}`), maxIterations);
});

Deno.test("hashPassword() names its cost as iterationsOf() reads it", async () => {
  const passwordHash = await hashPassword("password", pbkdf2(321));
  assertStringIncludes(passwordHash, "$i=321$");
  assertEquals(iterationsOf(passwordHash), 321);
});
