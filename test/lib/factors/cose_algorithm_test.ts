import { assertEquals } from "@std/assert";
import { Buffer } from "node:buffer";
import type { Bytes } from "../../../lib/factors/encoding.ts";
import { coseAlgorithmIds, importPublicKey, isSigned } from "../../../lib/factors/cose_algorithm.ts";
import { Authenticator, derOf } from "../../support/factors/authenticator.ts";

const data = Buffer.from("data");
const authenticators = await Promise.all(coseAlgorithmIds.map((algorithm) => Authenticator.create(algorithm)));

/** `undefined` without a key. */
async function verify(key: CryptoKey | undefined, signature: Bytes, data: Bytes): Promise<boolean | undefined> {
  return key && await isSigned(data, { key, signature });
}

Deno.test("coseAlgorithmIds are ML-DSA-44, EdDSA, ES256 and RS256", () => {
  assertEquals(coseAlgorithmIds, [-48, -8, -7, -257]);
});

for (const { algorithm, publicKey, keys, parameters } of authenticators) {
  const sign = async () => {
    const signature = Buffer.from(await crypto.subtle.sign(parameters, keys.privateKey, data));
    return algorithm === -7 ? derOf(signature) : signature;
  };

  Deno.test(`isSigned() verifies signatures of the algorithm ${algorithm}, and refuses wrong ones`, async () => {
    const key = await importPublicKey(algorithm, publicKey);
    const signature = await sign();
    assertEquals(await verify(key, signature, data), true);
    assertEquals(await verify(key, signature, Buffer.from("Data")), false);
    for (const length of [0, 1, 2, 31, 32, 63, signature.length - 1]) {
      assertEquals(await verify(key, signature.subarray(0, length), data), false, `${length} bytes`);
    }
    assertEquals(await verify(key, Buffer.concat([signature, Buffer.alloc(1)]), data), false);
    assertEquals(await verify(key, Buffer.alloc(3_072, 0xff), data), false);
  });

  Deno.test(`importPublicKey() refuses other bytes than a key of the algorithm ${algorithm}`, async () => {
    for (const other of authenticators) {
      const isSame = other.algorithm === algorithm;
      assertEquals(await importPublicKey(algorithm, other.publicKey) !== undefined, isSame, `${other.algorithm}`);
    }
    for (const bytes of [publicKey.subarray(0, -1), Buffer.concat([publicKey, Buffer.alloc(1)]), Buffer.alloc(91)]) {
      assertEquals(await importPublicKey(algorithm, bytes), undefined);
    }
  });
}

for (const algorithm of [0, 1, -35, -36, -37, -53, -49, NaN, 2 ** 53]) {
  Deno.test(`importPublicKey() does not offer the algorithm ${algorithm}`, async () => {
    for (const { publicKey } of authenticators) assertEquals(await importPublicKey(algorithm, publicKey), undefined);
  });
}

Deno.test("importPublicKey() refuses a point that is not on the curve", async () => {
  const { publicKey } = await Authenticator.create(-7);
  assertEquals(await importPublicKey(-7, Buffer.from(publicKey.with(-1, (publicKey.at(-1) ?? 0) ^ 1))), undefined);
});

Deno.test("importPublicKey() refuses another encoding of an ES256 key: its point is compressed", async () => {
  const { publicKey } = await Authenticator.create(-7);
  const [x, isOdd] = [publicKey.subarray(27, 59), (publicKey.at(-1) ?? 0) & 1];
  const head = Buffer.from("3039301306072a8648ce3d020106082a8648ce3d030107032200", "hex");
  assertEquals(await importPublicKey(-7, Buffer.concat([head, Buffer.of(2 + isOdd), x])), undefined);
});

Deno.test("importPublicKey() refuses another encoding of an RSA key: it lacks a NULL", async () => {
  const rest = rsaSpki({ bits: 2_048 }).subarray(19);
  const head = Buffer.from("30820120300b06092a864886f70d010101", "hex");
  assertEquals(await importPublicKey(-257, Buffer.concat([head, rest])), undefined);
});

Deno.test("importPublicKey() refuses another curve", async () => {
  const keys = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-384" }, true, ["sign", "verify"]);
  assertEquals(
    await importPublicKey(-7, Buffer.from(await crypto.subtle.exportKey("spki", keys.publicKey))),
    undefined,
  );
});

/** A positive number in DER. */
function integer(bytes: Uint8Array): Bytes {
  return tagged(0x02, Buffer.concat([Buffer.alloc((bytes[0] ?? 0) >> 7), bytes]));
}

function tagged(tag: number, content: Uint8Array): Bytes {
  const { length } = content;
  const head = length < 0x80 ? [tag, length] : [tag, 0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from(head), content]);
}

/** An RSA key in SPKI: any odd number does as modulus. */
function rsaSpki(
  { bits, exponent = [1, 0, 1] }: { readonly bits: number; readonly exponent?: readonly number[] },
): Bytes {
  const modulus = Buffer.alloc(Math.ceil(bits / 8), 0xff);
  modulus.writeUInt8(0xff >> (8 * modulus.length - bits));
  const key = tagged(0x30, Buffer.concat([integer(modulus), integer(Uint8Array.from(exponent))]));
  const algorithm = Buffer.from("300d06092a864886f70d0101010500", "hex");
  return tagged(0x30, Buffer.concat([algorithm, tagged(0x03, Buffer.concat([Buffer.alloc(1), key]))]));
}

for (
  const [what, options, isAccepted] of [
    ["1,024 bits", { bits: 1_024 }, false],
    // Deno counts whole bytes: 2,041 to 2,047 bits pass as 2,048.
    ["2,040 bits", { bits: 2_040 }, false],
    ["2,048 bits", { bits: 2_048 }, true],
    ["4,096 bits", { bits: 4_096 }, true],
    ["4,097 bits", { bits: 4_097 }, false],
    ["15,000 bits", { bits: 15_000 }, false],
    ["the exponent 3", { bits: 2_048, exponent: [3] }, false],
    ["the exponent 1", { bits: 2_048, exponent: [1] }, false],
    ["an exponent as long as the modulus", { bits: 2_048, exponent: Array(256).fill(0x7f) }, false],
  ] as const
) {
  Deno.test(`importPublicKey() ${isAccepted ? "accepts" : "refuses"} an RSA key with ${what}`, async () => {
    assertEquals(await importPublicKey(-257, rsaSpki(options)) !== undefined, isAccepted);
  });
}

const es256 = await Authenticator.create(-7);
const signature = await es256.sign(Buffer.alloc(0), Buffer.alloc(0));
const [r, s] = numbersOf(signature);

function numbersOf(der: Bytes): readonly [Bytes, Bytes] {
  const secondAt = 4 + (der[3] ?? 0);
  return [der.subarray(4, secondAt), der.subarray(secondAt + 2)];
}

/** DER of two numbers as they are, with `more` behind them. */
function sequence(r: Uint8Array, s: Uint8Array, more: readonly number[] = []): Bytes {
  return tagged(0x30, Buffer.concat([tagged(0x02, r), tagged(0x02, s), Buffer.from(more)]));
}

const zero = Buffer.alloc(1);
const derRows: Readonly<Record<string, Bytes>> = {
  "the 64 bytes of WebCrypto": Buffer.concat([r, s].map((n) => Buffer.concat([Buffer.alloc(32), n]).subarray(-32))),
  "another tag of the sequence": Buffer.from(signature.with(0, 0x31)),
  "another tag of the first number": Buffer.from(signature.with(2, 0x03)),
  "another tag of the second number": Buffer.from(signature.with(4 + r.length, 0x03)),
  "a sequence that is too short": Buffer.from(signature.with(1, signature.length - 3)),
  "a sequence that is too long": Buffer.from(signature.with(1, signature.length - 1)),
  "a length of two bytes": Buffer.concat([Buffer.from([0x30, 0x81]), signature.subarray(1)]),
  "an indefinite length": Buffer.concat([Buffer.from(signature.with(1, 0x80)), Buffer.alloc(2)]),
  "a first number with a zero ahead": sequence(Buffer.concat([zero, r]), s),
  "a second number with a zero ahead": sequence(r, Buffer.concat([zero, s])),
  "a first number that is zero": sequence(zero, s),
  "a second number that is zero": sequence(r, zero),
  "an empty number": sequence(Buffer.alloc(0), s),
  "a number of 33 digits": sequence(
    Buffer.concat([Buffer.of(1), Buffer.concat([Buffer.alloc(32), r]).subarray(-32)]),
    s,
  ),
  "three numbers": sequence(r, s, [2, 1, 1]),
  "one number": tagged(0x30, tagged(0x02, r)),
  "numbers in the other order": sequence(s, r),
};
Deno.test("isSigned() verifies an ES256 signature in DER", async () => {
  const key = await importPublicKey(-7, es256.publicKey);
  assertEquals(await verify(key, sequence(r, s), await signedData()), true);
});
for (const [what, der] of Object.entries(derRows)) {
  Deno.test(`isSigned() refuses an ES256 signature: ${what}`, async () => {
    const key = await importPublicKey(-7, es256.publicKey);
    assertEquals(await verify(key, der, await signedData()), false);
  });
}

const rare: Readonly<Record<string, (number: Bytes) => boolean>> = {
  "less than 32 bytes": ({ length }) => length < 32,
  "a zero only for the sign": (number) => number.readUInt16BE() === 0x80,
};
for (const [what, isRare] of Object.entries(rare)) {
  Deno.test(`isSigned() verifies ES256 signatures with a number of ${what}`, async () => {
    const key = await importPublicKey(-7, es256.publicKey);
    // One of 128 has such a number.
    for (let count = 0; count < 4_000; count++) {
      const head = Buffer.from(`${count}`);
      const signature = await es256.sign(head, Buffer.alloc(0));
      if (!numbersOf(signature).some(isRare)) continue;
      assertEquals(await verify(key, signature, await signedData(head)), true);
      return;
    }
    throw new Error("Found no such signature");
  });
}

/** What `es256` signs. */
async function signedData(head = Buffer.alloc(0)): Promise<Bytes> {
  return Buffer.concat([head, Buffer.from(await crypto.subtle.digest("SHA-256", Buffer.alloc(0)))]);
}
