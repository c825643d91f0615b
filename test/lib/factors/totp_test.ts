import { assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import { Buffer } from "node:buffer";
import { encodeBase32 } from "../../../lib/factors/encoding.ts";
import { acceptedStep, createTotpSecret, shownTotpSecret, totpCode } from "../../../lib/factors/totp.ts";

/** RFC 6238, appendix B: the seconds, and the code of each hash. */
const vectors = [
  [59, "94287082", "46119246", "90693936"],
  [1_111_111_109, "07081804", "68084774", "25091201"],
  [1_111_111_111, "14050471", "67062674", "99943326"],
  [1_234_567_890, "89005924", "91819424", "93441116"],
  [2_000_000_000, "69279037", "90698825", "38618901"],
  [20_000_000_000, "65353130", "77737706", "47863826"],
] as const;
const hashes = [["sha1", 20], ["sha256", 32], ["sha512", 64]] as const;

Deno.test("totpCode() returns the codes of RFC 6238", () => {
  for (const [seconds, ...codes] of vectors) {
    for (const [index, [hash, length]] of hashes.entries()) {
      const secret = Buffer.from("1234567890".repeat(7).slice(0, length));
      assertEquals(totpCode(secret, { step: Math.floor(seconds / 30), hash, length: 8 }), codes[index]);
    }
  }
});

Deno.test("encodeBase32() returns the texts of RFC 4648, for whole groups", () => {
  assertEquals(encodeBase32(Buffer.from("fooba")), "MZXW6YTB");
  assertEquals(encodeBase32(new Uint8Array(10)), "A".repeat(16));
  assertEquals(encodeBase32(new Uint8Array(5).fill(0xff)), "7".repeat(8));
});

const secret = Buffer.from("12345678901234567890");
const now = 1_111_111_111_000;
const current = Math.floor(now / 30_000);

Deno.test("acceptedStep() accepts the codes of the current step and of its neighbours, and no other", () => {
  for (const [offset, isAccepted] of [[-2, false], [-1, true], [0, true], [1, true], [2, false]] as const) {
    const code = totpCode(secret, { step: current + offset });
    assertEquals(acceptedStep(secret, { code, lastStep: 0, now }), isAccepted ? current + offset : undefined);
  }
  assertEquals(acceptedStep(secret, { code: "000000", lastStep: 0, now }), undefined);
});

Deno.test("acceptedStep() accepts only steps that are later than the last one", () => {
  const code = totpCode(secret, { step: current });
  assertEquals(acceptedStep(secret, { code, lastStep: current - 1, now }), current);
  assertEquals(acceptedStep(secret, { code, lastStep: current, now }), undefined);
  assertEquals(acceptedStep(secret, { code, lastStep: current + 1, now }), undefined);
});

Deno.test("acceptedStep() ignores a last step of a clock that was more than an hour ahead", () => {
  const code = totpCode(secret, { step: current });
  assertEquals(acceptedStep(secret, { code, lastStep: current + 119, now }), undefined);
  assertEquals(acceptedStep(secret, { code, lastStep: current + 120, now: current * 30_000 }), undefined);
  assertEquals(acceptedStep(secret, { code, lastStep: current + 121, now }), current);
});

Deno.test("shownTotpSecret() returns the secret for an app, with title and login encoded", () => {
  assertEquals(shownTotpSecret(secret, { login: "a+b@c", title: "Our & house" }), {
    secret: "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ",
    uri: "otpauth://totp/Our%20%26%20house:a%2Bb%40c?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&" +
      "issuer=Our%20%26%20house",
  });
});

Deno.test("createTotpSecret() never repeats a secret of 160 bits", () => {
  assertEquals(createTotpSecret().length, 20);
  assertNotEquals(createTotpSecret(), createTotpSecret());
  assertMatch(encodeBase32(createTotpSecret()), /^[A-Z2-7]{32}$/);
});
