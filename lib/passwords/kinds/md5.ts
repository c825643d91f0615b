/**
 * MD5 (RFC 1321) for the many rounds of phpass: a block takes 0.25 µs, and a call of node:crypto 4 µs.
 *
 * Words are read as the machine has them: little-endian, as every machine that Deno runs on.
 */

const initial = [0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476];
const blockBytes = 64;
const steps = 64;
/** By round of 16 steps: rotations, and the first word and the distance to the next. */
const rounds = [
  { rotations: [7, 12, 17, 22], first: 0, distance: 1 },
  { rotations: [5, 9, 14, 20], first: 1, distance: 5 },
  { rotations: [4, 11, 16, 23], first: 5, distance: 3 },
  { rotations: [6, 10, 15, 21], first: 0, distance: 7 },
].flatMap((round) => Array.from({ length: 16 }, (_, step) => ({ ...round, step })));
const rotations = Int32Array.from(rounds, ({ rotations, step }) => rotations[step % 4] ?? 0);
const words = Int32Array.from(rounds, ({ first, distance, step }) => (first + distance * step) % 16);
const constants = Int32Array.from({ length: steps }, (_, step) => Math.floor(2 ** 32 * Math.abs(Math.sin(step + 1))));

/** The message, padded, as words. */
export function padMd5(message: Uint8Array): Int32Array<ArrayBuffer> {
  const padded = new Uint8Array(Math.ceil((message.length + 9) / blockBytes) * blockBytes);
  padded.set(message);
  padded[message.length] = 0x80;
  new DataView(padded.buffer).setUint32(padded.length - 8, message.length * 8, true);
  return new Int32Array(padded.buffer);
}

/** Hashes padded words. @param digest gets the digest as its first four words; it may be the message */
export function md5(message: Int32Array, digest: Int32Array): void {
  let [a = 0, b = 0, c = 0, d = 0] = initial;
  for (let start = 0; start < message.length; start += 16) {
    const [a0, b0, c0, d0] = [a, b, c, d];
    for (let step = 0; step < steps; step++) {
      const mixed = step < 16 ? d ^ b & (c ^ d) : step < 32 ? c ^ d & (b ^ c) : step < 48 ? b ^ c ^ d : c ^ (b | ~d);
      const sum = a + mixed + (constants[step] ?? 0) + (message[start + (words[step] ?? 0)] ?? 0) | 0;
      const rotation = rotations[step] ?? 0;
      a = d;
      d = c;
      c = b;
      b = b + (sum << rotation | sum >>> 32 - rotation) | 0;
    }
    [a, b, c, d] = [a + a0 | 0, b + b0 | 0, c + c0 | 0, d + d0 | 0];
  }
  digest.set([a, b, c, d]);
}
