// @ts-check
/**
 * Estimates how an attacker would guess a password. The service refuses weak passwords by it, and the strength meter of
 * the page runs the same file. So it is plain JavaScript without imports; the caller passes zxcvbn-ts in.
 *
 * Length does most of the work (NIST SP 800-63B-4 advises against composition rules). Weak are passwords that are long
 * and guessed early all the same: common passwords, repeats, sequences, keyboard walks, dates, and the login or the
 * name of the service.
 */

/**
 * Code of a weakness.
 *
 * @typedef {"login" | "service-name" | "common" | "keyboard" | "repeat" | "sequence" | "date" | "year"
 *   | "short"} Weakness
 */

/**
 * Modules of zxcvbn-ts, as its builds for browsers name them.
 *
 * @typedef {object} Zxcvbn
 * @property {typeof import("@zxcvbn-ts/core")} core
 * @property {typeof import("@zxcvbn-ts/language-common")} language-common
 */

/**
 * Characters that are checked, from the first. The time grows by the square of the length: 32 characters take 0.5 ms,
 * 250 took 1,400 ms. A password whose first 32 characters are strong is strong.
 */
const checkedCharacters = 32;
/** With the hash, an attacker makes 10^8 guesses within days. zxcvbn gives fewer guesses a score of 2 at most. */
const minScore = 3;
const minGuesses = 1e8;
/** Many innocent words contain a shorter login. zxcvbn gets it as a known word all the same. */
const minForbiddenLength = 4;
const serviceName = "gatehouse";

/** The letters of a Russian keyboard, and the characters of an English one on the same keys. */
const russianKeys = "ёйцукенгшщзхъфывапролджэячсмитьбю";
const englishKeys = "`qwertyuiop[]asdfghjkl;'zxcvbnm,.";

/**
 * The weakness that a pattern of zxcvbn stands for.
 *
 * @type {Readonly<Record<string, Weakness>>}
 */
const weaknesses = {
  dictionary: "common",
  spatial: "keyboard",
  repeat: "repeat",
  sequence: "sequence",
  date: "date",
  regex: "year",
};

/** Rates passwords. One takes 30 ms and 15 MB to create, so a process creates one. */
export class PasswordStrength {
  #zxcvbn;

  /** @param {Zxcvbn} zxcvbn */
  constructor(zxcvbn) {
    const { dictionary, adjacencyGraphs } = zxcvbn["language-common"];
    this.#zxcvbn = new zxcvbn.core.ZxcvbnFactory({
      dictionary: { common: dictionary["passwords-common"] },
      graphs: adjacencyGraphs,
      maxLength: checkedCharacters,
      // Bounds the combinations of "4 for a, 3 for e" that are tried: the default of 100 took 80 ms for 32 characters.
      l33tMaxSubstitutions: 2,
    });
  }

  /**
   * Returns why a password is easily guessed, or `undefined` if it is not.
   *
   * @param {string} password
   * @param {string} login
   * @returns {Weakness | undefined}
   */
  weaknessOf(password, login) {
    return this.#rate(password, login).weakness;
  }

  /**
   * Rates a password for the strength meter.
   *
   * @param {string} password
   * @param {{ login: string, minLength: number }} options `minLength` in code points
   * @returns the level from 1 to 4, of which 3 and 4 are acceptable, the number of missing characters, and the weakness
   */
  rate(password, { login, minLength }) {
    const missing = Math.max(0, minLength - [...password.normalize("NFC")].length);
    const { score, weakness } = this.#rate(password, login.toLowerCase());
    const isGood = missing === 0 && weakness === undefined;
    return { level: isGood ? score : Math.max(1, Math.min(score, 2)), missing, weakness };
  }

  /**
   * @param {string} password
   * @param {string} login
   * @returns {{ score: number, weakness?: Weakness }}
   */
  #rate(password, login) {
    const text = password.normalize("NFC");
    const lowerCase = text.toLowerCase();
    if (login.length >= minForbiddenLength && lowerCase.includes(login)) return { score: 0, weakness: "login" };
    if (lowerCase.includes(serviceName)) return { score: 0, weakness: "service-name" };
    return this.#estimate(/[а-яё]/.test(lowerCase) ? toEnglishKeys(lowerCase) : text, login);
  }

  /**
   * @param {string} text
   * @param {string} login
   * @returns {{ score: number, weakness?: Weakness }}
   */
  #estimate(text, login) {
    const { score, sequence } = this.#zxcvbn.check(text, [login, serviceName]);
    // The score accepts any three parts, such as three keyboard rows: it assumes that an attacker first tries 10,000 of
    // each number of parts. So the parts by themselves must need enough guesses too.
    const guesses = sequence.reduce((product, part) => product * part["guesses"], 1);
    if (score >= minScore && guesses >= minGuesses) return { score };
    const longest = [...sequence].sort((a, b) => b.token.length - a.token.length)[0];
    return { score, weakness: weaknesses[longest?.pattern ?? ""] ?? "short" };
  }
}

/**
 * zxcvbn knows no Russian keyboard and no Russian words, but its list of common passwords contains them by these keys.
 * All else is found by these keys too, except sequences of the alphabet, which stay: so one estimate is enough.
 *
 * @param {string} text
 */
function toEnglishKeys(text) {
  return text.replace(/[а-яё]/g, (letter, at) => {
    const isInSequence = [at - 2, at - 1, at].some((start) => isSequence(text, start));
    return isInSequence ? letter : englishKeys[russianKeys.indexOf(letter)] ?? letter;
  });
}

/**
 * Reports whether three characters follow one another at one distance, of at most five as in zxcvbn.
 *
 * @param {string} text
 * @param {number} start
 */
function isSequence(text, start) {
  const distance = text.charCodeAt(start + 1) - text.charCodeAt(start);
  const isSame = text.charCodeAt(start + 2) - text.charCodeAt(start + 1) === distance;
  return isSame && distance !== 0 && Math.abs(distance) <= 5;
}
