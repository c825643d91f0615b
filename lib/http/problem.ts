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

const rows = {
  "malformed-path": [400, "Malformed path", "The path is not percent-encoded UTF-8."],
  "malformed-host": [400, "Malformed host", "The Host header has an invalid character."],
  "malformed-json": [400, "Malformed JSON", "The body is missing or is not JSON in UTF-8."],
  "not-authenticated": [
    401,
    "Not logged in",
    "This requires a session: log in at POST /session/ and send the token as `Authorization: Bearer <token>` or as " +
    "the cookie. The session may have ended or expired.",
  ],
  "wrong-credentials": [
    401,
    "Wrong login or password",
    "The login is unknown, the password is wrong, or the account is disabled. The response is the same for all " +
    "three, so that nobody can find out which logins are registered.",
  ],
  "second-factor-required": [
    401,
    "Second factor required",
    "The session needs a second factor: prove one at POST /session/authentication/, or set one up. HTTP Basic needs " +
    "an app password, or the site accepts only sessions.",
  ],
  "wrong-password": [401, "Wrong password", "The login has another password."],
  "unknown-login": [404, "Unknown login", "No user has this login."],
  "forbidden": [403, "Not allowed", "The user of the session may not do this."],
  "not-in-group": [403, "Not in the group", "The user is not in a required group."],
  "cross-origin": [
    403,
    "Request from another site",
    "A request that changes something with the session cookie must come from a page of the same origin, as its " +
    "Sec-Fetch-Site or Origin header shows. Programs use the bearer token instead. Passkeys work only on a page of " +
    "the same origin, over HTTPS.",
  ],
  "unknown-site": [
    403,
    "Unknown site",
    "GATEHOUSE_SITES does not list the host, so it is closed. The administrator of the service can add it.",
  ],
  "only-at-home": [403, "Only at the home", "This host is a guarded site: the rest is at the origin GATEHOUSE_HOME."],
  "site-login-invalid": [
    403,
    "Login at the site not completed",
    "The code is unknown, used, older than a minute, or for another site, page or browser: open the page again.",
  ],
  "login-again": [
    403,
    "Log in again",
    "This requires a login or a step-up (POST /session/authentication/) in the last 10 minutes, by one of `needs`.",
  ],
  "wrong-current-password": [403, "Wrong current password", "The user has another password."],
  "wrong-factor": [403, "Code or passkey not accepted", "It is wrong, expired, used, or of another user."],
  "login-token-invalid": [403, "Login token not valid", "It is unknown, used, or older than 5 minutes: log in again."],
  "ticket-invalid": [
    403,
    "Ticket not valid",
    "The ticket is missing, unknown, expired, used, or for another purpose or login.",
  ],
  "login-reserved": [
    403,
    "Login reserved",
    "GATEHOUSE_RESERVED_LOGINS reserves this login or its domain, as applications often trust it. Registering it " +
    "requires a ticket of an administrator. The response does not depend on whether it is taken.",
  ],
  "registration-closed": [
    403,
    "Registration is closed",
    "The service registers only administrators, with a ticket that is made on its machine, and makes no invitations " +
    "(GATEHOUSE_REGISTRATION=closed).",
  ],
  "not-found": [404, "Not found", "The path, or what the request names, does not exist."],
  "method-not-allowed": [405, "Method not allowed", "The Allow header lists the methods of the path."],
  "slow-body": [408, "Body too slow", "The body did not arrive within 10 seconds."],
  "login-taken": [409, "Login taken", "Another user has this login. Case is ignored."],
  "too-many-credentials": [409, "Too many credentials", "A user has at most 50. Delete one that is not used."],
  "last-second-factor": [409, "Last second factor", "GATEHOUSE_SECOND_FACTOR requires one: set up another one first."],
  "last-admin": [409, "Last administrator", "The change would leave no administrator."],
  "precondition-failed": [412, "The user has changed", "Its ETag is not in If-Match. Get it again and repeat."],
  "body-too-large": [413, "Body too large", "The body exceeds 16 KiB or 256 chunks."],
  "not-json": [415, "Not JSON", "The body must be uncompressed application/json in UTF-8."],
  "invalid-user": [
    422,
    "Invalid user",
    "Each bad field is in `errors`: a JSON pointer, a code and a detail, with some codes also the limit or the " +
    "reason. A login has 1 to 64 of a-z 0-9 . _ - @ + and starts with a letter or digit; case is ignored. A " +
    "password has 15 characters or more (GATEHOUSE_PASSWORD_MIN_LENGTH), at most 1,024 bytes and no control " +
    "characters, and is not easily guessed: use a few random words.",
  ],
  "invalid-credential": [422, "Invalid credential", "Each bad field is in `errors`."],
  "invalid-credentials": [422, "Invalid credentials", "Each bad field is in `errors`."],
  "invalid-ticket": [422, "Invalid ticket request", "Each bad field is in `errors`."],
  "invalid-query": [422, "Invalid query", "Each bad parameter is in `errors`."],
  "too-many-registrations": [
    429,
    "Too many registrations",
    "The address or its network has reached its limit of registrations per hour. Retry-After tells when the next " +
    "one is allowed.",
  ],
  "too-many-new-passwords": [
    429,
    "Too many new passwords",
    "The address or its network has sent more new passwords per hour than the service checks: 600, or ten times its " +
    "limit of registrations if that is more. Retry-After tells when the next one is checked.",
  ],
  "too-many-attempts": [
    429,
    "Too many wrong passwords",
    "The login or the address has had too many wrong passwords; this one was not checked. Retry-After tells when " +
    "the next one is. Per hour one address has 10 wrong passwords for one login and 100 for all logins, an IPv6 " +
    "/56 400 and a /48 1,000. After 100 wrong passwords in a row, a login accepts only browsers that have logged " +
    "in to it before, until a password is right or an administrator enables the user or makes a reset ticket.",
  ],
  "internal-error": [500, "Internal error", "The service failed. Its log has the cause, with the id in X-Request-Id."],
  "overloaded": [
    503,
    "Overloaded",
    "Too many passwords wait to be hashed. Nothing was changed. Retry-After tells when to try again.",
  ],
  "store-closed": [503, "Changes are not possible", "The disk failed. Reads work; changes require a restart."],
  "store-unavailable": [
    503,
    "Database not available",
    "The database cannot be reached or rejects changes. The change may have been made: check before you repeat it. " +
    "Retry-After tells when.",
  ],
  "not-ready": [503, "Not ready", "The service is stopping or cannot store changes."],
  "store-full": [507, "Disk full", "The disk has no space. Nothing was changed."],
} as const satisfies Readonly<Record<string, readonly [status: number, title: string, meaning: string]>>;

export type ProblemCode = keyof typeof rows;

/** All problems by code. */
export const problems = Object.fromEntries(
  Object.entries(rows).map(([code, [status, title, meaning]]) => [code, { status, title, meaning }]),
) as Readonly<Record<ProblemCode, Problem>>;

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
  "invalid-code": "The value must be a code of 6 digits, or a recovery code.",
  "invalid-name": "The value must have 1 to 64 characters, and no line breaks.",
  "invalid-passkey": "The value must be the response of an authenticator as JSON.",
  "invalid-cursor": "The value must be the `next` of a page of this list.",
  "unknown-sort": "The list has no such order.",
  "out-of-range": "The value must be a number within the limits of the parameter.",
} as const satisfies Readonly<Record<string, string>>;

export type FieldCode = keyof typeof fieldCodes;

/** Whether a problem has this code. */
export function isProblemCode(code: string): code is ProblemCode {
  return Object.hasOwn(problems, code);
}
