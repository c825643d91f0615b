/**
 * The problems that a response can name: status, title and meaning.
 *
 * A response carries the code in its `type`, `/problem/<code>` (RFC 9457), and that address responds with the meaning.
 * Codes are part of the contract: codes may be added, but the meaning of a code never changes.
 */

export interface Problem {
  readonly status: number;
  /** A few words, the same for every occurrence (RFC 9457, 3.1.3). */
  readonly title: string;
  /** What it means and what to do. */
  readonly meaning: string;
}

/** All problems by code. */
export const problems = {
  "malformed-path": { status: 400, title: "Malformed path", meaning: "The path is not percent-encoded UTF-8." },
  "malformed-host": { status: 400, title: "Malformed host", meaning: "The Host header has an invalid character." },
  "malformed-json": { status: 400, title: "Malformed JSON", meaning: "The body is missing or is not JSON in UTF-8." },
  "not-authenticated": {
    status: 401,
    title: "Not logged in",
    meaning:
      "This requires a session: log in at POST /session/ and send the token as `Authorization: Bearer <token>` " +
      "or as the cookie. The session may have ended or expired.",
  },
  "wrong-credentials": {
    status: 401,
    title: "Wrong login or password",
    meaning: "The login is unknown, the password is wrong, or the account is disabled. The response is the same for " +
      "all three, so that nobody can find out which logins are registered.",
  },
  "wrong-password": { status: 401, title: "Wrong password", meaning: "The login has another password." },
  "unknown-login": { status: 404, title: "Unknown login", meaning: "No user has this login." },
  "forbidden": { status: 403, title: "Not allowed", meaning: "The user of the session may not do this." },
  "not-in-group": { status: 403, title: "Not in the group", meaning: "The user is not in a required group." },
  "cross-origin": {
    status: 403,
    title: "Request from another site",
    meaning: "A request that changes something with the session cookie must come from a page of the same origin, as " +
      "its Sec-Fetch-Site or Origin header shows. Programs use the bearer token instead.",
  },
  "login-again": {
    status: 403,
    title: "Log in again",
    meaning:
      "Deleting one's own account, and making a ticket that resets the password of an administrator, require a " +
      "session that is less than 10 minutes old.",
  },
  "wrong-current-password": {
    status: 403,
    title: "Wrong current password",
    meaning: "The field `current_password` does not have the password of the user.",
  },
  "ticket-invalid": {
    status: 403,
    title: "Ticket not valid",
    meaning: "The ticket is missing, unknown, expired, used, or for another purpose or login.",
  },
  "login-reserved": {
    status: 403,
    title: "Login reserved",
    meaning:
      "GATEHOUSE_RESERVED_LOGINS reserves this login or its domain, as applications often trust it. Registering " +
      "it requires a ticket of an administrator. The response does not depend on whether it is taken.",
  },
  "registration-closed": {
    status: 403,
    title: "Registration is closed",
    meaning: "The service registers only administrators, with a ticket that is made on its machine, and makes no " +
      "invitations (GATEHOUSE_REGISTRATION=closed).",
  },
  "not-found": { status: 404, title: "Not found", meaning: "The path, or what the request names, does not exist." },
  "method-not-allowed": {
    status: 405,
    title: "Method not allowed",
    meaning: "The path does not support this method. The Allow header lists those that it supports.",
  },
  "slow-body": { status: 408, title: "Body too slow", meaning: "The body did not arrive within 10 seconds." },
  "login-taken": { status: 409, title: "Login taken", meaning: "Another user has this login. Case is ignored." },
  "last-admin": { status: 409, title: "Last administrator", meaning: "The change would leave no administrator." },
  "precondition-failed": {
    status: 412,
    title: "The user has changed",
    meaning: "The user no longer matches the ETag in If-Match. Get the user again and repeat the change.",
  },
  "body-too-large": { status: 413, title: "Body too large", meaning: "The body exceeds 16 KiB or 256 chunks." },
  "not-json": { status: 415, title: "Not JSON", meaning: "The body must be uncompressed application/json in UTF-8." },
  "invalid-user": {
    status: 422,
    title: "Invalid user",
    meaning:
      "Each bad field is in `errors`: a JSON pointer, a code and a detail, with some codes also the limit or the " +
      "reason. A login has 1 to 64 of a-z 0-9 . _ - @ + and starts with a letter or digit; case is ignored. A " +
      "password has 15 characters or more (GATEHOUSE_PASSWORD_MIN_LENGTH), at most 1,024 bytes and no control " +
      "characters, and is not easily guessed: use a few random words.",
  },
  "invalid-credentials": {
    status: 422,
    title: "Invalid credentials",
    meaning:
      "The body requires the texts `login` and `password`, and may have `cookie`, true or false. `errors` lists " +
      "every bad field.",
  },
  "invalid-ticket": {
    status: 422,
    title: "Invalid ticket request",
    meaning: "The body requires `purpose`, register or reset, and for a reset `login`. `errors` lists every bad field.",
  },
  "invalid-query": { status: 422, title: "Invalid query", meaning: "Each bad parameter is in `errors`." },
  "too-many-registrations": {
    status: 429,
    title: "Too many registrations",
    meaning: "The address or its network has reached its limit of registrations per hour. Retry-After tells when the " +
      "next one is allowed.",
  },
  "too-many-new-passwords": {
    status: 429,
    title: "Too many new passwords",
    meaning:
      "The address or its network has sent more new passwords per hour than the service checks: 600, or ten times " +
      "its limit of registrations if that is more. Retry-After tells when the next one is checked.",
  },
  "too-many-attempts": {
    status: 429,
    title: "Too many wrong passwords",
    meaning: "The login or the address has had too many wrong passwords; this one was not checked. Retry-After tells " +
      "when the next one is. Per hour one address has 10 wrong passwords for one login and 100 for all logins, an " +
      "IPv6 /56 400 and a /48 1,000. After 100 wrong passwords in a row, a login accepts only browsers that have " +
      "logged in to it before, until a password is right or an administrator enables the user or makes a reset ticket.",
  },
  "internal-error": {
    status: 500,
    title: "Internal error",
    meaning: "The service failed. Its log has the cause, with the id in X-Request-Id.",
  },
  "overloaded": {
    status: 503,
    title: "Overloaded",
    meaning: "Too many passwords wait to be hashed. Nothing was changed. Retry-After tells when to try again.",
  },
  "store-closed": {
    status: 503,
    title: "Changes are not possible",
    meaning: "The disk failed. Reading works; changes require a restart of the service.",
  },
  "store-unavailable": {
    status: 503,
    title: "Database not available",
    meaning:
      "The database cannot be reached or rejects changes. The change may have been made: check before you repeat " +
      "it. Retry-After tells when.",
  },
  "not-ready": { status: 503, title: "Not ready", meaning: "The service is stopping or cannot store changes." },
  "store-full": { status: 507, title: "Disk full", meaning: "The disk has no space. Nothing was changed." },
} as const satisfies Record<string, Problem>;

export type ProblemCode = keyof typeof problems;

/** The codes of a bad field or query parameter, in `errors` of a problem. They are part of the contract too. */
export const fieldCodes = {
  "missing": "The field is required.",
  "unknown-field": "The body has no such field, or not together with the others.",
  "not-object": "The body must be an object.",
  "not-text": "The value must be text.",
  "not-unicode": "The text has half of a surrogate pair.",
  "not-boolean": "The value must be true or false.",
  "too-short": "The text has fewer characters than `limit`.",
  "too-long": "The text has more characters, or the password more bytes, than `limit`.",
  "invalid-characters": "A login has a character that logins cannot have there.",
  "control-characters": "The password has control characters.",
  "too-many-marks": "The password has too many combining marks in a row.",
  "guessable": "The password is easily guessed; `reason` says why.",
  "unchanged": "The new password is the current one.",
  "unknown-purpose": "Tickets have no such purpose.",
  "invalid-groups": "The value must be a list of different names of groups.",
  "invalid-group": "The value must be the name of a group.",
  "invalid-cursor": "The value must be the `next` of a page of this list.",
  "unknown-sort": "The list has no such order.",
  "out-of-range": "The value must be a number within the limits of the parameter.",
} as const satisfies Readonly<Record<string, string>>;

export type FieldCode = keyof typeof fieldCodes;

/** Whether a problem has this code. */
export function isProblemCode(code: string): code is ProblemCode {
  return Object.hasOwn(problems, code);
}
