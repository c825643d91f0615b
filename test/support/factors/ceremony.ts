/** Ceremonies of one user at one page, with the software authenticator: what tests make wrong in one place. */

import { assert } from "@std/assert";
import { Challenges, type ChallengeScope } from "../../../lib/factors/challenge.ts";
import {
  type Ceremony,
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

const registration = ceremony({ purpose: "passkey-registration", login: user.login, binding: "session" });
const login = ceremony({ purpose: "passkey-login", login: "", binding: "browser" });

/** What the body refuses. */
const malformed = { refused: "malformed" };

/** What the checks expect unless a test says otherwise. */
type Expectation = Partial<Pick<ExpectedAssertion, "credential" | "isAlone" | "now" | "user">>;

export function newCreationOptions() {
  return creationOptions(registration, { user, title: "Gatehouse", passkeys: [] });
}

export function newRequestOptions() {
  return requestOptions(login);
}

/** Judges a response to `newCreationOptions`. */
export async function judgeRegistration(json: RegistrationJson) {
  const response = parsed(passkeyRegistration, json);
  return response === undefined ? malformed : await verifyRegistration(response, registration);
}

/** Judges a response to `newRequestOptions`. */
export async function judgeAssertion(
  json: AssertionJson,
  expectation: Expectation & Required<Pick<Expectation, "credential">>,
) {
  const response = parsed(passkeyAssertion, json);
  return response === undefined ? malformed : await verifyAssertion(response, {
    ...login,
    user,
    isAlone: true,
    now,
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

function ceremony(scope: ChallengeScope): Ceremony {
  return { origin, challenges: new Challenges("a key", () => now), scope };
}

/** Parses a value with a field; `undefined` if it reports an error. */
function parsed<T>({ parse }: Field<T>, value: unknown): T | undefined {
  const errors: unknown[] = [];
  const result = parse(value, (error) => void errors.push(error));
  return errors.length === 0 ? result : undefined;
}
