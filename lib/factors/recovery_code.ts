/**
 * Recovery codes: what proves a user's identity once, when the other second factors are lost.
 *
 *     code := 24 characters of Base32 in groups of 4, as "MZXW-6YTB-OI5X-GYLS-NFXG-O4TB"
 *
 * Only the SHA-256 is stored. A fast hash suffices from 112 random bits on (NIST SP 800-63B-4, 3.1.2.2); these are 120.
 */

import { hash, randomBytes } from "node:crypto";
import { ulid } from "@std/ulid";
import type { Credential } from "../store.ts";
import { encodeBase32 } from "./base32.ts";

const codeCount = 10;
/** Bytes of a code. */
const codeLength = 15;
export const recoveryCodePattern = /^([A-Z2-7]{4}-){5}[A-Z2-7]{4}$/;
/** The longest spelling of a code that is read. */
export const maxRecoveryCodeLength = 64;
/** Digits that Base32 does not have, for the letters that look like them. */
const lookAlikes: Readonly<Record<string, string>> = { "0": "O", "1": "I", "8": "B" };

export interface NewRecoveryCodes {
  readonly credentials: readonly Credential[];
  /** For the user. */
  readonly codes: readonly string[];
}

/** Creates ten codes; the caller stores the credentials. */
export function createRecoveryCodes(login: string, now: number): NewRecoveryCodes {
  const codes = Array.from({ length: codeCount }, () => {
    return encodeBase32(randomBytes(codeLength)).replace(/(?<=.)(?=(.{4})+$)/g, "-");
  });
  const common = { login, kind: "recovery", name: "", createdAt: now, lastUsedAt: 0 } as const;
  const credentials = codes.map((code): Credential => {
    return { ...common, id: ulid(now), key: recoveryCodeKey(code), secret: "", counter: 0, signCount: 0 };
  });
  return { credentials, codes };
}

/** `Credential.key` of a code as it was typed. @param code at most `maxRecoveryCodeLength` characters */
export function recoveryCodeKey(code: string): string {
  const letters = code.toUpperCase().replace(/[^A-Z0-9]/g, "").replace(/[018]/g, (digit) => lookAlikes[digit] ?? digit);
  return hash("sha256", letters, "hex");
}
