/** bcrypt, sha-crypt, MD5 crypt and phpass: what is computed, accepted and refused. `vectors_test.ts` verifies more. */
import { assert, assertEquals, assertLess, assertThrows } from "@std/assert";
import { hash } from "node:crypto";
import type { ParsedHash } from "../../../../lib/passwords/parsed_hash.ts";
import { compileSha2 } from "../../../../lib/passwords/kinds/sha2_wasm.ts";
import { slowKinds } from "../../../../lib/passwords/kinds/slow_kinds.ts";
import { cheapVectors } from "../../../support/passwords/vectors.ts";

function parse(text: string): ParsedHash | undefined {
  return slowKinds.map((parse) => parse(text)).find((parsed) => parsed !== undefined);
}

Deno.test("slowKinds compute every digest from the settings alone, as the Worker does", async () => {
  let count = 0;
  for (const { password, hash } of cheapVectors) {
    const parsed = parse(hash);
    if (parsed === undefined) continue;
    count++;
    const { settings, digest, isSlowScript } = parsed;
    assertEquals([settings + new TextDecoder().decode(digest), isSlowScript], [hash, true]);
    const ofSettings = parse(settings);
    assertEquals(ofSettings?.digest.length, 0);
    assertEquals(await ofSettings?.derive(new TextEncoder().encode(password)), digest, hash);
  }
  assertLess(100, count);
});

const salt22 = "abcdefghijklmnopqrstuu";
const accepted: readonly (readonly [settings: string, work: string, isFast: boolean])[] = [
  [`$2b$04$${salt22}`, "bcrypt cost=4", false],
  [`$2a$15$${salt22}`, "bcrypt cost=15", false],
  [`bcrypt$$2y$10$${salt22}`, "bcrypt cost=10", false],
  [`bcrypt_sha256$$2b$12$${salt22}`, "Django bcrypt_sha256 cost=12", false],
  [`$bcrypt-sha256$v=2,t=2b,r=4$${salt22}$`, "passlib bcrypt_sha256 v=2 cost=4", false],
  [`$bcrypt-sha256$2a,15$${salt22}$`, "passlib bcrypt_sha256 v=1 cost=15", false],
  ["$6$rounds=1000$$", "sha512_crypt rounds=1000,salt=0", true],
  ["$6$rounds=4999$salt$", "sha512_crypt rounds=4999,salt=4", true],
  ["$6$1234567890123456$", "sha512_crypt rounds=5000,salt=16", false],
  ["$5$rounds=1000000$a~b$", "sha256_crypt rounds=1000000,salt=3", false],
  ["$1$12345678$", "md5_crypt", true],
  ["$apr1$$", "apr1", true],
  ["$P$5saltSALT", "phpass rounds=128", true],
  ["$H$IsaltSALT", "phpass rounds=1048576", true],
];

for (const [settings, work, isFast] of accepted) {
  Deno.test(`slowKinds accept ${settings}`, () => {
    const parsed = parse(settings);
    assertEquals([parsed?.settings, parsed?.work, parsed?.isFast, parsed?.memoryBytes], [settings, work, isFast, 0]);
  });
}

const digest31 = "a".repeat(31);
const refused: readonly (readonly [text: string, reason: string])[] = [
  [`$2b$03$${salt22}${digest31}`, "its cost is less than 4"],
  [`$2b$16$${salt22}${digest31}`, "its cost is more than 15"],
  [`$2b$4$${salt22}${digest31}`, "it is not of the form $2b$COST$SALT DIGEST"],
  [`$2b$004$${salt22}${digest31}`, "it is not of the form"],
  [`$2x$10$${salt22}${digest31}`, "it is bcrypt of a faulty program ($2x$): invite the user with a ticket"],
  [`$2$10$${salt22}${digest31}`, "it is bcrypt of a faulty program ($2$)"],
  [`$2c$10$${salt22}${digest31}`, "it is not of the form"],
  [`$2b$10$${salt22.slice(1)}${digest31}`, "it is not of the form"],
  [`$2b$10$${salt22}${digest31}a`, "it is not of the form"],
  [`$2b$10$${salt22}${digest31}\n`, "it is not of the form"],
  [`$2b$10$${salt22.replace("a", "+")}${digest31}`, "it is not of the form"],
  [`bcrypt$$2b$31$${salt22}${digest31}`, "its cost is more than 15"],
  [`bcrypt$2b$10$${salt22}${digest31}`, "it is not of the form bcrypt$$2b$"],
  [`bcrypt_sha256$$2x$10$${salt22}${digest31}`, "it is bcrypt of a faulty program ($2x$)"],
  [`$bcrypt-sha256$v=2,t=2b,r=16$${salt22}$${digest31}`, "its cost is more than 15"],
  [`$bcrypt-sha256$v=2,t=2b,r=${"9".repeat(400)}$${salt22}$${digest31}`, "its cost is more than 15"],
  [`$bcrypt-sha256$v=3,t=2b,r=12$${salt22}$${digest31}`, "it is not of the form $bcrypt-sha256$v=2,"],
  [`$bcrypt-sha256$2b,3$${salt22}$${digest31}`, "its cost is less than 4"],
  [`$bcrypt-sha256$2b,12$${salt22}${digest31}`, "it is not of the form $bcrypt-sha256$2b,"],
  [`$6$rounds=999$salt$${"a".repeat(86)}`, "its number of rounds is less than 1000"],
  [`$6$rounds=1000001$salt$${"a".repeat(86)}`, "its number of rounds is more than 1000000"],
  [`$6$rounds=05000$salt$${"a".repeat(86)}`, "its number of rounds is not a decimal number"],
  [`$6$rounds=-1$salt$${"a".repeat(86)}`, "it is not of the form"],
  [`$6$rounds=5000$12345678901234567$${"a".repeat(86)}`, "it is not of the form $6$[rounds=ROUNDS$]SALT$DIGEST"],
  [`$6$sa:lt$${"a".repeat(86)}`, "it is not of the form"],
  [`$6$salt$${"a".repeat(85)}`, "it is not of the form"],
  [`$6$salt${"a".repeat(86)}`, "it is not of the form"],
  [`$5$salt$${"a".repeat(86)}`, "it is not of the form $5$"],
  [`$5$rounds=$salt$${"a".repeat(43)}`, "it is not of the form"],
  [`$1$123456789$${"a".repeat(22)}`, "it is not of the form $1$SALT$DIGEST"],
  [`$apr1$salt$${"a".repeat(21)}`, "it is not of the form $apr1$SALT$DIGEST"],
  [`$P$4saltSALT${"a".repeat(22)}`, "its logarithm of rounds is less than 7"],
  [`$P$JsaltSALT${"a".repeat(22)}`, "its logarithm of rounds is more than 20"],
  [`$H$BsaltSAL${"a".repeat(22)}`, "it is not of the form $P$"],
  [`$P$BsaltSALT${"a".repeat(23)}`, "it is not of the form"],
];

for (const [text, reason] of refused) {
  Deno.test(`slowKinds refuse ${text.slice(0, 60).trim()}… of ${text.length}`, () => {
    const error = assertThrows(() => parse(text), RangeError, reason);
    // A logged hash can be guessed at.
    assert(!error.message.includes("aaaa"));
  });
}

Deno.test("slowKinds leave other texts to other kinds", () => {
  for (const text of ["", "$", "$7$salt$", "$pbkdf2-sha256$1$a$a", "$PX$", "md5$salt$00", "{SHA}a", "$y$j9T$a$a"]) {
    assertEquals(parse(text), undefined, text);
  }
});

Deno.test("bcrypt ignores all bytes after 72, and Django and passlib do not", async () => {
  const [long, longer] = ["a".repeat(72), `${"a".repeat(72)}b`].map((text) => new TextEncoder().encode(text));
  assert(long && longer);
  const isSame = async (settings: string) => {
    const [one, other] = [await parse(settings)?.derive(long), await parse(settings)?.derive(longer)];
    return new TextDecoder().decode(one) === new TextDecoder().decode(other);
  };
  assertEquals(await isSame(`$2b$04$${salt22}`), true);
  assertEquals(await isSame(`bcrypt_sha256$$2b$04$${salt22}`), false);
  assertEquals(await isSame(`$bcrypt-sha256$v=2,t=2b,r=4$${salt22}$`), false);
});

for (const [wordBits, algorithm] of [[32, "sha256"], [64, "sha512"]] as const) {
  Deno.test(`compileSha2() makes ${algorithm}, for one block and for several`, () => {
    const sha2 = compileSha2(wordBits);
    const memory = new Uint8Array(sha2.memory.buffer);
    const [blockBytes, start] = [wordBits * 2, 1_000];
    for (const blocks of [1, 2, 5]) {
      const message = crypto.getRandomValues(new Uint8Array((blocks - 1) * blockBytes + 20));
      memory.fill(0).set(message, start);
      memory[start + message.length] = 0x80;
      const end = start + blocks * blockBytes;
      new DataView(memory.buffer).setUint32(end - 4, message.length * 8);
      // The digest may replace the message.
      sha2.hash(start, end, start + 1);
      assertEquals(memory.slice(start + 1, start + 1 + wordBits).toHex(), hash(algorithm, message));
    }
  });
}
