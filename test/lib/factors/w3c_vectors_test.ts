/** The test vectors of W3C WebAuthn Level 3, section 16: `w3c_vectors.json`, of which the attestation is left out. */

import { assert, assertEquals } from "@std/assert";
import { Buffer } from "node:buffer";
import type { ChallengeScope } from "../../../lib/factors/challenge.ts";
import type { Bytes } from "../../../lib/factors/encoding.ts";
import { verifyAssertion, verifyRegistration } from "../../../lib/factors/passkey.ts";
import vectors from "./w3c_vectors.json" with { type: "json" };

const user = { id: "01JDC0000000000000000ALICE", login: "alice" };
const [userPresentAndVerified, flagsAt, idLengthAt] = [0x05, 32, 53];
const issuedAt = 1;
const scope: ChallengeScope = { purpose: "passkey-login", login: user.login, binding: "" };

const hex = (text: string): Bytes => Buffer.from(text, "hex");
const base64url = (bytes: Uint8Array) => Buffer.from(bytes).toString("base64url");

/** What each vector shows; `undefined` is accepted. */
const outcomes: Readonly<Record<string, string | undefined>> = {
  'ES256 Credential with "crossOrigin": true in clientDataJSON': "cross-origin",
  'ES256 Credential with "topOrigin" in clientDataJSON': "cross-origin",
  "Packed Attestation with ES384 Credential": "public-key",
  "Packed Attestation with ES512 Credential": "public-key",
  "Packed Attestation with Ed448 Credential": "public-key",
};

for (const { name, registration, authentication } of vectors) {
  const outcome = outcomes[name];
  const id = hex(registration.id);
  const data = hex(registration.authenticatorData);
  const expected = (challenge: string) => ({
    user,
    origin: "https://example.org",
    challenges: {
      issue: () => challenge,
      open: (text: unknown) => text === base64url(hex(challenge)) ? { issuedAt, payload: hex("") } : undefined,
    },
    scope,
  });

  Deno.test(`W3C: registers ${name}: ${outcome ?? "accepted"}`, async () => {
    const { algorithm, spki } = await publicKeyOf(data.subarray(idLengthAt + 2 + id.length));
    const response = {
      id,
      clientDataJSON: Buffer.from(registration.clientDataJSON),
      authenticatorData: data,
      publicKey: spki,
      publicKeyAlgorithm: algorithm,
    };
    const flags = data[flagsAt] ?? 0;
    if ((flags & userPresentAndVerified) !== userPresentAndVerified && outcome !== "cross-origin") {
      const unverified = await verifyRegistration(response, expected(registration.challenge));
      assertEquals(unverified, { refused: "user-verified" });
    }
    // No signature covers it without attestation.
    const authenticatorData = Buffer.from(data.with(flagsAt, flags | userPresentAndVerified));
    const verified = await verifyRegistration({ ...response, authenticatorData }, expected(registration.challenge));
    assertEquals("refused" in verified ? verified.refused : undefined, outcome);
    if ("refused" in verified) return;
    await logIn({ ...verified, login: user.login, counter: 0 });
  });

  const logIn = async (credential: Parameters<typeof verifyAssertion>[1]["credential"]) => {
    const signature = hex(authentication.signature);
    const response = {
      id,
      clientDataJSON: Buffer.from(authentication.clientDataJSON),
      authenticatorData: hex(authentication.authenticatorData),
      signature,
      userHandle: undefined,
    };
    const options = { ...expected(authentication.challenge), credential, isAlone: false, now: 2 };
    const verified = await verifyAssertion(response, options);
    assertEquals(verified, { counter: issuedAt, signCount: 0, isCounterStuck: false });
    const forged = Buffer.from(signature.with(-1, (signature.at(-1) ?? 0) ^ 1));
    assertEquals(await verifyAssertion({ ...response, signature: forged }, options), { refused: "signature" });
  };
}

Deno.test("W3C: there are vectors of all algorithms but ML-DSA-44", () => {
  assert(
    vectors.length === 15 && Object.keys(outcomes).every((name) => vectors.some((vector) => vector.name === name)),
  );
});

/** The key of a vector as a browser gives it: SPKI. The vectors have it as COSE. */
async function publicKeyOf(cose: Bytes): Promise<{ readonly algorithm: number; readonly spki: Bytes }> {
  const start = cose.subarray(0, 5).toString("hex");
  const spkiOf = async (jwk: JsonWebKey, parameters: RsaHashedImportParams & EcKeyImportParams | Algorithm) => {
    const key = await crypto.subtle.importKey("jwk", jwk, parameters, true, ["verify"]);
    return Buffer.from(await crypto.subtle.exportKey("spki", key));
  };
  const number = (from: number, length: number) => base64url(cose.subarray(from, from + length));
  switch (start) {
    case "a501020326": {
      const jwk = { kty: "EC", crv: "P-256", x: number(10, 32), y: number(45, 32) };
      return { algorithm: -7, spki: await spkiOf(jwk, { name: "ECDSA", namedCurve: "P-256" }) };
    }
    case "a401010327":
      return {
        algorithm: -8,
        spki: await spkiOf({ kty: "OKP", crv: "Ed25519", x: number(10, 32) }, { name: "Ed25519" }),
      };
    case "a401030339": {
      const jwk = { kty: "RSA", n: number(11, cose.readUInt16BE(9)), e: "AQAB" };
      return { algorithm: -257, spki: await spkiOf(jwk, { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" }) };
    }
    default: // -35, -36 and -53, which are not offered.
      return { algorithm: -35, spki: Buffer.from(cose) };
  }
}
