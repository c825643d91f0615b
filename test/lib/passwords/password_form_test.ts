/** Which texts are the same password, and which cannot be a password. */
import { assert, assertEquals, assertFalse, assertNotEquals, assertRejects } from "@std/assert";
import { assertLess } from "@std/assert";
import {
  hashPassword,
  isSamePassword,
  maxMarksInARow,
  normalizePassword,
} from "../../../lib/passwords/password_hash.ts";
import { isHashOf } from "../../support/passwords/verify.ts";
import { countedSalt, pbkdf2, phcByNode, zeroSalt } from "../../support/passwords/phc.ts";

const nfc: readonly (readonly [title: string, one: string, other: string])[] = [
  ["an accent, composed or combined", "caf\u00e9", "cafe\u0301"],
  ["two marks in another order", "q\u0307\u0323", "q\u0323\u0307"],
  ["a Hangul syllable and its letters", "\ud55c", "\u1112\u1161\u11ab"],
  ["the Ångström sign and the letter", "\u212b", "\u00c5"],
];
for (const [title, one, other] of nfc) {
  Deno.test(`parseStoredHash() takes for the same password ${title}`, async () => {
    assertNotEquals(one, other);
    assert(await isHashOf(other, await hashPassword(one, pbkdf2(1))));
    assert(await isHashOf(one, await hashPassword(other, pbkdf2(1))));
    // It is the composed spelling that is hashed, which no later version may change.
    const passwordHash = phcByNode(one.normalize("NFC"), { salt: countedSalt, iterations: 1 });
    assert(await isHashOf(other, passwordHash));
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
    await assertRejects(() => hashPassword(nobodys, pbkdf2(1)), TypeError);
    assertEquals(await isHashOf(good, await hashPassword(good, pbkdf2(1))), true);
    // As an earlier version has hashed it: for HMAC the end of NUL makes no difference (RFC 2104, 2).
    for (const password of [nobodys, nobodys.replaceAll("\0", "")]) {
      assertFalse(
        await isHashOf(nobodys, phcByNode(password.normalize("NFC"), { salt: zeroSalt, iterations: 1 })),
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
  Deno.test(`parseStoredHash() takes both forms of the longest password for the same: ${password[0]}`, async () => {
    const [composed, decomposed] = [password.normalize("NFC"), password.normalize("NFD")];
    assertEquals(new TextEncoder().encode(composed).length, 1_024);
    assertNotEquals(composed, decomposed);
    assert(await isHashOf(decomposed, await hashPassword(composed, pbkdf2(1))));
    assert(await isHashOf(composed, await hashPassword(decomposed, pbkdf2(1))));
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
  Deno.test(`parseStoredHash() tells apart ${title}`, async () => {
    assertFalse(await isHashOf(other, await hashPassword(one, pbkdf2(1))));
    assertFalse(await isHashOf(one, await hashPassword(other, pbkdf2(1))));
  });
}
