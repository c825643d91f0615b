/**
 * How an attacker would guess a password, and why it is then refused.
 *
 * Length does most of the work (NIST SP 800-63B-4 asks for no composition rules); what is long and still guessed early
 * is refused: common passwords, repeats, sequences, keyboard walks, dates, and the login or the service's own name.
 */

// zxcvbn-ts: the field's estimate of guesses, kept up to date with lists of leaked passwords.
import { ZxcvbnFactory } from "@zxcvbn-ts/core";
import { adjacencyGraphs, dictionary } from "@zxcvbn-ts/language-common";

/**
 * Only the beginning is judged, as the estimate takes time by the square of the length: 32 characters take 0.5 ms,
 * 250 took 1,400 ms. What cannot be guessed in its first 32 characters cannot be guessed.
 */
export const judgedCharacters = 32;
/** Below 10^8 guesses an attacker who has the hash finds it within days; zxcvbn calls that score 2 and below. */
const minScore = 3;
const minGuesses = 1e8;
/** A login of fewer characters is inside many innocent words; zxcvbn counts it as known all the same. */
const minForbiddenLength = 4;
const serviceName = "gatehouse";

/** The letters of a Russian keyboard, and what an English one types with the same keys. */
const russianKeys = "ёйцукенгшщзхъфывапролджэячсмитьбю";
const englishKeys = "`qwertyuiop[]asdfghjkl;'zxcvbnm,.";

/** Why a password is easily guessed: codes for programs, and a clause for people. */
export const guessReasons = {
  "login": "it contains the login",
  "service-name": "it contains the name of this service",
  "common": "it is made of commonly used passwords",
  "keyboard": "it is made of keys beside each other",
  "repeat": "it repeats itself",
  "sequence": "it is a sequence like abc or 123",
  "date": "it is made of dates",
  "year": "it is made of years",
  "short": "it is too short to be hard to guess",
} as const;

export type GuessReason = keyof typeof guessReasons;

/** What each pattern of zxcvbn is called here. */
const reasonOfPattern: Readonly<Record<string, GuessReason>> = {
  dictionary: "common",
  spatial: "keyboard",
  repeat: "repeat",
  sequence: "sequence",
  date: "date",
  regex: "year",
};

/** Says whether a password is easily guessed. Making one takes 30 ms and 15 MB, so one serves the whole process. */
export class PasswordStrength {
  readonly #zxcvbn = new ZxcvbnFactory({
    dictionary: { common: dictionary["passwords-common"] },
    graphs: adjacencyGraphs,
    maxLength: judgedCharacters,
    // Each combination of "4 for a, 3 for e" is tried: the default of 100 took 80 ms for 32 characters.
    l33tMaxSubstitutions: 2,
  });

  /** @returns why the password is easily guessed; `undefined` when it is not */
  weaknessOf(password: string, login: string): GuessReason | undefined {
    const text = password.normalize("NFC");
    const lowerCase = text.toLowerCase();
    if (login.length >= minForbiddenLength && lowerCase.includes(login)) return "login";
    if (lowerCase.includes(serviceName)) return "service-name";
    const reason = this.#reasonAgainst(text, login);
    if (reason !== undefined || !/[а-яё]/.test(lowerCase)) return reason;
    return this.#reasonAgainst(onEnglishKeys(lowerCase), login);
  }

  #reasonAgainst(text: string, login: string): GuessReason | undefined {
    const { score, sequence } = this.#zxcvbn.check(text, [login, serviceName]);
    // To the score three parts are enough whatever they are, such as three rows of a keyboard: it takes for granted
    // that an attacker tries 10,000 of each number of parts first. So the parts by themselves must be enough too.
    const guesses = sequence.reduce((product: number, part) => product * part["guesses"], 1);
    if (score >= minScore && guesses >= minGuesses) return undefined;
    const longest = sequence.toSorted((a, b) => b.token.length - a.token.length)[0];
    return reasonOfPattern[longest?.pattern ?? ""] ?? "short";
  }
}

/** zxcvbn knows no Russian keyboard and no Russian word, but its list of common passwords has them by these keys. */
function onEnglishKeys(text: string): string {
  return text.replace(/[а-яё]/g, (letter) => englishKeys[russianKeys.indexOf(letter)] ?? letter);
}
