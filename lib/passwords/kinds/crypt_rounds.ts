/** What md5_crypt and sha-crypt have in common, and the Base64 that they share with phpass. */

/** The message of a round but for the digest, and where the digest of the round before goes. */
export interface RoundMessage {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly digestAt: number;
}

export interface RoundOptions {
  readonly password: Uint8Array<ArrayBuffer>;
  readonly salt: Uint8Array<ArrayBuffer>;
  readonly digestBytes: number;
}

/** In the order of their values. */
export const cryptDigits = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/** The messages of all rounds: there are only eight, see `roundMessageIndex`. */
export function roundMessages({ password, salt, digestBytes }: RoundOptions): readonly RoundMessage[] {
  const digest = new Uint8Array(digestBytes);
  return Array.from({ length: 8 }, (_, index) => {
    const isOdd = (index & 1) === 1;
    const middle = [...(index & 2 ? salt : []), ...(index & 4 ? password : [])];
    const bytes = isOdd ? [...password, ...middle, ...digest] : [...digest, ...middle, ...password];
    return { bytes: new Uint8Array(bytes), digestAt: isOdd ? bytes.length - digestBytes : 0 };
  });
}

/** The message of a round, as its index in `roundMessages`. */
export function roundMessageIndex(round: number): number {
  return (round & 1) | (round % 3 === 0 ? 0 : 2) | (round % 7 === 0 ? 0 : 4);
}

/** Encodes bytes six bits at a time, the lowest first, each three bytes on their own. */
export function cryptBase64(bytes: readonly number[]): string {
  let text = "";
  for (let start = 0; start < bytes.length; start += 3) {
    const [low = 0, middle = 0, high = 0] = bytes.slice(start, start + 3);
    const digitCount = Math.min(bytes.length - start, 3) + 1;
    for (let value = low | middle << 8 | high << 16, count = 0; count < digitCount; count++, value >>= 6) {
      text += cryptDigits[value & 63];
    }
  }
  return text;
}
