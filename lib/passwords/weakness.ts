/** Weaknesses of passwords in words, and the check of the service. The check itself is in `password_strength.js`. */

// zxcvbn-ts: the field's estimate of guesses, updated with lists of leaked passwords.
import * as core from "@zxcvbn-ts/core";
import * as languageCommon from "@zxcvbn-ts/language-common";
import { PasswordStrength, type Weakness } from "./password_strength.js";

/** Why a password is easily guessed: stable codes for programs, and a clause for people. */
export const weaknessTexts: Readonly<Record<Weakness, string>> = {
  "login": "it contains the login",
  "service-name": "it contains the name of this service",
  "common": "it consists of common passwords",
  "keyboard": "it is a run of adjacent keys",
  "repeat": "it repeats itself",
  "sequence": "it is a sequence like abc or 123",
  "date": "it consists of dates",
  "year": "it consists of years",
  "short": "it is too short to be hard to guess",
};

/** Creates the check with the service's copy of zxcvbn-ts. */
export function createPasswordStrength(): PasswordStrength {
  return new PasswordStrength({ core, "language-common": languageCommon });
}
