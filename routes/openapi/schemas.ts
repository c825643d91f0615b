/**
 * What bodies and parameters must be, from the limits that the validation itself uses.
 *
 * Objects are strict: a member that is not named here is refused in a request, and is in no reply.
 */

import type { Config } from "../../lib/config/config.ts";
import type { Schema } from "./document.ts";
import { problemSchemas } from "./reply.ts";
import { maxUserAgentLength, tokenPattern } from "../../lib/accounts/session.ts";
import { groupPattern, loginPattern, maxGroups, maxLoginLength, maxPasswordBytes } from "../../lib/accounts/user.ts";
import { keptMinutes } from "../../lib/metrics/minute_counter.ts";
import { cursorPattern } from "../page_query.ts";

const date: Schema = { type: "string", format: "date-time", description: "RFC 3339, in UTC, with milliseconds." };
const id: Schema = { type: "string", pattern: cursorPattern.source, description: "A ULID." };
const flag: Schema = { type: "boolean" };
const text: Schema = { type: "string" };

/** What the page of a list has beside its items. */
const pageMembers: Readonly<Record<string, Schema>> = {
  total: { type: "integer", minimum: 0, description: "How many there are on all pages." },
  next: { type: ["string", "null"], pattern: cursorPattern.source, description: "What the next page is `after`." },
};

const count: Schema = { type: "integer", minimum: 0 };
const milliseconds: Schema = { type: ["number", "null"], minimum: 0 };
const quantiles = strict("Durations in the last minute; null if there was none.", {
  p50_ms: milliseconds,
  p99_ms: milliseconds,
});

function countsOf(length: number): Schema {
  return { type: "array", items: count, minItems: length, maxItems: length };
}

/** 32 random bytes as base64url. */
const code: Schema = {
  type: "string",
  pattern: "^[A-Za-z0-9_-]{43}$",
  description: "The code of a ticket. It is good once.",
};

/** A reference to the schema of that name. */
export function schemaNamed(name: string): Schema {
  return { $ref: `#/components/schemas/${name}` };
}

/** All schemas by name, under these settings. */
export function schemasOf({ passwordMinLength }: Pick<Config, "passwordMinLength">): Record<string, Schema> {
  return {
    Login: {
      type: "string",
      minLength: 1,
      maxLength: maxLoginLength,
      pattern: loginPattern.source.replaceAll("a-z", "A-Za-z"),
      description: "Letters, digits and . _ - @ +, the first a letter or digit. Capitals are taken as small letters.",
    },
    NewPassword: {
      type: "string",
      format: "password",
      minLength: passwordMinLength,
      pattern: "^[^\\u0000-\\u001f\\u007f-\\u009f]*$",
      description:
        `Any but control characters, ${passwordMinLength} or more, at most ${
          maxPasswordBytes.toLocaleString("en")
        } bytes ` +
        "of UTF-8 in NFC, and not easily guessed: not a common password, a repeat, a sequence or a keyboard walk, and " +
        "without the login in it.",
    },
    Groups: {
      type: "array",
      maxItems: maxGroups,
      uniqueItems: true,
      items: { type: "string", pattern: groupPattern.source },
      description: "Members of `admin` administer the register.",
    },
    ...requestSchemas,
    ...replySchemas,
    ...problemSchemas,
  };
}

const login = schemaNamed("Login");
const password = schemaNamed("NewPassword");
const groups = schemaNamed("Groups");

const requestSchemas: Readonly<Record<string, Schema>> = {
  Registration: strict("Who wants to register.", { login, password }, {
    ticket: { ...text, description: code.description },
  }),
  UserChange: {
    ...strict("What to change; what is not named stays.", {}, { groups, disabled: flag }),
    minProperties: 1,
  },
  PasswordChange: {
    description: "A new password, and what allows to set it.",
    oneOf: [
      strict("By who knows the present one.", { current_password: text, password }),
      strict("By who has a ticket for a reset.", { ticket: { ...text, description: code.description }, password }),
    ],
  },
  Credentials: strict("What to log in with.", { login: text, password: { type: "string", format: "password" } }, {
    cookie: { ...flag, default: false, description: "Whether the token is wanted as a cookie, and not in the body." },
  }),
  TicketRequest: {
    description: "What a ticket is wanted for.",
    oneOf: [
      strict("To register.", { purpose: { const: "register" } }, {
        login: { ...login, description: "The only login that it is for; without it, any." },
      }),
      strict("To set a password without the old one.", { purpose: { const: "reset" }, login }),
    ],
  },
};

const replySchemas: Readonly<Record<string, Schema>> = {
  User: strict("A user as others may see them.", {
    id: { ...id, description: "A ULID; a login that is deleted and registered again gets another." },
    login: { type: "string", maxLength: maxLoginLength, pattern: loginPattern.source },
    registered_at: date,
    groups,
    disabled: { ...flag, description: "Whether the account is disabled: it cannot log in, and has no sessions." },
  }),
  UserPage: strict("A page of users.", {
    users: { type: "array", items: schemaNamed("User") },
    ...pageMembers,
    next: {
      type: ["string", "null"],
      maxLength: maxLoginLength,
      description: "The `after` of the next page: the id of the last user, or the login when sorted by login.",
    },
  }),
  NewSession: strict("A session that was just made.", { login, created_at: date, expires_at: date }, {
    token: {
      type: "string",
      pattern: tokenPattern.source,
      description: "Shown this once. Missing when it was asked for as a cookie.",
    },
  }),
  OwnSession: strict("The session of the request.", { login, groups, created_at: date, expires_at: date }),
  Session: strict("One login that lasts.", {
    id,
    created_at: date,
    last_seen_at: { ...date, description: "Noted about once an hour." },
    expires_at: { ...date, description: "When it ends if it is not used again." },
    user_agent: { type: "string", maxLength: maxUserAgentLength, description: "Of the browser or program, at login." },
    address: { ...text, description: "Of the client, at login." },
    current: { ...flag, description: "Whether it is the session of the request." },
  }),
  SessionPage: strict("Sessions, the oldest first.", {
    sessions: { type: "array", items: schemaNamed("Session") },
    ...pageMembers,
  }),
  Ticket: strict("A ticket that was just made.", {
    id: { ...id, description: "What names it in the list of tickets." },
    ticket: { ...code, description: "The code. It is shown this once, and good once." },
    purpose: { enum: ["register", "reset"] },
    expires_at: date,
  }, { login: { ...login, description: "The only one that it is for; missing when it is for any." } }),
  ListedTicket: strict("A ticket without its code.", {
    id,
    purpose: { enum: ["register", "reset"] },
    made_by: {
      type: ["string", "null"],
      maxLength: maxLoginLength,
      pattern: loginPattern.source,
      description: "The login of the administrator who made it; null when an older version did.",
    },
    created_at: { ...date, type: ["string", "null"], description: "Null when an older version made it." },
    expires_at: date,
  }, { login: { ...login, description: "The only one that it is for; missing when it is for any." } }),
  TicketPage: strict("Tickets in the order in which they were made.", {
    tickets: { type: "array", items: schemaNamed("ListedTicket") },
    total: { type: "integer", minimum: 0, description: "How many there are on all pages." },
    next: { type: ["string", "null"], pattern: cursorPattern.source, description: "What the next page is `after`." },
  }),
  Status: strict("Figures of one instance and of the store.", {
    time: date,
    instance: { ...text, description: "The instance that responds: its listen address, and an id since its start." },
    users: count,
    sessions: { ...count, description: "Including sessions that expired within the last hour." },
    registrations: strict("Registrations on each of the last 30 days (UTC) of users that still exist.", {
      first_day: { type: "string", pattern: "^\\d{4}-\\d\\d-\\d\\d$" },
      counts: countsOf(30),
    }),
    logins: strict("Login attempts in each of the last 60 minutes, by outcome.", {
      first_minute: date,
      success: countsOf(keptMinutes),
      failure: countsOf(keptMinutes),
      throttled: countsOf(keptMinutes),
    }),
    hash: quantiles,
    sync: { ...quantiles, type: ["object", "null"], description: "Null with a database, which syncs by itself." },
    running: { ...count, description: "Passwords being hashed." },
    waiting: { ...count, description: "Passwords waiting to be hashed." },
    store_bytes: { ...count, description: "Bytes on disk." },
    uptime_seconds: count,
    deno: { ...text, description: "The version of Deno." },
  }),
  SettingList: strict("The settings in force.", {
    settings: {
      type: "array",
      items: strict("One setting.", {
        name: { ...text, description: "The environment variable." },
        value: { ...text, description: "What counts. Of a URL only the scheme, as a password may follow." },
        default: { ...text, description: "What counts when it is not set." },
        meaning: { ...text, description: "What it does, with unit and range, in Markdown." },
      }),
    },
  }),
  Health: strict("How the service is.", { status: { enum: ["live", "ready"] } }),
};

/** An object that has all of `required`, may have `optional`, and has nothing else. */
function strict(
  description: string,
  required: Readonly<Record<string, Schema>>,
  optional: Readonly<Record<string, Schema>> = {},
): Schema {
  return {
    description,
    type: "object",
    required: Object.keys(required),
    additionalProperties: false,
    properties: { ...required, ...optional },
  };
}
