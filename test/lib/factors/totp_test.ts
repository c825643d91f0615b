import { assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import { Buffer } from "node:buffer";
import { encodeBase32 } from "../../../lib/factors/encoding.ts";
import { acceptedStep, createTotpSecret, shownTotpSecret, totpCode } from "../../../lib/factors/totp.ts";

const secret = Buffer.from("12345678901234567890");

/** RFC 6238, appendix B: the seconds, and the last six digits of the code of SHA-1. */
const vectors = [
  [59, "287082"],
  [1_111_111_109, "081804"],
  [1_111_111_111, "050471"],
  [1_234_567_890, "005924"],
  [2_000_000_000, "279037"],
  [20_000_000_000, "353130"],
] as const;

Deno.test("totpCode() returns the codes of RFC 6238", () => {
  for (const [seconds, code] of vectors) assertEquals(totpCode(secret, Math.floor(seconds / 30)), code);
});

Deno.test("encodeBase32() returns the texts of RFC 4648, for whole groups", () => {
  assertEquals(encodeBase32(Buffer.from("fooba")), "MZXW6YTB");
  assertEquals(encodeBase32(new Uint8Array(10)), "A".repeat(16));
  assertEquals(encodeBase32(new Uint8Array(5).fill(0xff)), "7".repeat(8));
});

const now = 1_111_111_111_000;
const current = Math.floor(now / 30_000);

Deno.test("acceptedStep() accepts the codes of the current step and of its neighbours, and no other", () => {
  for (const [offset, isAccepted] of [[-2, false], [-1, true], [0, true], [1, true], [2, false]] as const) {
    const code = totpCode(secret, current + offset);
    assertEquals(acceptedStep(secret, { code, lastStep: 0, now }), isAccepted ? current + offset : undefined);
  }
  assertEquals(acceptedStep(secret, { code: "000000", lastStep: 0, now }), undefined);
});

Deno.test("acceptedStep() accepts only steps that are later than the last one", () => {
  const code = totpCode(secret, current);
  assertEquals(acceptedStep(secret, { code, lastStep: current - 1, now }), current);
  assertEquals(acceptedStep(secret, { code, lastStep: current, now }), undefined);
  assertEquals(acceptedStep(secret, { code, lastStep: current + 1, now }), undefined);
});

Deno.test("acceptedStep() ignores a last step of a clock that was more than an hour ahead", () => {
  const code = totpCode(secret, current);
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
