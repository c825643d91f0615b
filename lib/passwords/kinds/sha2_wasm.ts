/**
 * SHA-256 and SHA-512 (FIPS 180-4) as a function of WebAssembly, which this file writes instruction by instruction.
 *
 * sha-crypt hashes hundreds of thousands of short messages in turn. A call of node:crypto takes 4.3 µs, and one of the
 * package hash-wasm 2.5 µs, most of it for the call. This function takes 0.4 µs for a block, and writes the digest to
 * where the next message needs it: the 656,000 rounds of passlib take 0.4 s instead of 3.2 s.
 *
 * Both hashes are one algorithm, on words of 32 or 64 bits. Its rounds are unrolled, so that the working variables
 * change their names instead of their values.
 */

/** What the module exports. Arguments are addresses in `memory`. */
export interface Sha2Exports {
  readonly memory: WebAssembly.Memory;
  /** Hashes the padded blocks from `start` until `end`, at least one, and writes the digest to `target`. */
  hash(start: number, end: number, target: number): void;
}

/** Bits of a word: 32 for SHA-256, 64 for SHA-512. */
export type WordBits = 32 | 64;

/** Words of a block. */
export const blockWords = 16;

/** Of 64 KiB each. */
const memoryPages = 2;

/** Instructions that leave a value on the stack. */
type Expression = readonly number[];

/** Local variables: the three arguments, then words. */
const [start, end, target, state, working, schedule] = [0, 1, 2, 3, 11, 19];
const wordCount = 8 + 8 + blockWords;

/** WebAssembly Core Specification, 5.4. `type` is the type of the word, `align` the logarithm of its bytes. */
const i32 = 0x7f;
const opcodes = {
  32: {
    ...{ type: i32, align: 2, load: 0x28, store: 0x36, const: 0x41, add: 0x6a },
    ...{ and: 0x71, or: 0x72, xor: 0x73, shift: 0x76, rotate: 0x78 },
  },
  64: {
    ...{ type: 0x7e, align: 3, load: 0x29, store: 0x37, const: 0x42, add: 0x7c },
    ...{ and: 0x83, or: 0x84, xor: 0x85, shift: 0x88, rotate: 0x8a },
  },
};

/** FIPS 180-4, 4.1.2 and 4.1.3: distances of the functions Σ0, Σ1, σ0 and σ1. The last one of a σ shifts. */
type Distances = readonly [number, number, number];
const distances: Record<WordBits, Readonly<Record<"sum0" | "sum1" | "sigma0" | "sigma1", Distances>>> = {
  32: { sum0: [2, 13, 22], sum1: [6, 11, 25], sigma0: [7, 18, 3], sigma1: [17, 19, 10] },
  64: { sum0: [28, 34, 39], sum1: [14, 18, 41], sigma0: [1, 8, 7], sigma1: [19, 61, 6] },
};
const roundCounts = { 32: 64, 64: 80 };

/** Compiles the function. */
export function compileSha2(bits: WordBits): Sha2Exports {
  const module = new WebAssembly.Module(writeModule(bits));
  // `writeModule` declares these exports.
  return new WebAssembly.Instance(module).exports as unknown as Sha2Exports;
}

/** WebAssembly Core Specification, 5.5: a type, a function, a memory, two exports, and the code. */
function writeModule(bits: WordBits): Uint8Array<ArrayBuffer> {
  const locals = [1, wordCount, opcodes[bits].type];
  const section = (id: number, content: readonly number[]) => [id, ...sized([1, ...content])];
  const name = (text: string) => sized([...new TextEncoder().encode(text)]);
  return new Uint8Array([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, [0x60, 3, i32, i32, i32, 0]),
    ...section(3, [0]),
    ...section(5, [0, memoryPages]),
    ...[7, ...sized([2, ...name("memory"), 2, 0, ...name("hash"), 0, 0])],
    ...section(10, sized([...locals, ...writeHash(bits)])),
  ]);
}

/** FIPS 180-4, 6.2.2 and 6.4.2. */
function writeHash(bits: WordBits): Expression {
  const { add, constant, load, store, swapBytes } = instructions(bits);
  const roots = primes(8).map((prime) => rootFraction(prime, { degree: 2, bits }));
  const words = [...roots.keys()];
  const blockBytes = blockWords * bits / 8;
  const next = [...get(start), opcodes[32].const, ...signed(BigInt(blockBytes)), opcodes[32].add];
  return [
    ...roots.flatMap((root, i) => set(state + i, constant(root))),
    ...[0x03, 0x40], // loop
    ...words.flatMap((i) => set(working + i, get(state + i))),
    ...Array.from({ length: blockWords }, (_, t) => [
      ...set(schedule + t, load(start, t)),
      ...set(schedule + t, swapBytes(schedule + t)),
    ]).flat(),
    ...writeRounds(bits),
    ...words.flatMap((i) => set(state + i, add(get(state + i), get(working + i)))),
    ...set(start, next),
    ...[...get(start), ...get(end), 0x49, 0x0d, 0, 0x0b], // if start < end, repeat the loop
    ...words.flatMap((i) => store(target, { index: i, value: swapBytes(state + i) })),
    0x0b, // end
  ];
}

/** The variables have their own names again after eight rounds. */
function writeRounds(bits: WordBits): Expression {
  const { add, and, constant, or, sigma, sum, xor } = instructions(bits);
  const { sum0, sum1, sigma0, sigma1 } = distances[bits];
  const roots = primes(roundCounts[bits]).map((prime) => rootFraction(prime, { degree: 3, bits }));
  return roots.flatMap((root, t) => {
    const word = (ago: number) => schedule + (t - ago + blockWords) % blockWords;
    const nextWord = add(get(word(16)), sigma(word(15), sigma0), get(word(7)), sigma(word(2), sigma1));
    const at = (name: number) => working + (name + 8 - t % 8) % 8;
    const [a, b, c, d, e, f, g, h] = [at(0), at(1), at(2), at(3), at(4), at(5), at(6), at(7)];
    const choice = xor(get(g), and(get(e), xor(get(f), get(g))));
    const majority = or(and(get(a), get(b)), and(get(c), or(get(a), get(b))));
    return [
      ...(t < blockWords ? [] : set(word(16), nextWord)),
      ...set(h, add(get(h), sum(e, sum1), choice, constant(root), get(word(16)))),
      ...set(d, add(get(d), get(h))),
      ...set(h, add(get(h), sum(a, sum0), majority)),
    ];
  });
}

/** Writes instructions on words. */
function instructions(bits: WordBits) {
  const op = opcodes[bits];
  const bytes = bits / 8;
  const operator = (code: number) => (first: Expression, ...others: readonly Expression[]): Expression => [
    ...first,
    ...others.flatMap((other) => [...other, code]),
  ];
  const constant = (value: bigint): Expression => [op.const, ...signed(BigInt.asIntN(bits, value))];
  const [and, or, xor] = [operator(op.and), operator(op.or), operator(op.xor)];
  const rotate = (local: number, distance: number) => operator(op.rotate)(get(local), constant(BigInt(distance)));
  const shift = (local: number, distance: number) => operator(op.shift)(get(local), constant(BigInt(distance)));
  return {
    add: operator(op.add),
    and,
    or,
    xor,
    constant,
    sum: (local: number, [x, y, z]: Distances) => xor(rotate(local, x), rotate(local, y), rotate(local, z)),
    sigma: (local: number, [x, y, z]: Distances) => xor(rotate(local, x), rotate(local, y), shift(local, z)),
    load: (address: number, index: number) => [...get(address), op.load, op.align, ...unsigned(index * bytes)],
    store: (address: number, { index, value }: { readonly index: number; readonly value: Expression }) => [
      ...[...get(address), ...value],
      ...[op.store, op.align, ...unsigned(index * bytes)],
    ],
    /** WebAssembly is little-endian. A rotation puts two bytes of each four or eight where they belong. */
    swapBytes(local: number): Expression {
      const parts = Array.from({ length: bytes / 2 }, (_, index) => {
        const mask = 0xffn << BigInt(8 * (bytes - 1 - index)) | 0xffn << BigInt(8 * (bytes / 2 - 1 - index));
        return and(rotate(local, 8 + 16 * index), constant(mask));
      });
      const [first = [], ...others] = parts;
      return or(first, ...others);
    },
  };
}

function get(local: number): Expression {
  return [0x20, local];
}

function set(local: number, value: Expression): Expression {
  return [...value, 0x21, local];
}

/** A vector of bytes: their number, then they. */
function sized(content: readonly number[]): number[] {
  return [...unsigned(content.length), ...content];
}

/** LEB128 (WebAssembly Core Specification, 5.2.2). */
function unsigned(value: number): number[] {
  return value < 0x80 ? [value] : [value & 0x7f | 0x80, ...unsigned(value >> 7)];
}

/** Signed LEB128. */
function signed(value: bigint): number[] {
  const isLast = value >= -0x40n && value < 0x40n;
  const low = Number(value & 0x7fn);
  return isLast ? [low] : [low | 0x80, ...signed(value >> 7n)];
}

function primes(count: number): number[] {
  const found: number[] = [];
  for (let number = 2; found.length < count; number++) {
    if (found.every((prime) => number % prime !== 0)) found.push(number);
  }
  return found;
}

/** The first bits of the fractional part of a root of the number, which is at most 511. */
function rootFraction(number: number, { degree, bits }: { readonly degree: 2 | 3; readonly bits: WordBits }): bigint {
  const power = BigInt(number) << BigInt(bits * degree);
  let root = 0n;
  // From the highest bit: the square root of 19 and the cube root of 409 have three before the point.
  for (let bit = 1n << BigInt(bits + 2); bit > 0n; bit >>= 1n) {
    if ((root + bit) ** BigInt(degree) <= power) root += bit;
  }
  return BigInt.asUintN(bits, root);
}
