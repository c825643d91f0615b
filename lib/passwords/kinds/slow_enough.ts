/**
 * Which foreign hashes are fast (`ParsedHash.isFast`): those below a cost of this table, and every `{SHA}`, `{SSHA…}`,
 * `{MD5}`, `{SMD5}`, MD5 crypt, apr1 and phpass.
 *
 * The measure is 10,000 iterations of PBKDF2-HMAC-SHA256, 2.2 ms of a core: less protects no password that people
 * choose. The other costs take about the same time. GPUs are slowed down by the memory of scrypt, Argon2 and bcrypt, so
 * equal time is on the safe side. bcrypt is never fast: its lowest cost, 4, takes 1.1 ms.
 */
export const slowEnough = Object.freeze({
  /** Iterations, of any SHA: SHA-1 takes the same time, SHA-512 more. */
  pbkdf2: 10_000,
  /** N·r·p: 1.9 ms. */
  scrypt: 4_096,
  /** KiB of memory times passes: 2.0 ms. */
  argon2: 2_048,
  /** Rounds of sha256_crypt and sha512_crypt, their default: 2.7 ms. */
  shaCrypt: 5_000,
});
