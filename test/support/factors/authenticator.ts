/**
 * An authenticator and its browser in software: it makes passkeys with keys of WebCrypto, and responds to the options
 * of a ceremony with the JSON of `PublicKeyCredential.toJSON()`. Everything in a response can be made wrong.
 */

import { Buffer } from "node:buffer";
import { createHash, randomBytes } from "node:crypto";
import type { Bytes } from "../../../lib/factors/encoding.ts";
import type { creationOptions, requestOptions } from "../../../lib/factors/passkey.ts";

type CreationOptions = ReturnType<typeof creationOptions>;
type RequestOptions = ReturnType<typeof requestOptions>;
export type RegistrationJson = Awaited<ReturnType<Authenticator["register"]>>;
export type AssertionJson = Awaited<ReturnType<Authenticator["authenticate"]>>;

/** Flags of the authenticator data. */
export const flag = { UP: 0x01, UV: 0x04, BE: 0x08, BS: 0x10, AT: 0x40, ED: 0x80 } as const;

/** What differs from a good response. */
export interface Deviation {
  /** Members of the client data; `undefined` leaves one out. */
  readonly client?: Readonly<Record<string, unknown>>;
  /** Changes the client data after it was made, and before it is signed. */
  readonly clientData?: (data: Bytes) => Uint8Array;
  readonly rpId?: string;
  readonly flags?: number;
  readonly signCount?: number;
  /** The id in the authenticator data. */
  readonly attestedId?: Uint8Array;
  /** The same of the authenticator data. */
  readonly data?: (data: Bytes) => Uint8Array;
  readonly signature?: (signature: Bytes) => Uint8Array;
}

interface KeyKind {
  readonly parameters: RsaHashedKeyGenParams & EcKeyGenParams & EcdsaParams | Algorithm;
  /** The public key as COSE (RFC 9052, 7), in canonical CBOR. */
  readonly cose: (key: JsonWebKey & { readonly pub?: string }) => readonly Uint8Array[];
}

const bytesOf = (text = "") => Buffer.from(text, "base64url");
const hex = (text: string) => Buffer.from(text, "hex");

/** By COSE algorithm. */
const kinds: Readonly<Record<number, KeyKind>> = {
  [-48]: { parameters: { name: "ML-DSA-44" }, cose: ({ pub }) => [hex("a3010703382f20590520"), bytesOf(pub)] },
  [-8]: { parameters: { name: "Ed25519" }, cose: ({ x }) => [hex("a4010103272006215820"), bytesOf(x)] },
  [-7]: {
    parameters: { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" },
    cose: ({ x, y }) => [hex("a5010203262001215820"), bytesOf(x), hex("225820"), bytesOf(y)],
  },
  [-257]: {
    parameters: {
      name: "RSASSA-PKCS1-v1_5",
      hash: "SHA-256",
      modulusLength: 2_048,
      publicExponent: Uint8Array.of(1, 0, 1),
    },
    cose: ({ n }) => [hex("a401030339010020590100"), bytesOf(n), hex("2143010001")],
  },
};

/** One passkey, with its key. */
export class Authenticator {
  /** As a synced passkey has them. */
  flags: number = flag.UP | flag.UV | flag.BE | flag.BS;
  signCount = 0;
  userHandle: string | undefined;

  private constructor(
    readonly algorithm: number,
    readonly parameters: KeyKind["parameters"],
    readonly id: Bytes,
    readonly keys: CryptoKeyPair,
    readonly publicKey: Bytes,
    readonly coseKey: Bytes,
  ) {}

  static async create(
    algorithm = -7,
    { id = Buffer.from(randomBytes(32)) }: { readonly id?: Bytes } = {},
  ): Promise<Authenticator> {
    const kind = kinds[algorithm];
    if (kind === undefined) throw new RangeError(`Cannot make a key of the algorithm ${algorithm}`);
    const keys = await crypto.subtle.generateKey(kind.parameters, true, ["sign", "verify"]) as CryptoKeyPair;
    const publicKey = Buffer.from(await crypto.subtle.exportKey("spki", keys.publicKey));
    const jwk = await crypto.subtle.exportKey("jwk", keys.publicKey);
    return new Authenticator(algorithm, kind.parameters, id, keys, publicKey, Buffer.concat(kind.cose(jwk)));
  }

  /** As `navigator.credentials.create()` on a page of `origin`. */
  register(options: CreationOptions, { origin, ...deviation }: Deviation & { readonly origin: string }) {
    this.userHandle = options.user.id;
    const clientDataJSON = clientDataOf("webauthn.create", { challenge: options.challenge, origin, ...deviation });
    const { attestedId = this.id } = deviation;
    const attested = [randomBytes(16), lengthOf(attestedId), attestedId, this.coseKey];
    const flags = deviation.flags ?? this.flags | flag.AT;
    const data = this.#data({ rpId: options.rp.id, ...deviation, flags }, attested);
    const response = {
      clientDataJSON: clientDataJSON.toString("base64url"),
      authenticatorData: data.toString("base64url"),
      attestationObject: attestationObject(data).toString("base64url"),
      publicKey: this.publicKey.toString("base64url"),
      publicKeyAlgorithm: this.algorithm,
      transports: ["internal"],
    };
    return this.#json(response);
  }

  /** As `navigator.credentials.get()` on a page of `origin`. */
  async authenticate(options: RequestOptions, { origin, ...deviation }: Deviation & { readonly origin: string }) {
    const clientDataJSON = clientDataOf("webauthn.get", { challenge: options.challenge, origin, ...deviation });
    const data = this.#data({ rpId: options.rpId, ...deviation }, []);
    const signature = await this.sign(data, clientDataJSON);
    const response = {
      clientDataJSON: clientDataJSON.toString("base64url"),
      authenticatorData: data.toString("base64url"),
      signature: Buffer.from(deviation.signature?.(signature) ?? signature).toString("base64url"),
      ...this.userHandle !== undefined && { userHandle: this.userHandle },
    };
    return this.#json(response);
  }

  async sign(data: Uint8Array, clientDataJSON: Uint8Array): Promise<Bytes> {
    const signed = Buffer.concat([data, createHash("sha256").update(clientDataJSON).digest()]);
    const signature = Buffer.from(await crypto.subtle.sign(this.parameters, this.keys.privateKey, signed));
    return this.algorithm === -7 ? derOf(signature) : signature;
  }

  #data({ rpId = "", flags = this.flags, signCount = this.signCount, data: edit }: Deviation, more: Uint8Array[]) {
    const head = Buffer.alloc(37);
    createHash("sha256").update(rpId).digest().copy(head);
    head.writeUInt8(flags, 32);
    head.writeUInt32BE(signCount, 33);
    const data = Buffer.concat([head, ...more]);
    return Buffer.from(edit?.(data) ?? data);
  }

  #json<Response>(response: Response) {
    const id = this.id.toString("base64url");
    return { id, rawId: id, type: "public-key" as const, clientExtensionResults: {}, response };
  }
}

/** The attestation object of the format "none", as CBOR. */
function attestationObject(data: Uint8Array): Bytes {
  const head = hex("a363666d74646e6f6e656761747453746d74a0686175746844617461");
  return Buffer.concat([head, Uint8Array.of(0x59), lengthOf(data), data]);
}

/** DER of the two numbers of an ECDSA signature. */
export function derOf(raw: Uint8Array): Bytes {
  const numbers = [raw.subarray(0, 32), raw.subarray(32)].map((number) => {
    const digits = BigInt(`0x${Buffer.from(number).toString("hex")}`).toString(16);
    const bytes = hex(digits.padStart(digits.length + digits.length % 2, "0"));
    const sign = (bytes[0] ?? 0) > 0x7f ? [0] : [];
    return Buffer.from([0x02, sign.length + bytes.length, ...sign, ...bytes]);
  });
  const content = Buffer.concat(numbers);
  return Buffer.from([0x30, content.length, ...content]);
}

function clientDataOf(
  type: string,
  { challenge, origin, client, clientData }: Deviation & { readonly challenge: string; readonly origin: string },
): Bytes {
  const data = Buffer.from(JSON.stringify({ type, challenge, origin, crossOrigin: false, ...client }));
  return Buffer.from(clientData?.(data) ?? data);
}

function lengthOf(bytes: Uint8Array): Uint8Array {
  return Uint8Array.of(bytes.length >> 8, bytes.length & 0xff);
}
