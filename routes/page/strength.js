/**
 * How strong a new password is: the same judgement as the service's own, in `lib/passwords/password_strength.ts`, and a test holds them
 * together. The service judges again; this is to know before.
 */

import { loadPart } from "./api.js";

/** As in the service: only the beginning is judged, as the time grows by the square of the length. */
const judgedCharacters = 32;
const minScore = 3;
const minGuesses = 1e8;
const minForbiddenLength = 4;
const serviceName = "gatehouse";

const russianKeys = "ёйцукенгшщзхъфывапролджэячсмитьбю";
const englishKeys = "`qwertyuiop[]asdfghjkl;'zxcvbnm,.";

/** As in the service: the code of each pattern of zxcvbn. */
const reasons = {
  dictionary: "common",
  spatial: "keyboard",
  repeat: "repeat",
  sequence: "sequence",
  date: "date",
  regex: "year",
};

const opened = { strength: undefined };

/** The judge, loaded when it is first needed. @throws {Problem} when it cannot be had now */
export async function openStrength() {
  // Not on the disk: the service makes it of the npm packages.
  const module = await loadPart(() => import(new URL("zxcvbn.js", import.meta.url).href));
  opened.strength ??= new Strength(module.default);
  return opened.strength;
}

/** Says how strong a password is. */
export class Strength {
  #zxcvbn;

  /** @param zxcvbn the parts of zxcvbn-ts, as its builds for browsers name them */
  constructor(zxcvbn) {
    const { dictionary, adjacencyGraphs } = zxcvbn["language-common"];
    this.#zxcvbn = new zxcvbn.core.ZxcvbnFactory({
      dictionary: { common: dictionary["passwords-common"] },
      graphs: adjacencyGraphs,
      maxLength: judgedCharacters,
      l33tMaxSubstitutions: 2,
    });
  }

  /** @returns the level, 1 to 4; how many characters are missing; why it is easily guessed, if it is */
  judge(password, login, minLength) {
    const text = password.normalize("NFC");
    const missing = Math.max(0, minLength - [...text].length);
    const { score, reason } = this.#guess(text, login.toLowerCase());
    const isGood = missing === 0 && reason === undefined;
    return { level: isGood ? score : Math.max(1, Math.min(score, 2)), missing, reason };
  }

  #guess(text, login) {
    const lowerCase = text.toLowerCase();
    if (login.length >= minForbiddenLength && lowerCase.includes(login)) {
      return { score: 0, reason: "login" };
    }
    if (lowerCase.includes(serviceName)) return { score: 0, reason: "service-name" };
    const guess = this.#guessSpelling(text, login);
    if (guess.reason !== undefined || !/[а-яё]/.test(lowerCase)) return guess;
    const other = this.#guessSpelling(onEnglishKeys(lowerCase), login);
    return other.reason === undefined ? guess : other;
  }

  #guessSpelling(text, login) {
    const { score, sequence } = this.#zxcvbn.check(text, [login, serviceName]);
    // As in the service: three parts are not enough whatever they are.
    const guesses = sequence.reduce((product, part) => product * part.guesses, 1);
    if (score >= minScore && guesses >= minGuesses) return { score, reason: undefined };
    const longest = [...sequence].sort((a, b) => b.token.length - a.token.length)[0];
    return { score, reason: reasons[longest?.pattern] ?? "short" };
  }
}

/** As in the service: what an English keyboard types with the same keys, which zxcvbn knows. */
function onEnglishKeys(text) {
  return text.replace(/[а-яё]/g, (letter) => englishKeys[russianKeys.indexOf(letter)] ?? letter);
}
