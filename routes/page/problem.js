/**
 * Problems in words: of a reply as a whole, and of one field.
 *
 * Codes are the service's contract, so the words are by them; a code that is not known here has the service's own
 * title.
 */

import { formatWait, translate, translateCount } from "./language.js";

const texts = {
  "wrong-credentials": "Wrong login or password.",
  "wrong-password": "Wrong password.",
  "unknown-login": "Nobody has this login.",
  "wrong-current-password": "This is not your current password.",
  "not-authenticated": "Your session has ended. Log in again.",
  "forbidden": "You may not do this.",
  "login-again": "Show that it is you: type your password.",
  "ticket-invalid": "This ticket is not good: it is used, out of date, or for somebody else.",
  "registration-closed": "Registration is closed.",
  "login-reserved": "This login is reserved: it takes an invitation.",
  "login-taken": "This login is taken.",
  "last-admin": "This is the last administrator: make somebody else one first.",
  "precondition-failed": "Somebody else changed this meanwhile. Look again.",
  "not-found": "This is not there, or no longer.",
  "too-many-attempts": "Too many wrong passwords.",
  "too-many-new-passwords": "Too many new passwords came from here.",
  "too-many-registrations": "Too many accounts were made from here.",
  "overloaded": "The service is busy.",
  "body-too-large": "This is too long.",
  "slow-body": "The connection is too slow.",
  "store-closed": "Nothing can be changed now: the disk of the service failed.",
  "store-full": "Nothing can be changed now: the disk of the service is full.",
  "store-unavailable": "The database of the service does not answer.",
  "not-ready": "The service is starting or stopping.",
  "internal-error": "The service failed.",
  "unreachable": "The service cannot be reached.",
  "no-https":
    "This address is not https, so the browser cannot keep you logged in. Open the page at its https address.",
  "no-cookie": "The browser keeps no cookies of this site, so it cannot keep you logged in. Allow them.",
  "page-failed": "Something on this page failed. Load it again.",
};

/** Where a problem of the whole belongs to a field. */
const fieldOfProblem = {
  "login-reserved": "login",
  "login-taken": "login",
  "unknown-login": "login",
  "ticket-invalid": "ticket",
  "wrong-current-password": "current_password",
};

const fieldTexts = {
  "missing": "This is needed.",
  "invalid-characters": "Only a–z, digits and . _ - @ +, beginning with a letter or digit.",
  "control-characters": "No tabs, line breaks or other control characters.",
  "too-many-marks": "It has too many accents on one letter.",
  "not-unicode": "It has characters that are none.",
  "unchanged": "It must be another than the present one.",
  "invalid-groups": "At most 32 groups of a–z, digits and . _ -, each of at most 32 characters.",
  "confirmation": "This is not your login.",
};

const reasonTexts = {
  "login": "it contains the login",
  "service-name": "it contains the name of this service",
  "common": "it is made of commonly used passwords",
  "keyboard": "it is made of keys beside each other",
  "repeat": "it repeats itself",
  "sequence": "it is a sequence like abc or 123",
  "date": "it is made of dates",
  "year": "it is made of years",
  "short": "it is too short to be hard to guess",
};

/** A problem in words, with when to come again. */
export function problemText({ code, title, retrySeconds }) {
  const text = translate(texts[code] ?? title);
  return retrySeconds > 0 ? `${text} ${translate("Try again {when}.", { when: formatWait(retrySeconds) })}` : text;
}

/** The bad fields of a problem, as name and text. */
export function fieldErrors(problem) {
  const name = fieldOfProblem[problem.code];
  if (name !== undefined) return [{ name, text: problemText(problem) }];
  return problem.errors.map((error) => ({ name: error.pointer.slice(1), text: fieldText(error) }));
}

/** What is wrong with a field: by its code, the limit that it goes beyond, and the reason. */
export function fieldText({ code, limit: count = 0, reason, detail = "" }) {
  if (code === "too-short") {
    return translateCount(count, {
      one: "It needs at least {count} character.",
      other: "It needs at least {count} characters.",
    });
  }
  if (code === "too-long") {
    return translateCount(count, {
      one: "It may have at most {count} character.",
      other: "It may have at most {count} characters.",
    });
  }
  if (code === "guessable") return guessableText(reason);
  return translate(fieldTexts[code] ?? detail);
}

/** Why a password is easily guessed. @param reason the service's code for it */
export function guessableText(reason) {
  return translate("Easily guessed: {reason}.", { reason: translate(reasonTexts[reason] ?? reason) });
}
