/** What each kind accepts and refuses: a row inside of each limit, and a row outside. */
import { assert, assertEquals, assertLess, assertThrows } from "@std/assert";
import { parseStoredHash } from "../../../../lib/passwords/stored_hash.ts";

const mib = 2 ** 20;
/** Bytes of zeros, as the programs write them. */
const hex = (bytes: number) => "00".repeat(bytes);
const base64 = (bytes: number) => new Uint8Array(bytes).toBase64();
const unpadded = (bytes: number) => base64(bytes).replaceAll("=", "");
const salt = unpadded(16);

const werkzeug = (head: string, digest = hex(32)) => `pbkdf2:${head}$salt$${digest}`;
const passlib = (iterations: string, digestBytes = 32) =>
  `$pbkdf2-sha256$${iterations}$${salt}$${unpadded(digestBytes)}`;
const scrypt = (cost: string) => `scrypt:${cost}$salt$${hex(64)}`;
const phcScrypt = (cost: string, digestBytes = 32) => `$scrypt$${cost}$${salt}$${unpadded(digestBytes)}`;
const firebase = (cost: string, { key = base64(64), digest = base64(64), separator = "Bw==" } = {}) =>
  `$fbscrypt$v=1,${cost},ss=${separator},sk=${key}$${base64(8)}$${digest}`;
const argon2 = (head: string, { saltBytes = 16, digestBytes = 32 } = {}) =>
  `$${head}$${unpadded(saltBytes)}$${unpadded(digestBytes)}`;
const argon2Cost = (cost: string) => argon2(`argon2id$v=19$${cost}`);

const accepted: readonly (readonly [text: string, work: string, memoryBytes: number, isFast: boolean])[] = [
  [werkzeug("sha256:1"), "Werkzeug pbkdf2-sha256 i=1", 0, true],
  [werkzeug("sha256:9999"), "Werkzeug pbkdf2-sha256 i=9999", 0, true],
  [werkzeug("sha256:10000"), "Werkzeug pbkdf2-sha256 i=10000", 0, false],
  [werkzeug("sha256:10000000"), "Werkzeug pbkdf2-sha256 i=10000000", 0, false],
  [werkzeug("sha1:10000", hex(20)), "Werkzeug pbkdf2-sha1 i=10000", 0, false],
  [`pbkdf2_sha256$10000$salt$${base64(32)}`, "Django pbkdf2-sha256 i=10000", 0, false],
  [passlib("10000", 16), "passlib pbkdf2-sha256 i=10000", 0, false],
  [passlib("9999", 33), "passlib pbkdf2-sha256 i=9999,blocks=2", 0, true],
  [passlib("5000000", 64), "passlib pbkdf2-sha256 i=5000000,blocks=2", 0, false],
  [passlib("2500000", 128), "passlib pbkdf2-sha256 i=2500000,blocks=4", 0, false],
  [`{pbkdf2-Sha512}10000$$${unpadded(64)}`, "LDAP pbkdf2-sha512 i=10000", 0, false],
  [`{PBKDF2-SHA384}10000$$${unpadded(48)}`, "LDAP pbkdf2-sha384 i=10000", 0, false],
  [`$pbkdf2-sha256$i=10000,l=16$${salt}$${unpadded(16)}`, "PHC pbkdf2-sha256 i=10000", 0, false],
  [scrypt("2:1:1"), "Werkzeug scrypt N=2,r=1,p=1", 384, true],
  [scrypt("512:7:1"), "Werkzeug scrypt N=512,r=7,p=1", 128 * 7 * 513, true],
  [scrypt("512:8:1"), "Werkzeug scrypt N=512,r=8,p=1", 128 * 8 * 513, false],
  [scrypt("1048576:8:1"), "Werkzeug scrypt N=1048576,r=8,p=1", 1_024 * mib + 1_024, false],
  [scrypt("2048:64:64"), "Werkzeug scrypt N=2048,r=64,p=64", 128 * 64 * (2_048 + 64), false],
  [phcScrypt("ln=15,r=1,p=1", 16), "PHC scrypt N=32768,r=1,p=1", 128 * 32_769, false],
  [phcScrypt("ln=1,r=8,p=1", 64), "PHC scrypt N=2,r=8,p=1", 3_072, true],
  [`scrypt$16384$salt$8$5$${base64(64)}`, "Django scrypt N=16384,r=8,p=5", 128 * 8 * (16_384 + 5), false],
  [firebase("n=14,r=8,p=1"), "Firebase scrypt N=16384,r=8,p=1", 128 * 8 * 16_385, false],
  [firebase("n=1,r=8,p=1", { separator: "" }), "Firebase scrypt N=2,r=8,p=1", 3_072, true],
  [argon2Cost("m=8,t=1,p=1"), "PHC argon2id m=8,t=1,p=1", 8_192, true],
  [argon2Cost("m=2047,t=1,p=1"), "PHC argon2id m=2047,t=1,p=1", 2_047 * 1_024, true],
  [argon2Cost("m=2048,t=1,p=1"), "PHC argon2id m=2048,t=1,p=1", 2 * mib, false],
  [argon2Cost("m=2040,t=2,p=255"), "PHC argon2id m=2040,t=2,p=255", 2_040 * 1_024, false],
  [argon2Cost("m=1048576,t=4,p=1"), "PHC argon2id m=1048576,t=4,p=1", 1_024 * mib, false],
  [
    argon2("argon2d$v=19$m=2048,t=1,p=1", { saltBytes: 8, digestBytes: 4 }),
    "PHC argon2d m=2048,t=1,p=1",
    2 * mib,
    false,
  ],
  [argon2("argon2i$v=19$m=2048,t=1,p=1", { digestBytes: 128 }), "PHC argon2i m=2048,t=1,p=1", 2 * mib, false],
  [`{Argon2}${argon2Cost("m=2048,t=1,p=1")}`, "LDAP argon2id m=2048,t=1,p=1", 2 * mib, false],
  [`argon2${argon2Cost("m=19456,t=2,p=1")}`, "Django argon2id m=19456,t=2,p=1", 19 * mib, false],
  [`{sSha}${base64(21)}`, "LDAP {SSHA}", 0, true],
  [`{SSHA}${base64(84)}`, "LDAP {SSHA}", 0, true],
  [`{SHA512}${base64(64)}`, "LDAP {SHA512}", 0, true],
];

for (const [text, work, memoryBytes, isFast] of accepted) {
  Deno.test(`parseStoredHash() accepts ${text.slice(0, 40)}…: ${work}`, () => {
    const stored = parseStoredHash(text);
    assertEquals([stored.work, stored.memoryBytes, stored.isFast], [work, memoryBytes, isFast]);
    assertEquals(stored.script, undefined);
    assert(stored.digest.every((byte) => byte === 0));
  });
}

Deno.test("parseStoredHash() refuses every text with something in front of it or behind it", () => {
  for (const text of accepted.map(([text]) => text)) {
    for (const longer of [`x${text}`, ` ${text}`, `${text}$`, `${text}$x`, `${text}\n`, `${text}*1`]) {
      assertThrows(() => parseStoredHash(longer), RangeError, "", longer);
    }
  }
});

const iterations = "its number of iterations is";
const refused: readonly (readonly [text: string, reason: string])[] = [
  [werkzeug("sha256:0"), `${iterations} less than 1`],
  [werkzeug("sha256:10000001"), `${iterations} more than 10000000`],
  [werkzeug(`sha256:${"9".repeat(400)}`), `${iterations} more than 10000000`],
  [werkzeug("sha256:01"), `${iterations.slice(0, -3)} is not a decimal number`],
  [werkzeug("sha256:+1"), "it is not of the form pbkdf2:sha256:ITERATIONS$SALT$HEX"],
  [werkzeug("sha256:1e3"), "it is not of the form"],
  [werkzeug("sha256:1_000"), "it is not of the form"],
  [werkzeug("sha256:"), "it is not of the form"],
  [werkzeug("sha256"), "it is not of the form"],
  [werkzeug("sha3_256:1000"), "it is not of the form"],
  [werkzeug("md5:1000", hex(16)), "it is not of the form"],
  [`pbkdf2:sha256:1000$$${hex(32)}`, "it is not of the form"],
  [`pbkdf2:sha256:1000$sa\nlt$${hex(32)}`, "it is not of the form"],
  [`pbkdf2:sha256:1000$salt$${hex(32)}\n`, "a part of it is not hexadecimal in lower case"],
  [werkzeug("sha256:1000", ""), "it is not of the form"],
  [werkzeug("sha256:1000", hex(31)), "its digest, in bytes, is less than 32"],
  [werkzeug("sha256:1000", hex(33)), "its digest, in bytes, is more than 32"],
  [werkzeug("sha256:1000", `${hex(31)}0`), "a part of it is not hexadecimal in lower case"],
  [werkzeug("sha256:1000", `${hex(31)}AA`), "a part of it is not hexadecimal in lower case"],
  [werkzeug("sha256:1000", "*32"), "it has no digest"],
  [werkzeug("sha256:1000", "*31"), "its digest, in bytes, is less than 32"],
  [werkzeug("sha256:1000", "*"), "its digest, in bytes, is not a decimal number"],
  [`pbkdf2_sha256$1000$$${base64(32)}`, "it is not of the form"],
  [`pbkdf2_sha256$1000$salt$${base64(33)}`, "its digest, in bytes, is more than 32"],
  [`pbkdf2_sha256$1000$salt$${unpadded(32)}`, "a part of it is not base64"],
  [`pbkdf2_sha256$1000$salt$${"A".repeat(42)}B=`, "a part of it is not base64"],
  [`pbkdf2_sha256$1000$salt$ ${base64(32)}`, "a part of it is not base64"],
  [`pbkdf2_sha512$1000$salt$${base64(64)}`, "it is not of the form pbkdf2_sha256$ITERATIONS$SALT$BASE64"],
  [`pbkdf2_sha256$1000$sa$lt$${base64(32)}`, "it is not of the form"],
  [passlib("0"), `${iterations} less than 1`],
  [passlib("10000001"), `${iterations} more than 10000000`],
  [passlib("5000001", 64), "its number of iterations, for all parts of its digest, is more than 10000000"],
  [passlib("1", 15), "its digest, in bytes, is less than 16"],
  [passlib("1", 129), "its digest, in bytes, is more than 128"],
  [`$pbkdf2-sha256$1$${salt}$${base64(32)}`, "a part of it is base64 with padding"],
  [`$pbkdf2-sha256$1$${salt}$${"+".repeat(43)}`, "a part of it has + where its program writes ."],
  [`$pbkdf2-sha256$1$A$${unpadded(32)}`, "a part of it is not base64"],
  [`$pbkdf2-sha224$1$${salt}$${unpadded(28)}`, "it is not of the form $pbkdf2-sha256$ITERATIONS$SALT$DIGEST"],
  [`{PBKDF2-SHA3}1$${salt}$${unpadded(32)}`, "it is not of the form {PBKDF2-SHA256}ITERATIONS$SALT$DIGEST"],
  [`$pbkdf2-sha256$i=01$${salt}$${unpadded(32)}`, `${iterations.slice(0, -3)} is not a decimal number`],
  [`$pbkdf2-sha1$i=1$${salt}$${unpadded(20)}`, "it is not of the form $pbkdf2-sha256$i=ITERATIONS$SALT$DIGEST"],

  [scrypt("0:8:1"), "its N is less than 2"],
  [scrypt("1:8:1"), "its N is less than 2"],
  [scrypt("3:8:1"), "its N is not a power of 2"],
  [scrypt("16777216:8:1"), "its N is more than 8388608"],
  [scrypt("2097152:8:1"), "its work (N·r·p) is more than 8388608"],
  [scrypt("1048576:8:2"), "its work (N·r·p) is more than 8388608"],
  [scrypt("65536:1:1"), "its N is too large for its r"],
  [scrypt("2:0:1"), "its r is less than 1"],
  [scrypt("2:65:1"), "its r is more than 64"],
  [scrypt("2:8:0"), "its p is less than 1"],
  [scrypt("2:8:65"), "its p is more than 64"],
  [scrypt("2:08:1"), "its r is not a decimal number"],
  [scrypt("2:8"), "it is not of the form scrypt:N:R:P$SALT$HEX"],
  [`scrypt:2:8:1$$${hex(64)}`, "it is not of the form"],
  [`scrypt$2$$8$1$${base64(64)}`, "it is not of the form"],
  [`scrypt:2:8:1$salt$${hex(32)}`, "its digest, in bytes, is less than 64"],
  [`scrypt$2$8$1$salt$${base64(64)}`, "it is not of the form scrypt$N$SALT$R$P$BASE64"],
  [`scrypt$2$salt$8$01$${base64(64)}`, "its p is not a decimal number"],
  [phcScrypt("ln=0,r=8,p=1"), "its N, as a power of 2, is less than 1"],
  [phcScrypt("ln=24,r=8,p=1"), "its N, as a power of 2, is more than 23"],
  [phcScrypt("ln=999999999,r=8,p=1"), "its N, as a power of 2, is more than 23"],
  [phcScrypt("r=8,ln=1,p=1"), "it is not of the form $scrypt$ln=LN,r=R,p=P$SALT$DIGEST"],
  [phcScrypt("ln=1,r=8,p=1", 15), "its digest, in bytes, is less than 16"],
  [phcScrypt("ln=1,r=8,p=1", 65), "its digest, in bytes, is more than 64"],
  [firebase("n=24,r=8,p=1"), "its N, as a power of 2, is more than 23"],
  [firebase("n=14,r=8,p=1", { key: base64(31), digest: base64(31) }), "its signer key, in bytes, is less than 32"],
  [firebase("n=14,r=8,p=1", { key: base64(129), digest: base64(129) }), "its signer key, in bytes, is more than 128"],
  [firebase("n=14,r=8,p=1", { digest: base64(63) }), "its digest, in bytes, is less than 64"],
  [firebase("n=14,r=8,p=1", { digest: base64(65) }), "its digest, in bytes, is more than 64"],
  [firebase("n=14,r=8,p=1", { key: "" }), "it is not of the form $fbscrypt$v=1,"],
  [firebase("n=14,r=8,p=1", { separator: "B" }), "a part of it is not base64"],
  [firebase("n=14,r=8,p=1").replace("v=1", "v=2"), "it is not of the form $fbscrypt$v=1,"],

  [argon2Cost("m=7,t=1,p=1"), "its memory, in KiB, is less than 8"],
  [argon2Cost("m=15,t=1,p=2"), "its memory, in KiB, is less than 16"],
  [argon2Cost("m=1048577,t=1,p=1"), "its memory, in KiB, is more than 1048576"],
  [argon2Cost("m=8,t=0,p=1"), "its number of passes is less than 1"],
  [argon2Cost("m=1048576,t=5,p=1"), "its work (memory times passes) is more than 4194304"],
  [argon2Cost("m=8,t=4294967295,p=1"), "its number of passes is more than 4194304"],
  [argon2Cost("m=8,t=1,p=0"), "its parallelism is less than 1"],
  [argon2Cost("m=2048,t=1,p=256"), "its parallelism is more than 255"],
  [argon2Cost("t=1,m=8,p=1"), "it is not of the form $argon2id$v=19$m=MEMORY,t=PASSES,p=LANES$SALT$DIGEST"],
  [argon2Cost("m=8,t=1,p=1,data=AAAA"), "it is not of the form"],
  [argon2Cost("m=08,t=1,p=1"), "its memory, in KiB, is not a decimal number"],
  [argon2("argon2id$v=16$m=8,t=1,p=1"), "it is not of version 19 of Argon2: invite the user with a ticket"],
  [argon2("argon2i$m=8,t=1,p=1"), "it is not of version 19 of Argon2"],
  [argon2("ARGON2ID$v=19$m=8,t=1,p=1"), "it is not of the form"],
  [`argon2$argon2i$x${argon2Cost("m=8,t=1,p=1")}`, "it is not of the form"],
  [argon2("argon2id$v=19$m=8,t=1,p=1", { saltBytes: 7 }), "its salt, in bytes, is less than 8"],
  [argon2("argon2id$v=19$m=8,t=1,p=1", { digestBytes: 3 }), "its digest, in bytes, is less than 4"],
  [argon2("argon2id$v=19$m=8,t=1,p=1", { digestBytes: 129 }), "its digest, in bytes, is more than 128"],

  [`{SHA}${base64(19)}`, "its digest and salt, in bytes, is less than 20"],
  [`{SHA}${base64(21)}`, "its digest and salt, in bytes, is more than 20"],
  [`{SSHA}${base64(20)}`, "its digest and salt, in bytes, is less than 21"],
  [`{SSHA}${base64(85)}`, "its digest and salt, in bytes, is more than 84"],
  [`{SSHA}${unpadded(24)}!`, "a part of it is not base64"],
  ["{SHA}*", "it has no digest"],
  ["{SHA}*AAAA", "its digest and salt, in bytes, is more than 0"],
  ["{SSHA}*", "its digest and salt, in bytes, is less than 1"],

  ["!", "the user has no password, or the account is locked"],
  ["!$6$salt$hash", "the user has no password, or the account is locked"],
  ["*", "the user has no password, or the account is locked"],
  ["x", "the hash is in another file, /etc/shadow"],
  ["$y$j9T$salt$hash", "it is yescrypt"],
  ["$gy$j9T$salt$hash", "it is yescrypt"],
  ["$7$CU..../....salt$hash", "it is scrypt as crypt(3) writes it"],
  ["$sha1$40000$salt$hash", "it is SHA-1 crypt of NetBSD"],
  ["$md5,rounds=904$salt$hash", "it is MD5 crypt of Solaris"],
  ["$S$DeZ", "it is of Drupal 7"],
  ["$3$$8846f7eaee8fb117ad06bdd830b7586c", "it is an NT hash"],
  ["8846F7EAEE8FB117AD06BDD830B7586C", "it is an NT hash or MD5 without salt"],
  ["sha1$salt$b2e98ad6f6eb8508dd6a14cfa704bad7f05f6fb1", "it is a single round of a hash"],
  ["plain$$password", "it is a password, not a hash"],
  ["{CLEARTEXT}password", "it is a password, not a hash"],
  ["{Crypt}$6$salt$hash", "it has the prefix {CRYPT}: remove it"],
  ["{SASL}alice@EXAMPLE.ORG", "it is of an unknown LDAP scheme"],
  ["rl.3StKT.4T8M", "it is DES crypt, or a password"],
  ["_J9..rasmBYk8r9AiWNc", "it is DES crypt, or a password"],
  ["correct horse battery staple", "it is no hash, or a password"],
  ["$", "it is of no known kind"],
];

for (const [text, reason] of refused) {
  Deno.test(`parseStoredHash() refuses ${JSON.stringify(text).slice(0, 100)}: ${reason}`, () => {
    const { message } = assertThrows(() => parseStoredHash(text), RangeError);
    assertEquals(message.slice(0, reason.length), reason);
  });
}

Deno.test("parseStoredHash() refuses without the text of the hash", () => {
  for (const [text] of refused) {
    if (text.length < 30) continue;
    const { message } = assertThrows(() => parseStoredHash(text), RangeError);
    assert(!message.includes(text.slice(-20)), text);
    assertLess(message.length, 150, text);
  }
});
