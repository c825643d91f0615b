import { assert, assertEquals, assertFalse, assertMatch, assertNotEquals, assertRejects } from "@std/assert";
import { assertLess, assertStringIncludes, assertThrows } from "@std/assert";
import { Buffer } from "node:buffer";
import { pbkdf2Sync } from "node:crypto";
import { maxIterations, recommendedIterations, settings } from "../../../lib/config/settings.ts";
import {
  hashPassword,
  isSamePassword,
  iterationsOf,
  maxMarksInARow,
  normalizePassword,
  verifyPassword,
} from "../../../lib/passwords/password_hash.ts";

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
  ["a\tb\x01\n", highSalt, 1],
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

const mark = "\u0301";
/** Of descending class, so that each has to be moved before all others: the worst that NFC can be given. */
const descending = "\u0301\u0323\u0334";

Deno.test("normalizePassword() makes NFC", () => {
  assertEquals(["", "abc", "e\u0301", "\ufb01"].map(normalizePassword), ["", "abc", "\u00e9", "\ufb01"]);
});

/** Each beside one that is just good. */
const nobodysPasswords: readonly (readonly [title: string, nobodys: string, good: string])[] = [
  ["of more than 4,096 bytes", "x".repeat(4_097), "x".repeat(4_096)],
  ["of more than 4,096 bytes in fewer characters", "\u0439".repeat(2_049), "\u0439".repeat(2_048)],
  ["with more than 30 marks in a row", `e${mark.repeat(31)}`, `e${mark.repeat(30)}`],
  ["of marks alone", mark.repeat(31), mark.repeat(30)],
  ["with too many marks at its end", `${`e${mark.repeat(30)}`.repeat(20)}${mark}`, `e${mark.repeat(30)}`.repeat(20)],
  ["with NUL at its end", "password\0", "password\x01"],
  ["with NUL at its beginning", "\0password", "\tpassword"],
  ["of NUL alone", "\0", ""],
];
for (const [title, nobodys, good] of nobodysPasswords) {
  Deno.test(`what is nobody's password is not normalized, hashed or right: ${title}`, async () => {
    assertEquals(normalizePassword(nobodys), undefined);
    assertEquals(normalizePassword(good), good.normalize("NFC"));
    await assertRejects(() => hashPassword(nobodys, 1), TypeError);
    assertEquals(await verifyPassword(good, await hashPassword(good, 1)), true);
    // As an earlier version has hashed it: for HMAC the end of NUL makes no difference (RFC 2104, 2).
    for (const password of [nobodys, nobodys.replaceAll("\0", "")]) {
      assertFalse(
        await verifyPassword(nobodys, phcByNode(password.normalize("NFC"), { salt: zeroSalt, iterations: 1 })),
      );
    }
    assertEquals([isSamePassword(nobodys, nobodys), isSamePassword(good, good)], [false, true]);
  });
}

Deno.test("isSamePassword() compares what is hashed", () => {
  assertEquals(maxMarksInARow, 30);
  assert(isSamePassword("caf\u00e9", "cafe\u0301"));
  for (const other of ["cafe", "cafe\u0300", "Cafe\u0301", "cafe\u0301 ", ""]) {
    assertFalse(isSamePassword("caf\u00e9", other));
  }
});

Deno.test("normalizePassword() takes no more than a moment for whatever is sent, at most 16 KiB", () => {
  const runs = ["e", "\ud55c", "\u1f82", ""].map((letter) => `${letter}${descending.repeat(10)}`);
  const worst = [
    ...runs.flatMap((run) => [run.repeat(65), run.repeat(1_000)]),
    descending.repeat(5_000),
    `${"x".repeat(4_000)}${descending.repeat(10)}`,
    "\u0390".repeat(2_048),
    `${mark.repeat(30)}x`.repeat(66),
  ];
  for (const text of worst.map((text) => text.slice(0, 16_384))) {
    // The shortest of some, as others work on this machine too.
    const took = Array.from({ length: 9 }, () => {
      const startedAt = performance.now();
      normalizePassword(text);
      return performance.now() - startedAt;
    });
    assertLess(Math.min(...took), 2, `ms for ${JSON.stringify(text.slice(0, 40))}, ${text.length} units`);
  }
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

const different: readonly (readonly [title: string, one: string, other: string])[] = [
  ["capitals", "password", "Password"],
  ["a space at the end", "password", "password "],
  ["a space at the beginning", "password", " password"],
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

Deno.test("verifyPassword() refuses an invalid hash without repeating it, and iterationsOf() is 0", async () => {
  const good = `$pbkdf2-sha256$i=1$${goodSalt}$${goodHash}`;
  assertEquals([await verifyPassword("x", good), iterationsOf(good)], [false, 1]);
  for (const text of malformed) {
    const error = await assertRejects(() => verifyPassword("x", text), TypeError, "Cannot parse a password hash", text);
    assertFalse(error.message.includes(goodSalt) || error.message.includes(goodHash));
    assertEquals(iterationsOf(text), 0, text);
  }
});

Deno.test("iterationsOf() knows a hash of as many iterations as can be set, and none of more", () => {
  assertEquals(maxIterations, 10_000_000);
  assertEquals(settings.pbkdf2Iterations.parse(String(maxIterations)), maxIterations);
  assertThrows(() => settings.pbkdf2Iterations.parse(String(maxIterations + 1)), RangeError);
  assertEquals(iterationsOf(`$pbkdf2-sha256$i=${maxIterations}$${goodSalt}$${goodHash}`), maxIterations);
});

Deno.test("hashPassword() names its cost as iterationsOf() reads it", async () => {
  const passwordHash = await hashPassword("password", 321);
  assertStringIncludes(passwordHash, "$i=321$");
  assertEquals(iterationsOf(passwordHash), 321);
});
