/**
 * Every setting of Gatehouse: its name, default, meaning and check, in the one table `settings`.
 *
 * All come from the environment, are read once at start and never change after. All faults are told in one
 * message, so that nobody mends them one start at a time. An unknown `GATEHOUSE_` name is a fault too: a
 * misspelt setting would otherwise be its default in silence. `readConfig` takes the environment as an
 * argument: `main.ts` and the commands hand it the real one, tests any other.
 */
import { isIP } from "node:net";
import { closestString } from "@std/text/closest-string";
import { isPostgresUrl, parsePostgresUrl, type PostgresAddress } from "./postgres_address.ts";
import { oneOf, quote, type Reading, readSetting, type Setting, wholeNumber, withoutSecret } from "./setting.ts";

const prefix = "GATEHOUSE_";
const msPerHour = 60 * 60 * 1_000;

/** `sun_path` of unix(7) has 108 bytes, the last of them NUL. */
const maxSocketPathBytes = 108 - 1;

/** OWASP Password Storage Cheat Sheet, 2026, for PBKDF2-HMAC-SHA256. */
const recommendedIterations = 600_000;

/** NIST SP 800-63B-4, 3.1.1.2: where the password is the only factor. */
const recommendedPasswordLength = 15;

/** Where to serve: an address and port, or a unix socket. */
export type Listen =
  | { readonly hostname: string; readonly port: number }
  | { readonly path: string };

/** Where users are kept: in a folder, or in a database. */
export type StorePlace = { readonly folder: string } | PostgresAddress;

/** The settings, read and checked, and as they were written. */
export interface Config extends Values {
  /** Every setting, for those who may see them. */
  readonly inForce: readonly SettingInForce[];
}

/** A setting as text. */
export interface SettingInForce {
  readonly name: string;
  /** What counts; of a URL only the scheme, as a password may follow. */
  readonly value: string;
  readonly default: string;
  /** In Markdown. */
  readonly meaning: string;
}

/** What the settings say. */
interface Values {
  readonly listen: Listen;
  readonly store: StorePlace;
  readonly pbkdf2Iterations: number;
  /** In code points. */
  readonly passwordMinLength: number;
  readonly loginErrors: "uniform" | "exact";
  readonly registration: "open" | "ticket" | "closed";
  /** Of one client; 0 is unlimited. */
  readonly registrationsPerHour: number;
  /** Addresses and CIDR blocks, besides loopback and unix sockets. */
  readonly trustedProxies: readonly string[];
  /** How long a ticket is good for. */
  readonly ticketMs: number;
  readonly sessionIdleMs: number;
  readonly sessionMaxMs: number;
  /** Of one user. */
  readonly maxSessions: number;
}

/** The settings are not acceptable; the message names every fault, a line each. */
export class ConfigError extends Error {
  override name = "ConfigError";

  constructor(readonly faults: readonly string[]) {
    super(`Cannot start with these settings:\n${faults.map((fault) => `  ${fault}`).join("\n")}`);
  }
}

/** The table of all settings, in the README's order. */
export const settings: { readonly [Field in keyof Values]: Setting<Values[Field]> } = {
  listen: {
    name: "GATEHOUSE_LISTEN",
    default: "127.0.0.1:8000",
    meaning: "address and port (IPv6 as `[::1]:8000`; port `0` is any free one), or `unix:/path`",
    parse: parseListen,
  },
  store: {
    name: "GATEHOUSE_STORE",
    default: "data",
    meaning: "the folder that users are kept in, made when missing; or a PostgreSQL database, " +
      "`postgres://USER:PASSWORD@HOST:PORT/DATABASE?sslmode=verify-full`",
    parse: parseStore,
  },
  pbkdf2Iterations: {
    name: "GATEHOUSE_PBKDF2_ITERATIONS",
    default: "600000",
    meaning: "rounds of PBKDF2 that one password costs, 1 to 10000000; below 600000 a warning at start",
    parse: wholeNumber({ least: 1, most: 10_000_000 }),
  },
  passwordMinLength: {
    name: "GATEHOUSE_PASSWORD_MIN_LENGTH",
    default: "15",
    meaning: "code points that a new password needs, 8 to 64; below 15 a warning at start",
    parse: wholeNumber({ least: 8, most: 64 }),
  },
  loginErrors: {
    name: "GATEHOUSE_LOGIN_ERRORS",
    default: "uniform",
    meaning: "`exact` tells an unknown login from a wrong password: for teaching only, a warning at start",
    parse: oneOf("uniform", "exact"),
  },
  registration: {
    name: "GATEHOUSE_REGISTRATION",
    default: "open",
    meaning: "who may register: `open` is anyone, `ticket` who has a ticket, `closed` nobody",
    parse: oneOf("open", "ticket", "closed"),
  },
  registrationsPerHour: {
    name: "GATEHOUSE_REGISTRATIONS_PER_HOUR",
    default: "60",
    meaning: "registrations that one client may make in an hour, up to 1000000; `0` is unlimited",
    parse: wholeNumber({ least: 0, most: 1_000_000 }),
  },
  trustedProxies: {
    name: "GATEHOUSE_TRUSTED_PROXIES",
    default: "",
    meaning: "addresses or CIDR blocks, with commas between, whose `X-Forwarded-For` is believed; " +
      "loopback and unix sockets always are",
    parse: parseProxies,
  },
  ticketMs: {
    name: "GATEHOUSE_TICKET_HOURS",
    default: "24",
    meaning: "hours that a ticket for a registration or a reset is good for, 1 to 8760",
    parse: hours({ least: 1, most: 8_760 }),
  },
  sessionIdleMs: {
    name: "GATEHOUSE_SESSION_IDLE_HOURS",
    default: "168",
    meaning: "hours without use after which a session ends, 1 to 8760, and no more than the next",
    parse: hours({ least: 1, most: 8_760 }),
  },
  sessionMaxMs: {
    name: "GATEHOUSE_SESSION_MAX_HOURS",
    default: "720",
    meaning: "hours after which a session ends however much it is used, 1 to 8760",
    parse: hours({ least: 1, most: 8_760 }),
  },
  maxSessions: {
    name: "GATEHOUSE_MAX_SESSIONS",
    default: "50",
    meaning: "sessions of one user, 1 to 1000; with one more, the session seen longest ago ends",
    parse: wholeNumber({ least: 1, most: 1_000 }),
  },
};

/**
 * Reads the settings from `env`, frozen through and through.
 * @throws {ConfigError} naming every fault
 */
export function readConfig(env: Readonly<Record<string, string>>): Config {
  const faults = unknownNames(env);
  const read = <Value>(setting: Setting<Value>) => readSetting(setting, { env, faults });
  const config: Config = {
    listen: read(settings.listen),
    store: read(settings.store),
    pbkdf2Iterations: read(settings.pbkdf2Iterations),
    passwordMinLength: read(settings.passwordMinLength),
    loginErrors: read(settings.loginErrors),
    registration: read(settings.registration),
    registrationsPerHour: read(settings.registrationsPerHour),
    trustedProxies: read(settings.trustedProxies),
    ticketMs: read(settings.ticketMs),
    ...readSessionLifetimes({ env, faults }),
    maxSessions: read(settings.maxSessions),
    inForce: settingsInForce(env),
  };
  if (faults.length > 0) throw new ConfigError(faults);
  return Object.freeze(config);
}

/**
 * The folder that users are kept in, for commands that know files alone.
 *
 * @throws {TypeError} they are kept in a database
 */
export function folderOf({ store }: Config): string {
  if ("folder" in store) return store.folder;
  throw new TypeError("Cannot look into files as users are kept in PostgreSQL: use its own tools, such as pg_dump");
}

/** What is weaker in `config` than is recommended, each with the value to set; for the log at every start. */
export function configWarnings(config: Config): string[] {
  const { pbkdf2Iterations, passwordMinLength, loginErrors } = settings;
  const warnings: string[] = [];
  if (config.pbkdf2Iterations < recommendedIterations) {
    warnings.push(
      `${pbkdf2Iterations.name} is ${config.pbkdf2Iterations}, which makes the passwords of a stolen ` +
        `register cheap to guess: set it to ${recommendedIterations} or more, as OWASP recommends`,
    );
  }
  if (config.passwordMinLength < recommendedPasswordLength) {
    warnings.push(
      `${passwordMinLength.name} is ${config.passwordMinLength}, which is short for a password that stands ` +
        `alone: set it to ${recommendedPasswordLength} or more, as NIST SP 800-63B-4 demands`,
    );
  }
  if (config.loginErrors === "exact") {
    warnings.push(
      `${loginErrors.name} is "exact", which tells anyone who asks which logins exist: set it to "uniform" ` +
        "anywhere but in a lesson",
    );
  }
  return warnings;
}

function unknownNames(env: Readonly<Record<string, string>>): string[] {
  const names = Object.values(settings).map((setting) => setting.name);
  return Object.keys(env)
    .filter((name) => name.startsWith(prefix) && !names.includes(name))
    .map((name) => `${name} is no setting: did you mean ${closestString(name, names)}?`);
}

function settingsInForce(env: Readonly<Record<string, string>>): readonly SettingInForce[] {
  const all = Object.values(settings).map(({ name, default: text, meaning }) => {
    return Object.freeze({ name, value: withoutSecret(env[name] ?? text), default: text, meaning });
  });
  return Object.freeze(all);
}

function readSessionLifetimes(reading: Reading): Pick<Config, "sessionIdleMs" | "sessionMaxMs"> {
  const faultCount = reading.faults.length;
  const sessionIdleMs = readSetting(settings.sessionIdleMs, reading);
  const sessionMaxMs = readSetting(settings.sessionMaxMs, reading);
  if (sessionIdleMs > sessionMaxMs && reading.faults.length === faultCount) {
    reading.faults.push(
      `${settings.sessionIdleMs.name} cannot be "${sessionIdleMs / msPerHour}": no more than ` +
        `${settings.sessionMaxMs.name}, which is "${sessionMaxMs / msPerHour}"`,
    );
  }
  return { sessionIdleMs, sessionMaxMs };
}

function parseListen(text: string): Listen {
  const socketPath = /^unix:(\/.*[^/])$/s.exec(text)?.[1];
  if (socketPath !== undefined && new TextEncoder().encode(socketPath).length <= maxSocketPathBytes) {
    return Object.freeze({ path: socketPath });
  }
  const [, host = "", port = ""] = /^(.+):(\d+)$/.exec(text) ?? [];
  const hostname = parseHost(host);
  if (hostname !== undefined && Number(port) <= 65_535) {
    return Object.freeze({ hostname, port: Number(port) });
  }
  throw new RangeError(
    `use ADDRESS:PORT, such as 127.0.0.1:8000 or [::1]:8000, port 0 to 65535, or unix:/PATH of at most ` +
      `${maxSocketPathBytes} bytes`,
  );
}

/** The host, without the brackets of IPv6. The end of a name starts with a letter, unlike `127.0.0.300`. */
function parseHost(text: string): string | undefined {
  const ipv6 = /^\[([^%]+)\]$/.exec(text)?.[1];
  if (ipv6 !== undefined) return isIP(ipv6) === 6 ? ipv6 : undefined;
  return isIP(text) === 4 || /^([a-z\d-]+\.)*[a-z][a-z\d-]*$/i.test(text) ? text : undefined;
}

function parseStore(text: string): StorePlace {
  if (isPostgresUrl(text)) return parsePostgresUrl(text);
  if (!/^[a-z][a-z\d+.-]*:\/\//i.test(text)) return Object.freeze({ folder: text });
  throw new RangeError("users are kept in a folder or in PostgreSQL: use the path of a folder, or postgres://…");
}

function parseProxies(text: string): readonly string[] {
  // The default alone is empty: `readSetting` refuses an empty text.
  if (text === "") return Object.freeze([]);
  const proxies = text.split(/, */);
  const bad = proxies.find((proxy) => !isAddressOrBlock(proxy));
  if (bad === undefined) return Object.freeze(proxies);
  throw new RangeError(`${quote(bad)} is none; use addresses or CIDR blocks such as 10.0.0.0/8,2001:db8::1`);
}

function isAddressOrBlock(text: string): boolean {
  const [, address = "", , prefixLength = "0"] = /^([^/%]+)(\/(\d+))?$/.exec(text) ?? [];
  const version = isIP(address);
  return version !== 0 && Number(prefixLength) <= (version === 4 ? 32 : 128);
}

function hours(limits: { least: number; most: number }): (text: string) => number {
  const parse = wholeNumber(limits);
  return (text) => parse(text) * msPerHour;
}
