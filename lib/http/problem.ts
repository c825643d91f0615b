/**
 * Every problem that a reply can name: its status, its title, and what it means to whoever meets it.
 *
 * A reply carries the code as its `type`, `/problem/<code>` (RFC 9457), and that address answers with the text below.
 * Codes are part of the contract: they are added, and never change their meaning.
 */

import { STATUS_CODE } from "@std/http/status";

export interface Problem {
  readonly status: number;
  /** A few words, the same for every occurrence (RFC 9457, 3.1.3). */
  readonly title: string;
  /** What it means and what to do, for `GET /problem/<code>`. */
  readonly meaning: string;
}

/** All problems by code. */
export const problems = {
  "malformed-path": {
    status: STATUS_CODE.BadRequest,
    title: "Malformed path",
    meaning: "The path has a percent-encoding that stands for no text. Encode UTF-8, as in /user/%40alice.",
  },
  "malformed-host": {
    status: STATUS_CODE.BadRequest,
    title: "Malformed host",
    meaning: "The Host header has a character that no host has (RFC 9110, 7.2).",
  },
  "malformed-json": {
    status: STATUS_CODE.BadRequest,
    title: "Malformed JSON",
    meaning: "The body is missing, broken off, not UTF-8, or not JSON (RFC 8259).",
  },
  "not-authenticated": {
    status: STATUS_CODE.Unauthorized,
    title: "Not logged in",
    meaning: "This needs a session: log in at POST /session/ and send the token as `Authorization: Bearer <token>`, " +
      "or the cookie. A session that has ended or expired counts as none.",
  },
  "wrong-credentials": {
    status: STATUS_CODE.Unauthorized,
    title: "Wrong login or password",
    meaning: "The login is unknown, the password is wrong, or the account is disabled. Which of them is not told, as " +
      "that would tell anyone which logins are registered.",
  },
  "wrong-password": {
    status: STATUS_CODE.Unauthorized,
    title: "Wrong password",
    meaning: "The login is registered and the password is another. Told only with GATEHOUSE_LOGIN_ERRORS=exact.",
  },
  "unknown-login": {
    status: STATUS_CODE.NotFound,
    title: "Unknown login",
    meaning: "Nobody of that login is registered. Told only with GATEHOUSE_LOGIN_ERRORS=exact.",
  },
  "forbidden": {
    status: STATUS_CODE.Forbidden,
    title: "Not allowed",
    meaning:
      "The session is valid, and is not one of a person who may do this. The answer is the same whether or not " +
      "what was asked for exists.",
  },
  "not-in-group": {
    status: STATUS_CODE.Forbidden,
    title: "Not in the group",
    meaning: "The session is valid, and what was asked for is for members of a group that its user is not in.",
  },
  "cross-origin": {
    status: STATUS_CODE.Forbidden,
    title: "Request from another site",
    meaning: "A request with the session cookie that changes something must come from a page of this very origin, as " +
      "its Sec-Fetch-Site or Origin header shows. Programs use the bearer token instead.",
  },
  "login-again": {
    status: STATUS_CODE.Forbidden,
    title: "Log in again",
    meaning:
      "Deleting one's account, and a ticket that sets the password of an administrator, need a session that is " +
      "less than 10 minutes old.",
  },
  "wrong-current-password": {
    status: STATUS_CODE.Forbidden,
    title: "Wrong current password",
    meaning: "The password is changed by who knows the present one, and `current_password` is another.",
  },
  "ticket-invalid": {
    status: STATUS_CODE.Forbidden,
    title: "Ticket not valid",
    meaning: "The ticket is missing, unknown, expired, used already, or for something or somebody else.",
  },
  "login-reserved": {
    status: STATUS_CODE.Forbidden,
    title: "Login reserved",
    meaning: "Apps often trust this login, or all of its domain (GATEHOUSE_RESERVED_LOGINS): it is registered with a " +
      "ticket of an administrator only. The answer is the same whether or not somebody has it.",
  },
  "registration-closed": {
    status: STATUS_CODE.Forbidden,
    title: "Registration is closed",
    meaning:
      "This service takes no new users (GATEHOUSE_REGISTRATION=closed), but for the first administrator, by the ticket " +
      "that a start prints. Nor does it make invitations.",
  },
  "not-found": {
    status: STATUS_CODE.NotFound,
    title: "Not found",
    meaning: "There is nothing at this path, or no user, session or ticket of the name in it or in the body.",
  },
  "method-not-allowed": {
    status: STATUS_CODE.MethodNotAllowed,
    title: "Method not allowed",
    meaning: "The path exists and does not know this method. The Allow header lists those that it knows.",
  },
  "slow-body": {
    status: STATUS_CODE.RequestTimeout,
    title: "Body too slow",
    meaning: "The body did not arrive within 10 seconds.",
  },
  "login-taken": {
    status: STATUS_CODE.Conflict,
    title: "Login taken",
    meaning: "Somebody is registered with this login. Capitals make no difference.",
  },
  "last-admin": {
    status: STATUS_CODE.Conflict,
    title: "Last administrator",
    meaning: "After this nobody would administer the service any more. Make another user an administrator first.",
  },
  "precondition-failed": {
    status: STATUS_CODE.PreconditionFailed,
    title: "Changed meanwhile",
    meaning: "The user is no longer as the ETag in If-Match says. Look again, and decide anew.",
  },
  "body-too-large": {
    status: STATUS_CODE.ContentTooLarge,
    title: "Body too large",
    meaning: "The body is longer than 16 KiB, or comes in more than 256 chunks.",
  },
  "not-json": {
    status: STATUS_CODE.UnsupportedMediaType,
    title: "Not JSON",
    meaning: "The body must be JSON: Content-Type application/json, in UTF-8, without a Content-Encoding.",
  },
  "invalid-user": {
    status: STATUS_CODE.UnprocessableEntity,
    title: "Invalid user",
    meaning: "The body is JSON and not a user that can be registered. Its member `errors` lists every bad field: a " +
      "JSON pointer to it, a code, and a detail; with some codes also the limit, or the reason why it is easily guessed. " +
      "A login has 1 to 64 of a-z 0-9 . _ - @ + and begins with a letter or digit; capitals are taken as small " +
      "letters. A password has 15 characters or more (this service may have set another number), at most 1,024 bytes, " +
      "and is not easily guessed: any but control characters will do, and a few random words are good.",
  },
  "invalid-credentials": {
    status: STATUS_CODE.UnprocessableEntity,
    title: "Invalid credentials",
    meaning: "The body is JSON and not credentials: an object with the texts `login` and `password` and, if wanted, " +
      "`cookie`, true or false. Its member `errors` lists every bad field.",
  },
  "invalid-ticket": {
    status: STATUS_CODE.UnprocessableEntity,
    title: "Invalid ticket request",
    meaning: "The body is JSON and not a request for a ticket: an object with `purpose`, `register` or `reset`, and " +
      "`login`, which a reset needs. Its member `errors` lists every bad field.",
  },
  "invalid-query": {
    status: STATUS_CODE.UnprocessableEntity,
    title: "Invalid query",
    meaning: "A parameter of the query is out of its range. The member `errors` lists every bad one by its name.",
  },
  "too-many-registrations": {
    status: STATUS_CODE.TooManyRequests,
    title: "Too many registrations",
    meaning: "This address, or its network, has registered as many users as it may in an hour. Retry-After says when " +
      "the next registration is taken.",
  },
  "too-many-new-passwords": {
    status: STATUS_CODE.TooManyRequests,
    title: "Too many new passwords",
    meaning:
      "This address, or its network, has sent as many new passwords as are checked in an hour: 600, or ten times " +
      "the registrations that it may make if that is more. Retry-After says when the next is checked.",
  },
  "too-many-attempts": {
    status: STATUS_CODE.TooManyRequests,
    title: "Too many wrong passwords",
    meaning: "Too many wrong passwords came for this login, or from this address. This one was not looked at. " +
      "Retry-After says when to come again. In an hour one address may try 10 passwords of one login and 100 of all " +
      "logins, an IPv6 /56 400 and a /48 1,000 of all logins. After 100 wrong passwords of one login in a row the " +
      "login takes passwords only from browsers that its owner has logged in from before. That ends when one is " +
      "right, or when an administrator enables the user anew or makes a ticket for a reset.",
  },
  "internal-error": {
    status: STATUS_CODE.InternalServerError,
    title: "Internal error",
    meaning: "The service failed. Its log has the cause under the id that X-Request-Id names.",
  },
  "overloaded": {
    status: STATUS_CODE.ServiceUnavailable,
    title: "Overloaded",
    meaning: "More passwords wait to be hashed than can be in a few seconds, or too many look at the state of the " +
      "service at once. Nothing was done; Retry-After says when to come again.",
  },
  "store-closed": {
    status: STATUS_CODE.ServiceUnavailable,
    title: "Nothing can be changed now",
    meaning: "The disk failed, and what is on it is known again after a restart of the service only. Reading goes on.",
  },
  "store-unavailable": {
    status: STATUS_CODE.ServiceUnavailable,
    title: "Database not available",
    meaning:
      "The database of the service cannot be reached, or takes no changes for now. Whether a change was made is " +
      "not known: look before asking again. Retry-After says when.",
  },
  "not-ready": {
    status: STATUS_CODE.ServiceUnavailable,
    title: "Not ready",
    meaning: "The service lives and should get no requests: it is stopping, or cannot change what it stores.",
  },
  "store-full": {
    status: STATUS_CODE.InsufficientStorage,
    title: "Disk full",
    meaning: "There is no room to keep the change, and nothing of it was kept. It can be tried again once there is.",
  },
} as const satisfies Record<string, Problem>;

export type ProblemCode = keyof typeof problems;

/** Whether a problem of that code exists. */
export function isProblemCode(code: string): code is ProblemCode {
  return Object.hasOwn(problems, code);
}
