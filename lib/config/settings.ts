/**
 * The table of all settings, in the order of the README. Each row has the name, default, meaning and parser.
 *
 * To add a setting, add a row: `readConfig` reads it, `Config` has its field, and `/setting/` shows it.
 */

import { parseListen } from "./listen.ts";
import { parseLogo } from "./logo.ts";
import {
  defaultReservedLogins,
  hours,
  named,
  noLogins,
  oneOf,
  parseHome,
  parseInstance,
  parseOrigins,
  parseProxies,
  parseReservedLogins,
  parseSites,
  parseStore,
  parseTitle,
  quote,
  wholeNumber,
} from "./parsers.ts";
import { readSmallText } from "./small_file.ts";

/** OWASP Password Storage Cheat Sheet (2026) for PBKDF2-HMAC-SHA256. */
export const recommendedIterations = 600_000;
/** The most iterations of the setting, and of a hash that is verified: about 1.5 s. */
export const maxIterations = 10_000_000;

/** Docker's `--env-file` keeps quotes and blanks around a value; a file with CRLF keeps the CR. */
const wrapped = /^["'\s]|["'\s]$/;

/** A variable with this suffix names a file with the text of its setting, such as a secret of a container. */
export const fileSuffix = "_FILE";

/** Environment variables by name. */
export type Environment = Readonly<Record<string, string>>;

/** One row of the table. */
export interface Setting<Value> {
  /** The environment variable. */
  readonly name: string;
  /** The text that is parsed when the variable is not set. */
  readonly default: string;
  /** What the setting does, with unit and range: a cell of the README's table, in Markdown. */
  readonly meaning: string;
  /** The word for an empty list, where the default is not empty. */
  readonly none?: string;
  /** @throws {RangeError} saying what is accepted instead */
  readonly parse: (text: string) => Value;
}

/** The values of all settings, by the names of the table. */
export type Values = {
  readonly [Field in keyof typeof settings]: ReturnType<typeof settings[Field]["parse"]>;
};

export const settings = {
  listen: {
    name: "GATEHOUSE_LISTEN",
    default: "127.0.0.1:8000",
    meaning: "Address and port (IPv6 as `[::1]:8000`; port `0` selects a free one), or `unix:/path`",
    parse: parseListen,
  },
  /** `undefined` serves `/metrics` with everything else. */
  metricsListen: {
    name: "GATEHOUSE_METRICS_LISTEN",
    default: "",
    meaning: "Address and port, or `unix:/path`, that serves only `/metrics`; `GATEHOUSE_LISTEN` then does not serve " +
      "it. Required behind a proxy that adds no header",
    parse: (text: string) => text === "" ? undefined : parseListen(text),
  },
  /** `undefined` is the listen address. */
  instance: {
    name: "GATEHOUSE_INSTANCE",
    default: "",
    meaning:
      "Name of this instance in the log, in the metrics and on the status page, 1 to 40 of `A-Z a-z 0-9 . _ -`; " +
      "by default its listen address",
    parse: parseInstance,
  },
  logLevel: {
    name: "GATEHOUSE_LOG_LEVEL",
    default: "info",
    meaning: "`debug` also logs every request, and each decision of the guard with its reason",
    parse: oneOf("info", "debug"),
  },
  store: {
    name: "GATEHOUSE_STORE",
    default: "data",
    meaning: "Folder of the users and sessions, created if missing; or PostgreSQL, " +
      "`postgres://USER:PASSWORD@HOST:PORT,HOST:PORT…/DATABASE?sslmode=verify-full`",
    parse: parseStore,
  },
  passwordHash: {
    name: "GATEHOUSE_PASSWORD_HASH",
    default: "pbkdf2",
    meaning:
      "Kind of a password hash: `pbkdf2`, or `argon2id`, which allows twice the logins and takes 19 MiB of memory " +
      "for each hash that runs",
    parse: oneOf("pbkdf2", "argon2id"),
  },
  pbkdf2Iterations: {
    name: "GATEHOUSE_PBKDF2_ITERATIONS",
    default: String(recommendedIterations),
    meaning:
      `PBKDF2 iterations of a password hash, 1 to ${maxIterations}; a value below ${recommendedIterations} logs ` +
      "a warning at start",
    parse: wholeNumber(1, maxIterations),
  },
  /** In code points. */
  passwordMinLength: {
    name: "GATEHOUSE_PASSWORD_MIN_LENGTH",
    default: "15",
    meaning: "Minimum length of a new password in code points, 8 to 64; a value below 15 logs a warning at start",
    parse: wholeNumber(8, 64),
  },
  secondFactor: {
    name: "GATEHOUSE_SECOND_FACTOR",
    default: "optional",
    meaning: "Who must have a second factor: nobody (`optional`), administrators (`admins`) or everyone (`all`); " +
      "without it, a session can only set one up",
    parse: oneOf("optional", "admins", "all"),
  },
  loginErrors: {
    name: "GATEHOUSE_LOGIN_ERRORS",
    default: "uniform",
    meaning: "`exact` distinguishes an unknown login from a wrong password: for teaching only, logs a warning at start",
    parse: oneOf("uniform", "exact"),
  },
  registration: {
    name: "GATEHOUSE_REGISTRATION",
    default: "open",
    meaning: "Who may register: `open` (anyone), `ticket` (anyone with a ticket) or `closed` (nobody)",
    parse: oneOf("open", "ticket", "closed"),
  },
  /** In lower case; `*@DOMAIN` is every login that ends in `@DOMAIN`. */
  reservedLogins: {
    name: "GATEHOUSE_RESERVED_LOGINS",
    default: defaultReservedLogins,
    meaning: "Comma-separated logins that require a ticket to register, because apps often trust such names; " +
      "`*@example.org` reserves a domain, `none` reserves nothing",
    none: noLogins,
    parse: parseReservedLogins,
  },
  registrationsPerHour: {
    name: "GATEHOUSE_REGISTRATIONS_PER_HOUR",
    default: "60",
    meaning: "Registrations per client and hour, up to 1000000; `0` is unlimited",
    parse: wholeNumber(0, 1_000_000),
  },
  trustedProxies: {
    name: "GATEHOUSE_TRUSTED_PROXIES",
    default: "",
    meaning: "Comma-separated addresses or CIDR blocks whose `X-Forwarded-For` is trusted; loopback and unix sockets " +
      "always are",
    parse: parseProxies,
  },
  origins: {
    name: "GATEHOUSE_ORIGINS",
    default: "",
    meaning:
      "Comma-separated origins, such as `https://app.example.org`, whose pages may use the API with bearer tokens " +
      "(CORS); never with cookies",
    parse: parseOrigins,
  },
  /** "" is each guarded site itself. */
  home: {
    name: "GATEHOUSE_HOME",
    default: "",
    meaning: "Origin where users log in for all guarded sites, such as `https://login.example.org`; by default they " +
      "log in at each site",
    parse: parseHome,
  },
  sites: {
    name: "GATEHOUSE_SITES",
    default: "",
    meaning: "Comma-separated origins of the sites that `GATEHOUSE_HOME` logs in to, at most 64, with different host " +
      "names; other guarded sites are closed",
    parse: parseSites,
  },
  ticketMs: {
    name: "GATEHOUSE_TICKET_HOURS",
    default: "24",
    meaning: "Lifetime of a ticket in hours, 1 to 8760; also of the ticket for the first administrator",
    parse: hours(1, 8_760),
  },
  sessionIdleMs: {
    name: "GATEHOUSE_SESSION_IDLE_HOURS",
    default: "168",
    meaning: "Hours without use after which a session ends, 1 to 8760; at most `GATEHOUSE_SESSION_MAX_HOURS`",
    parse: hours(1, 8_760),
  },
  sessionMaxMs: {
    name: "GATEHOUSE_SESSION_MAX_HOURS",
    default: "720",
    meaning: "Hours after which a session ends even if it is in use, 1 to 8760",
    parse: hours(1, 8_760),
  },
  maxSessions: {
    name: "GATEHOUSE_MAX_SESSIONS",
    default: "50",
    meaning: "Sessions per user, 1 to 1000; one more ends the session that was used longest ago",
    parse: wholeNumber(1, 1_000),
  },
  title: {
    name: "GATEHOUSE_TITLE",
    default: "Gatehouse",
    meaning: "Title of the web page, at most 40 characters",
    parse: parseTitle,
  },
  /** `undefined` is the logo of Gatehouse. */
  logo: {
    name: "GATEHOUSE_LOGO",
    default: "",
    meaning: "Path of an SVG or PNG file of at most 64 KiB: the logo and icon of the web page",
    parse: parseLogo,
  },
} satisfies Readonly<Record<string, Setting<unknown>>>;

/**
 * Reads one setting: the text in effect, and its value. The text comes from the variable, from the file that the
 * variable with the suffix `_FILE` names, or from the default.
 *
 * @throws {RangeError} what is wrong, in one line; nothing of the text of a file, which may be a secret
 */
export function readSetting<Value>(setting: Setting<Value>, env: Environment): { text: string; value: Value } {
  const { name, default: defaultText } = setting;
  const { [name]: given, [name + fileSuffix]: path } = env;
  if (path !== undefined) {
    const fileName = name + fileSuffix;
    if (given !== undefined) throw new RangeError(`${name} and ${fileName} are both set: unset one of them`);
    const text = named(`${fileName} cannot be ${quote(path)}`, () => readSmallText(path));
    return named(`${name} cannot be the text of ${quote(path)}`, () => parseGiven(setting, text));
  }
  if (given !== undefined) return named(`${name} cannot be ${quote(given)}`, () => parseGiven(setting, given));
  return { text: defaultText, value: setting.parse(defaultText) };
}

function parseGiven<Value>({ none, parse }: Setting<Value>, text: string): { text: string; value: Value } {
  if (text === "") throw new RangeError(`unset it to use the default${none === undefined ? "" : `, or set ${none}`}`);
  if (wrapped.test(text)) throw new RangeError("remove the quotes or white space around it");
  return { text, value: parse(text) };
}
