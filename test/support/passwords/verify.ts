/** Verifies a stored hash without the hasher. */
import { timingSafeEqual } from "node:crypto";
import { passwordBytes } from "../../../lib/passwords/password_hash.ts";
import { parseStoredHash } from "../../../lib/passwords/stored_hash.ts";

/** Whether the text is a hash of the password. @throws {RangeError} it cannot be verified, or only by the Worker */
export async function isHashOf(password: string, text: string): Promise<boolean> {
  const { digest, derive, script } = parseStoredHash(text);
  if (derive === undefined || script !== undefined) throw new RangeError("the Worker verifies it");
  const bytes = passwordBytes(password);
  if (bytes === undefined) return false;
  const derived = await derive(bytes);
  return derived.length === digest.length && timingSafeEqual(derived, digest);
}
