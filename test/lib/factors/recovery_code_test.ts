import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { hash } from "node:crypto";
import { createRecoveryCodes, recoveryCodeKey, recoveryCodePattern } from "../../../lib/factors/recovery_code.ts";

Deno.test("createRecoveryCodes() returns ten different codes, and credentials that hold only their hashes", () => {
  const { credentials, codes } = createRecoveryCodes("alice", 5);
  assertEquals([new Set(codes).size, credentials.length], [10, 10]);
  for (const [index, code] of codes.entries()) {
    const { id, ...rest } = credentials[index] ?? { id: "" };
    assert(recoveryCodePattern.test(code), code);
    const key = hash("sha256", code.replaceAll("-", ""), "hex");
    const common = { login: "alice", kind: "recovery", name: "", createdAt: 5, lastUsedAt: 0 };
    assertEquals<unknown>(rest, { ...common, key, secret: "", counter: 0, signCount: 0 });
    assertEquals(id.length, 26);
  }
});

Deno.test("recoveryCodeKey() ignores case, blanks and hyphens, and reads digits as the letters they look like", () => {
  const key = recoveryCodeKey("MZXW-6YTB-OI5X-GYLS-NFXG-O4TB");
  for (
    const code of ["mzxw6ytboi5xgylsnfxgo4tb", " MZXW 6YTB OI5X GYLS NFXG O4TB\n", "MZXW-6YT8-015X-GYLS-NFXG-04T8"]
  ) {
    assertEquals(recoveryCodeKey(code), key);
  }
  assertNotEquals(recoveryCodeKey("MZXW-6YTB-OI5X-GYLS-NFXG-O4TC"), key);
});
