import { assert, assertEquals, assertFalse, assertMatch, assertNotEquals, assertRejects } from "@std/assert";
import { assertStringIncludes, assertThrows } from "@std/assert";
import { Buffer } from "node:buffer";
import { pbkdf2Sync } from "node:crypto";
import {
  hashPassword,
  iterationsOf,
  maxNormalizedLength,
  normalizePassword,
  recommendedIterations,
  verifyPassword,
} from "../../lib/password.ts";

/** PHC text made by OpenSSL's PBKDF2 in Node, which shares no code with WebCrypto in Deno's use of it here. */
function phcByNode(password: string, options: { salt: Buffer; iterations: number }): string {
  const { salt, iterations } = options;
  const hash = pbkdf2Sync(Buffer.from(password, "utf8"), salt, iterations, 32, "sha256");
  return `$pbkdf2-sha256$i=${iterations}$${unpadded(salt)}$${unpadded(hash)}`;
}

function unpadded(bytes: Buffer): string {
  return bytes.toString("base64").replace(/=+$/, "");
}

const zeroSalt = Buffer.alloc(16);
const highSalt = Buffer.alloc(16, 0xff);
const countedSalt = Buffer.from("000102030405060708090a0b0c0d0e0f", "hex");

const vectors: readonly (readonly [password: string, salt: Buffer, iterations: number])[] = [
  ["password", countedSalt, 1],
  ["password", countedSalt, 2],
  ["password", countedSalt, 1_000],
  ["passwordPASSWORDpassword", zeroSalt, 10],
  ["", zeroSalt, 1],
  ["a\0b", highSalt, 1],
  ["pässwörd", countedSalt, 3],
  ["パスワード🔑", highSalt, 3],
  // HMAC hashes a key of more than one block of SHA-256 first.
  ["x".repeat(64), countedSalt, 5],
  ["x".repeat(65), countedSalt, 5],
  ["x".repeat(1_024), countedSalt, 5],
];

Deno.test("verifyPassword() knows what another implementation of PBKDF2-HMAC-SHA256 has hashed", async () => {
  for (const [password, salt, iterations] of vectors) {
    const passwordHash = phcByNode(password, { salt, iterations });
    assert(await verifyPassword(password, passwordHash), password);
    assertFalse(await verifyPassword(`${password}!`, passwordHash), password);
  }
});

Deno.test("verifyPassword() knows a hash written down beforehand", async () => {
  // python3 -c 'import hashlib; print(hashlib.pbkdf2_hmac("sha256", b"correct horse", bytes(range(16)), 1000).hex())'
  const hex = "c914cc4f06cc6e8f46d157e3a1b5aa7abceebb17bb0444cd4c4ac16ca2ae9864";
  const passwordHash = `$pbkdf2-sha256$i=1000$AAECAwQFBgcICQoLDA0ODw$${unpadded(Buffer.from(hex, "hex"))}`;
  assert(await verifyPassword("correct horse", passwordHash));
  assertFalse(await verifyPassword("Correct horse", passwordHash));
});

Deno.test("hashPassword() makes what another implementation makes of the same salt", async () => {
  for (const [password, , iterations] of vectors) {
    const passwordHash = await hashPassword(password, iterations);
    const salt = Buffer.from(passwordHash.split("$")[3] ?? "", "base64");
    assertEquals(passwordHash, phcByNode(password, { salt, iterations }));
  }
});

Deno.test("hashPassword() writes a 16-byte salt and a 32-byte hash in unpadded base64", async () => {
  const passwordHash = await hashPassword("password", 7);
  assertMatch(passwordHash, /^\$pbkdf2-sha256\$i=7\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/);
  const [, , , salt, hash] = passwordHash.split("$").map((part) => Buffer.from(part, "base64"));
  assertEquals([salt?.length, hash?.length], [16, 32]);
});

Deno.test("hashPassword() never repeats a salt or a hash", async () => {
  const hashes = await Promise.all(Array.from({ length: 100 }, () => hashPassword("password", 1)));
  assertEquals(new Set(hashes.map((text) => text.split("$")[3])).size, 100);
  assertEquals(new Set(hashes.map((text) => text.split("$")[4])).size, 100);
});

Deno.test("hashPassword() refuses to hash without an iteration", async () => {
  await assertRejects(() => hashPassword("password", 0));
});

Deno.test("recommendedIterations is what OWASP recommends", () => {
  assertEquals(recommendedIterations, 600_000);
});

const nfc: readonly (readonly [title: string, one: string, other: string])[] = [
  ["an accent, composed or combined", "caf\u00e9", "cafe\u0301"],
  ["two marks in another order", "q\u0307\u0323", "q\u0323\u0307"],
  ["a Hangul syllable and its letters", "\ud55c", "\u1112\u1161\u11ab"],
  ["the Ångström sign and the letter", "\u212b", "\u00c5"],
];
for (const [title, one, other] of nfc) {
  Deno.test(`verifyPassword() takes for the same password ${title}`, async () => {
    assertNotEquals(one, other);
    assert(await verifyPassword(other, await hashPassword(one, 1)));
    assert(await verifyPassword(one, await hashPassword(other, 1)));
    // It is the composed spelling that is hashed, which no later version may change.
    const passwordHash = phcByNode(one.normalize("NFC"), { salt: countedSalt, iterations: 1 });
    assert(await verifyPassword(other, passwordHash));
  });
}

Deno.test("normalizePassword() makes NFC of up to 4,096 UTF-16 units, and leaves what is longer as it is", () => {
  assertEquals(maxNormalizedLength, 4_096);
  const longest = "e\u0301".repeat(2_048);
  assertEquals(longest.length, 4_096);
  assertEquals(normalizePassword(longest), "\u00e9".repeat(2_048));
  for (const longer of [`${longest}x`, `x${longest}`, longest.repeat(4)]) {
    assertEquals(normalizePassword(longer), longer);
  }
  assertEquals(["", "abc", "\ufb01"].map(normalizePassword), ["", "abc", "\ufb01"]);
});

/** Of 1,024 bytes in NFC, in letters that become the most in NFD: two bytes to three units, three bytes to four. */
const longestPasswords: readonly string[] = [
  "\u0390".repeat(512),
  "\u1f82".repeat(341) + "x",
  "\ud55c".repeat(341) + "x",
];
for (const password of longestPasswords) {
  Deno.test(`verifyPassword() takes both forms of the longest password for the same: ${password[0]}`, async () => {
    const [composed, decomposed] = [password.normalize("NFC"), password.normalize("NFD")];
    assertEquals(new TextEncoder().encode(composed).length, 1_024);
    assertNotEquals(composed, decomposed);
    assert(await verifyPassword(decomposed, await hashPassword(composed, 1)));
    assert(await verifyPassword(composed, await hashPassword(decomposed, 1)));
  });
}

Deno.test("verifyPassword() refuses what is longer than any password as it is", async () => {
  const long = "e\u0301".repeat(8_192);
  assertFalse(await verifyPassword(long, await hashPassword(long.normalize("NFC"), 1)));
});

const different: readonly (readonly [title: string, one: string, other: string])[] = [
  ["capitals", "password", "Password"],
  ["a space at the end", "password", "password "],
  ["a space at the beginning", "password", " password"],
  // At the end of a short one it would be no difference: HMAC pads its key with NUL (RFC 2104, 2).
  ["a NUL at the beginning", "password", "\0password"],
  ["what follows a NUL", "pass\0word", "pass\0wort"],
  ["a ligature and its letters: NFC, not NFKC", "\ufb01re", "fire"],
  ["full-width letters", "\uff41", "a"],
  ["what differs after 72 bytes, where bcrypt stops", `${"x".repeat(72)}a`, `${"x".repeat(72)}b`],
  ["nothing", "", " "],
];
for (const [title, one, other] of different) {
  Deno.test(`verifyPassword() tells apart ${title}`, async () => {
    assertFalse(await verifyPassword(other, await hashPassword(one, 1)));
    assertFalse(await verifyPassword(one, await hashPassword(other, 1)));
  });
}

Deno.test("verifyPassword() takes a hash for another when one bit of it differs, first or last", async () => {
  const hash = pbkdf2Sync("password", countedSalt, 1, 32, "sha256");
  const textOf = (bytes: Buffer) => `$pbkdf2-sha256$i=1$${unpadded(countedSalt)}$${unpadded(bytes)}`;
  assert(await verifyPassword("password", textOf(hash)));
  for (const [index, bit] of [[0, 0x80], [15, 0x10], [31, 0x01]] as const) {
    const flipped = Buffer.from(hash);
    flipped[index] = (flipped[index] ?? 0) ^ bit;
    assertFalse(await verifyPassword("password", textOf(flipped)), `byte ${index}`);
  }
});

Deno.test("verifyPassword() reads the cost and the salt from the hash", async () => {
  const passwordHash = phcByNode("password", { salt: countedSalt, iterations: 5 });
  assertFalse(await verifyPassword("password", passwordHash.replace("i=5", "i=6")));
  assertFalse(
    await verifyPassword("password", passwordHash.replace(unpadded(countedSalt), unpadded(zeroSalt))),
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
  `$argon2id$v=19$m=65536,t=3,p=4$${goodSalt}$${goodHash}`,
  `$pbkdf2-sha256$${goodSalt}$${goodHash}`,
  `$pbkdf2-sha256$1$${goodSalt}$${goodHash}`,
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
  // A cost of ten digits would keep a thread busy for an hour.
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

Deno.test("verifyPassword() and iterationsOf() refuse what is no hash, and do not repeat it", async () => {
  const good = `$pbkdf2-sha256$i=1$${goodSalt}$${goodHash}`;
  assertEquals([await verifyPassword("x", good), iterationsOf(good)], [false, 1]);
  for (const text of malformed) {
    const errors = [
      await assertRejects(() => verifyPassword("x", text), TypeError, "Cannot parse a password hash", text),
      assertThrows(() => iterationsOf(text), TypeError, "Cannot parse a password hash", text),
    ];
    for (const { message } of errors) assertFalse(message.includes(goodSalt) || message.includes(goodHash));
  }
});

Deno.test("hashPassword() names its cost as iterationsOf() reads it", async () => {
  const passwordHash = await hashPassword("password", 321);
  assertStringIncludes(passwordHash, "$i=321$");
  assertEquals(iterationsOf(passwordHash), 321);
});
