/**
 * The texts of problems: of a whole response, and of one field.
 *
 * They are chosen by code, as codes are part of the HTTP contract. An unknown code gets the service's own title.
 */

import { formatWait, translate, translateCount } from "./language.js";

const texts = {
  "wrong-credentials": "Wrong login or password.",
  "wrong-password": "Wrong password.",
  "unknown-login": "There is no account with this login.",
  "wrong-current-password": "This is not your current password.",
  "not-authenticated": "Your session has ended. Log in again.",
  "forbidden": "You do not have permission to do this.",
  "login-again": "Log in again to confirm.",
  "second-factor-required": "This requires a second factor.",
  "wrong-factor": "This passkey does not work here. It may have been deleted: use another way.",
  "login-token-invalid": "The login took too long. Log in again.",
  "last-second-factor": "You need a second factor here, so the last one cannot be deleted.",
  "too-many-credentials": "You have 50 passkeys and app passwords. Delete one first.",
  "passkey-not-used": "No passkey was used. Try again, or use another way.",
  "passkey-exists": "This device has a passkey of this account already.",
  "passkey-address": "Passkeys do not work at this address. Open the page by its name.",
  "passkey-failed": "This browser cannot use the passkey. Use another way.",
  "ticket-invalid": "This ticket is not valid: it is used, expired, or for another login.",
  "registration-closed": "Registration is closed.",
  "login-reserved": "This login is reserved: it requires an invitation.",
  "login-taken": "This login is taken.",
  "last-admin": "This is the last administrator. Make another user an administrator first.",
  "precondition-failed": "Someone else has changed this user. Check the changes and try again.",
  "not-found": "Not found. It may have been deleted.",
  "too-many-attempts": "Too many wrong attempts.",
  "too-many-new-passwords": "Too many new passwords from your address.",
  "too-many-registrations": "Too many registrations from your address.",
  "overloaded": "The service is busy.",
  "body-too-large": "This is too long.",
  "slow-body": "The connection is too slow.",
  "store-closed": "Changes are not possible now: the disk of the service failed.",
  "store-full": "Changes are not possible now: the disk of the service is full.",
  "store-unavailable": "The database of the service does not respond.",
  "not-ready": "The service is starting or stopping.",
  "internal-error": "The service failed with an internal error.",
  "unreachable": "The service cannot be reached.",
  "no-https": "Without HTTPS the browser cannot keep you logged in. Open this page over HTTPS.",
  "no-cookie": "Without cookies the browser cannot keep you logged in. Allow the cookies of this site.",
  "page-failed": "An error occurred on this page. Reload it.",
};

/** Problems of a whole response that belong to one field. */
const fieldOfProblem = {
  "login-reserved": "login",
  "login-taken": "login",
  "unknown-login": "login",
  "ticket-invalid": "ticket",
  "wrong-current-password": "current_password",
};

const fieldTexts = {
  "missing": "Required.",
  "invalid-characters": "Only a–z, digits and . _ - @ +; the first is a letter or digit.",
  "control-characters": "No tabs, line breaks or other control characters.",
  "invalid-name": "No tabs, line breaks or other control characters.",
  "too-many-marks": "Too many accents on one letter.",
  "not-unicode": "Contains invalid characters.",
  "unchanged": "Must differ from the current password.",
  "invalid-group": "Only a–z, digits and . _ -, at most 32 characters.",
  "invalid-groups": "At most 32 groups of a–z, digits and . _ -, each of at most 32 characters.",
  "confirmation": "This is not your login.",
};

const reasonTexts = {
  "login": "it contains the login",
  "service-name": "it contains the name of this service",
  "common": "it consists of common passwords",
  "keyboard": "it is a run of adjacent keys",
  "repeat": "it repeats itself",
  "sequence": "it is a sequence like abc or 123",
  "date": "it consists of dates",
  "year": "it consists of years",
  "short": "it is too short",
};

/** Returns the text of a problem, and when to try again. */
export function problemText({ code, title, retrySeconds }) {
  const text = translate(texts[code] ?? title);
  return retrySeconds > 0 ? `${text} ${translate("Try again {when}.", { when: formatWait(retrySeconds) })}` : text;
}

/** Returns the bad fields of a problem, as name and text. */
export function fieldErrors(problem) {
  const name = fieldOfProblem[problem.code];
  if (name !== undefined) return [{ name, text: problemText(problem) }];
  return problem.errors.map((error) => ({ name: error.pointer.slice(1), text: fieldText(error) }));
}

/** Returns the text of a field's error. */
export function fieldText({ code, limit: count = 0, reason, detail = "" }) {
  if (code === "too-short") {
    return translateCount(count, {
      one: "Must have at least {count} character.",
      other: "Must have at least {count} characters.",
    });
  }
  if (code === "too-long") {
    return translateCount(count, {
      one: "Must have at most {count} character.",
      other: "Must have at most {count} characters.",
    });
  }
  if (code === "guessable") return guessableText(reason);
  return translate(fieldTexts[code] ?? detail);
}

/** Returns the text of an easily guessed password. @param reason the service's code of it */
export function guessableText(reason) {
  return translate("Easy to guess: {reason}.", { reason: translate(reasonTexts[reason] ?? reason) });
}

/** Returns the text about the recovery codes that are left. */
export function codesLeftText(count) {
  return translate("Recovery codes left: {count}", { count });
}
