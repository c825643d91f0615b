/** Verifies a stored hash without the hasher. */
import { timingSafeEqual } from "node:crypto";
import { passwordBytes } from "../../../lib/passwords/password_hash.ts";
import { slowKinds } from "../../../lib/passwords/kinds/slow_kinds.ts";
import { parseStoredHash, type StoredHash } from "../../../lib/passwords/stored_hash.ts";

/** Whether the text is a hash of the password. @throws {RangeError} it cannot be verified */
export async function isHashOf(password: string, text: string): Promise<boolean> {
  const stored = parseStoredHash(text);
  const bytes = passwordBytes(password);
  if (bytes === undefined) return false;
  const derived = await derive(stored, bytes);
  return derived.length === stored.digest.length && timingSafeEqual(derived, stored.digest);
}

/** Computes the digest of a password, without the Worker. */
export async function derive(
  { script, derive }: StoredHash,
  bytes: Uint8Array<ArrayBuffer>,
): Promise<Uint8Array<ArrayBuffer>> {
  const input = script === undefined ? bytes : await deriveScript(script, bytes);
  return derive === undefined ? input : await derive(input);
}

async function deriveScript(script: string, bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  const parsed = slowKinds.map((parse) => parse(script)).find((parsed) => parsed !== undefined);
  if (parsed === undefined) throw new RangeError("it is of no slow kind");
  return await parsed.derive(bytes);
}
