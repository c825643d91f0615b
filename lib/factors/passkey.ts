/**
 * Passkeys: registration and authentication by W3C WebAuthn Level 3, 7.1 and 7.2, without attestation. README.md lists
 * what is checked, and why not more.
 */

import { Buffer } from "node:buffer";
import { hash } from "node:crypto";
import { isSameOrigin } from "../http/cookie.ts";
import { type Credential, maxSessionAheadMs, type User } from "../store.ts";
import { challengeMs, type Challenges, type ChallengeScope } from "./challenge.ts";
import { coseAlgorithmIds, importPublicKey, isSigned } from "./cose_algorithm.ts";
import type { Bytes } from "./encoding.ts";
import type { PasskeyAssertion, PasskeyRegistration } from "./passkey_response.ts";

/** Offsets in the authenticator data, and its flags (W3C WebAuthn Level 3, 6.1). */
const [flagsAt, signCountAt, attestedAt, idLengthAt] = [32, 33, 37, 53];
const [present, verified, backupEligible, backedUp, attested, extended] = [0x01, 0x04, 0x08, 0x10, 0x40, 0x80];
const type = "public-key";

/** The page of a ceremony, and what the challenge is good for. */
export interface Ceremony {
  /** See `passkeyOrigin`. */
  readonly origin: string;
  readonly challenges: Pick<Challenges, "issue" | "open">;
  readonly scope: ChallengeScope;
}

export interface ExpectedAssertion extends Ceremony {
  readonly user: Pick<User, "id" | "login">;
  readonly credential: Pick<Credential, "login" | "key" | "secret" | "counter" | "signCount">;
  /** Whether the passkey is the only factor. Then its authenticator must have verified the user and name it. */
  readonly isAlone: boolean;
  readonly now: number;
}

/** The first part of a response that is wrong, for the log. */
export interface Refused {
  readonly refused: string;
}

/** What each use changes. */
type Progress = Pick<Credential, "counter" | "signCount">;

/** The origin of the page that sent a request, if passkeys work there: over HTTPS, and on this machine. */
export function passkeyOrigin(request: Pick<Request, "headers" | "url">): string | undefined {
  const origin = request.headers.get("origin") ?? "";
  // At most a host name of 253 characters and a port. Programs can send `Sec-Fetch-Site` with any text as the origin.
  const isSecure = /^(https:\/\/.{1,259}|http:\/\/localhost(:\d+)?)$/.test(origin);
  return isSecure && URL.parse(origin)?.origin === origin && isSameOrigin(request) ? origin : undefined;
}

/** For `PublicKeyCredential.parseCreationOptionsFromJSON()`. @param options `title` is the name of the service */
export function creationOptions(
  { origin, challenges, scope }: Ceremony,
  { user: { id, login }, title, passkeys }: {
    readonly user: Pick<User, "id" | "login">;
    readonly title: string;
    readonly passkeys: readonly Pick<Credential, "secret">[];
  },
) {
  return {
    rp: { id: new URL(origin).hostname, name: title },
    user: { id: Buffer.from(id).toString("base64url"), name: login, displayName: login },
    challenge: challenges.issue(scope),
    pubKeyCredParams: coseAlgorithmIds.map((alg) => ({ type, alg })),
    timeout: challengeMs,
    excludeCredentials: passkeys.map((passkey) => ({ type, id: readSecret(passkey).id })),
    authenticatorSelection: { residentKey: "required", requireResidentKey: true, userVerification: "required" },
    attestation: "none",
  };
}

/** For `PublicKeyCredential.parseRequestOptionsFromJSON()`. They are the same for all users. */
export function requestOptions({ origin, challenges, scope }: Ceremony) {
  return {
    rpId: new URL(origin).hostname,
    challenge: challenges.issue(scope),
    timeout: challengeMs,
    allowCredentials: [],
    userVerification: "required",
  };
}

/** `Credential.key` of the id of a passkey: ids can be longer than keys. */
export function passkeyKey(id: Bytes): string {
  return hash("sha256", id, "hex");
}

/** Checks the response to `creationOptions`. @returns what the store keeps */
export async function verifyRegistration(
  response: PasskeyRegistration,
  ceremony: Ceremony,
): Promise<Pick<Credential, "key" | "secret" | "counter" | "signCount"> | Refused> {
  const { id, authenticatorData: data, publicKey, publicKeyAlgorithm } = response;
  const idEnd = idLengthAt + 2 + id.length;
  const checked = checkCommon(response, {
    ...ceremony,
    type: "webauthn.create",
    more: {
      "user-verified": hasFlag(data, verified),
      "attested-credential": hasFlag(data, attested) && data.length > idEnd,
      "credential-id": data.subarray(idLengthAt, idEnd).equals(Buffer.from([id.length >> 8, id.length & 0xff, ...id])),
    },
  });
  if ("refused" in checked) return checked;
  if (await importPublicKey(publicKeyAlgorithm, publicKey) === undefined) return { refused: "public-key" };
  const secret = [publicKeyAlgorithm, ...[publicKey, id].map((bytes) => bytes.toString("base64url"))].join(".");
  return { key: passkeyKey(id), secret, ...checked };
}

/** Checks the response to `requestOptions`. @returns what the store keeps, and whether the count has not grown */
export async function verifyAssertion(
  response: PasskeyAssertion,
  expected: ExpectedAssertion,
): Promise<Progress & { readonly isCounterStuck: boolean } | Refused> {
  const { id, authenticatorData: data, clientDataJSON, signature, userHandle } = response;
  const { user, credential, isAlone, now } = expected;
  const checked = checkCommon(response, {
    ...expected,
    type: "webauthn.get",
    more: {
      "credential-id": passkeyKey(id) === credential.key && credential.login === user.login,
      "user-handle": userHandle?.equals(Buffer.from(user.id)) ?? !isAlone,
      "user-verified": hasFlag(data, verified) || !isAlone,
      "attested-credential": !hasFlag(data, attested),
      "extensions": data.length > attestedAt === hasFlag(data, extended),
    },
  });
  if ("refused" in checked) return checked;
  // A challenge is good once. A time in the future is that of a clock that was set back since.
  const isUsed = checked.counter <= credential.counter && credential.counter <= now + maxSessionAheadMs;
  if (isUsed) return { refused: "used-challenge" };
  const { algorithmId, publicKey } = readSecret(credential);
  const key = await importPublicKey(algorithmId, publicKey);
  const signed = Buffer.concat([data, hash("sha256", clientDataJSON, "buffer")]);
  if (key === undefined || !await isSigned(signed, { key, signature })) return { refused: "signature" };
  return { ...checked, isCounterStuck: credential.signCount > 0 && checked.signCount <= credential.signCount };
}

type Checks = Readonly<Record<string, boolean>>;

/** Checks what both ceremonies have in common, then `more`. */
function checkCommon(
  { clientDataJSON, authenticatorData: data }: PasskeyRegistration | PasskeyAssertion,
  { type, origin, challenges, scope, more }: Ceremony & { readonly type: string; readonly more: Checks },
): Progress | Refused {
  const client = readClientData(clientDataJSON);
  const issuedAt = challenges.open(client["challenge"], scope)?.issuedAt;
  const checks: Checks = {
    "type": client["type"] === type,
    "challenge": issuedAt !== undefined,
    "origin": client["origin"] === origin,
    "cross-origin": client["crossOrigin"] === undefined || client["crossOrigin"] === false,
    "top-origin": client["topOrigin"] === undefined,
    "authenticator-data": data.length >= attestedAt,
    "rp-id": data.subarray(0, flagsAt).equals(hash("sha256", new URL(origin).hostname, "buffer")),
    "user-present": hasFlag(data, present),
    "backup-state": hasFlag(data, backupEligible) || !hasFlag(data, backedUp),
    ...more,
  };
  const refused = Object.keys(checks).find((name) => !checks[name]);
  if (issuedAt === undefined || refused !== undefined) return { refused: refused ?? "challenge" };
  return { counter: issuedAt, signCount: data.readUInt32BE(signCountAt) };
}

/** The client data (5.8.1); of a text that is not an object, no members. */
function readClientData(bytes: Bytes): Readonly<Record<string, unknown>> {
  try {
    // As the standard asks, without a byte order mark, and with other bytes than those of UTF-8 replaced.
    return { ...JSON.parse(new TextDecoder().decode(bytes)) };
  } catch {
    return {};
  }
}

function hasFlag(data: Bytes, flag: number): boolean {
  return ((data[flagsAt] ?? 0) & flag) !== 0;
}

/** `Credential.secret` is `<COSE algorithm>.<SPKI>.<id>`, the last two in base64url. */
function readSecret({ secret }: Pick<Credential, "secret">) {
  const [algorithm, spki = "", id = ""] = secret.split(".");
  return { algorithmId: Number(algorithm), publicKey: Buffer.from(spki, "base64url"), id };
}
