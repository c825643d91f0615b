/** Ceremonies of one user at one page, with the software authenticator: what tests make wrong in one place. */

import { assert } from "@std/assert";
import { Challenges, type ChallengeScope } from "../../../lib/factors/challenge.ts";
import {
  creationOptions,
  type ExpectedAssertion,
  requestOptions,
  verifyAssertion,
  verifyRegistration,
} from "../../../lib/factors/passkey.ts";
import { passkeyAssertion, passkeyRegistration } from "../../../lib/factors/passkey_response.ts";
import type { Field } from "../../../lib/http/schema.ts";
import { type AssertionJson, Authenticator, type RegistrationJson } from "./authenticator.ts";

export const origin = "https://login.example.com";
export const user = { id: "01JDC0000000000000000ALICE", login: "alice" };
export const now = Date.parse("2026-11-27T04:00:00Z");

const challenges = new Challenges("a key", () => now);
const registrationScope: ChallengeScope = { purpose: "passkey-registration", login: user.login, binding: "session" };
const loginScope: ChallengeScope = { purpose: "passkey-login", login: "", binding: "browser" };

/** What the body refuses. */
const malformed = { refused: "malformed" };

/** What the checks expect unless a test says otherwise. */
type Expectation = Partial<Pick<ExpectedAssertion, "credential" | "isAlone" | "now" | "user">>;

export function newCreationOptions() {
  const challenge = challenges.issue(registrationScope);
  return creationOptions(user, { title: "Gatehouse", origin, challenge });
}

export function newRequestOptions() {
  return requestOptions({ origin, challenge: challenges.issue(loginScope) });
}

/** Judges a response to `newCreationOptions`. */
export async function judgeRegistration(json: RegistrationJson) {
  const response = parsed(passkeyRegistration, json);
  return response === undefined ? malformed : await verifyRegistration(response, {
    origin,
    challenges,
    scope: registrationScope,
  });
}

/** Judges a response to `newRequestOptions`. */
export async function judgeAssertion(
  json: AssertionJson,
  expectation: Expectation & Required<Pick<Expectation, "credential">>,
) {
  const response = parsed(passkeyAssertion, json);
  return response === undefined ? malformed : await verifyAssertion(response, {
    user,
    origin,
    isAlone: true,
    now,
    challenges,
    scope: loginScope,
    ...expectation,
  });
}

/** A passkey of `user` as it is stored, and its authenticator. */
export async function registeredPasskey(algorithm?: number) {
  const authenticator = await Authenticator.create(algorithm);
  const outcome = await judgeRegistration(authenticator.register(newCreationOptions(), { origin }));
  assert(!("refused" in outcome));
  return { authenticator, credential: { ...outcome, login: user.login, counter: 0 } };
}

/** Parses a value with a field; `undefined` if it reports an error. */
function parsed<T>({ parse }: Field<T>, value: unknown): T | undefined {
  const errors: unknown[] = [];
  const result = parse(value, (error) => void errors.push(error));
  return errors.length === 0 ? result : undefined;
}
