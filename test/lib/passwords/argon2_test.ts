/** Argon2 of WebCrypto, which Argon2id hashes rely on. */
import { assertEquals } from "@std/assert";

/** RFC 9106, 5.1 to 5.3. */
const vectors: readonly (readonly [name: string, tag: string])[] = [
  ["Argon2d", "512b391b6f1162975371d30919734294f868e3be3984f3c1a13a4db9fabe4acb"],
  ["Argon2i", "c814d9d1dc7f37aa13f0d77f2494bda1c8de6b016dd388d29952a4c4672b6ce8"],
  ["Argon2id", "0d640df58d78766c08c037a34a8b53c9d01ef0452d75b65eb52520e96b01e659"],
];

for (const [name, tag] of vectors) {
  Deno.test(`crypto.subtle.deriveBits() passes the vector of RFC 9106 for ${name}`, async () => {
    const format: string = "raw-secret";
    const password = new Uint8Array(32).fill(1);
    const key = await crypto.subtle.importKey(format as "raw", password, name, false, ["deriveBits"]);
    const parameters = {
      name,
      nonce: new Uint8Array(16).fill(2),
      memory: 32,
      passes: 3,
      parallelism: 4,
      secretValue: new Uint8Array(8).fill(3),
      associatedData: new Uint8Array(12).fill(4),
    };
    const derived = await crypto.subtle.deriveBits(parameters, key, 32 * 8);
    assertEquals(new Uint8Array(derived).toHex(), tag);
  });
}
