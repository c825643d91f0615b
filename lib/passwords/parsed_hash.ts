/**
 * The contract of the kinds of password hashes: a parser of the text of each, whose result computes the digest of a
 * password.
 *
 * `stored_hash.ts` has the table of all kinds.
 */

/**
 * Parses a hash of one kind. The text may come from a hostile file: parsers bound every number before they use it.
 *
 * @returns `undefined` if the text is of another kind
 * @throws {RangeError} the hash is of this kind and cannot be verified: why, but without the text
 */
export type HashParser = (text: string) => ParsedHash | undefined;

/** A hash as it was parsed: its salt and cost, and what the right password gives. */
export interface ParsedHash {
  /** Kind and cost, such as "argon2id m=19456,t=2,p=1": the same for hashes that take the same work. */
  readonly work: string;
  /**
   * The text without its digest: what a wrapped hash keeps, and what the Worker gets. Its parser makes of this the same
   * hash with an empty digest.
   */
  readonly settings: string;
  /** The bytes that `derive` returns for the right password. */
  readonly digest: Uint8Array<ArrayBuffer>;
  /** Memory that `derive` takes, in bytes; 0 if it is little. */
  readonly memoryBytes: number;
  /** So cheap that a stolen hash would be guessed: kept only as today's hash of its digest, see `stored_hash.ts`. */
  readonly isFast: boolean;
  /** `derive` is JavaScript that runs for more than 2 ms, and never on the event loop: `hash_worker.ts` calls it. */
  readonly isSlowScript: boolean;
  /** Computes the digest of a password, given in UTF-8 as it was typed: at most 4,096 bytes, without NUL. */
  derive(password: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> | Uint8Array<ArrayBuffer>;
}
