/**
 * Every setting of Gatehouse: its name, default, meaning and check, in the one table `settings`.
 *
 * All come from the environment, are read once at start and never change after. All faults are told in one
 * message, so that nobody mends them one start at a time. An unknown `GATEHOUSE_` name is a fault too: a
 * misspelt setting would otherwise be its default in silence. `readConfig` takes the environment as an
 * argument: `main.ts` and the commands hand it the real one, tests any other.
 */
import { type Listen, parseListen } from "./listen.ts";
import { defaultReservedLogins, noLogins, parseReservedLogins } from "./reserved_logins.ts";
import { isServiceLink } from "./service_link.ts";
import {
  hours,
  msPerHour,
  oneOf,
  prefix,
  type Reading,
  readSetting,
  type Setting,
  unknownName,
  wholeNumber,
  withoutSecret,
} from "./setting.ts";
import { parseStore, type StoreLocation } from "./store_location.ts";
import { parseProxies } from "./trusted_proxies.ts";

/** OWASP Password Storage Cheat Sheet (2026) for PBKDF2-HMAC-SHA256. */
export const recommendedIterations = 600_000;
/** The most iterations of a hash that is verified, and the most of the setting: about 1.5 s. */
export const maxIterations = 10_000_000;

/** The settings, read and checked, and as they were written. */
export interface Config extends Values {
  /** Every setting, for those who may see them. */
  readonly effective: readonly SettingInForce[];
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
  /** Where `/metrics` is served, and nothing else; `undefined` is where all the rest is. */
  readonly metricsListen: Listen | undefined;
  readonly store: StoreLocation;
  readonly pbkdf2Iterations: number;
  /** In code points. */
  readonly passwordMinLength: number;
  readonly loginErrors: "uniform" | "exact";
  readonly registration: "open" | "ticket" | "closed";
  /** In small letters; `*@DOMAIN` is all that end so. See `lib/config/reserved_logins.ts`. */
  readonly reservedLogins: readonly string[];
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
  metricsListen: {
    name: "GATEHOUSE_METRICS_LISTEN",
    default: "",
    meaning:
      "address and port, or `unix:/path`, that `/metrics` is served at instead, and nothing else; needed behind " +
      "a proxy that adds no header",
    parse: (text) => text === "" ? undefined : parseListen(text),
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
    default: String(recommendedIterations),
    meaning:
      `rounds of PBKDF2 that one password costs, 1 to ${maxIterations}; below ${recommendedIterations} a warning ` +
      "at start",
    parse: wholeNumber({ least: 1, most: maxIterations }),
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
  reservedLogins: {
    name: "GATEHOUSE_RESERVED_LOGINS",
    default: defaultReservedLogins,
    meaning: "logins that nobody registers without a ticket, with commas between, as apps often trust such names; " +
      "`*@example.org` is all of a domain; `none` is no login",
    none: noLogins,
    parse: parseReservedLogins,
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
    meaning: "hours that a ticket is good for, that of the first administrator too, 1 to 8760",
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
  const listen = read(settings.listen);
  const config: Config = {
    listen,
    metricsListen: readMetricsListen({ env, faults }, listen),
    store: read(settings.store),
    pbkdf2Iterations: read(settings.pbkdf2Iterations),
    passwordMinLength: read(settings.passwordMinLength),
    loginErrors: read(settings.loginErrors),
    registration: read(settings.registration),
    reservedLogins: read(settings.reservedLogins),
    registrationsPerHour: read(settings.registrationsPerHour),
    trustedProxies: read(settings.trustedProxies),
    ticketMs: read(settings.ticketMs),
    ...readSessionLifetimes({ env, faults }),
    maxSessions: read(settings.maxSessions),
    effective: settingsInForce(env),
  };
  if (faults.length > 0) throw new ConfigError(faults);
  return Object.freeze(config);
}

function unknownNames(env: Readonly<Record<string, string>>): string[] {
  const names = Object.values(settings).map((setting) => setting.name);
  return Object.entries(env)
    .filter(([name, value]) => name.startsWith(prefix) && !names.includes(name) && !isServiceLink(name, value))
    .map(([name]) => unknownName(name, names));
}

function settingsInForce(env: Readonly<Record<string, string>>): readonly SettingInForce[] {
  const all = Object.values(settings).map(({ name, default: text, meaning }) => {
    return Object.freeze({ name, value: withoutSecret(env[name] ?? text), default: text, meaning });
  });
  return Object.freeze(all);
}

function readMetricsListen(reading: Reading, listen: Listen): Listen | undefined {
  const metricsListen = readSetting(settings.metricsListen, reading);
  // Port 0 is a free one each time.
  const isAnyPort = metricsListen !== undefined && "port" in metricsListen && metricsListen.port === 0;
  if (!isAnyPort && JSON.stringify(metricsListen) === JSON.stringify(listen)) {
    reading.faults.push(
      `${settings.metricsListen.name} must differ from ${settings.listen.name}: unset it, or use another`,
    );
  }
  return metricsListen;
}

function readSessionLifetimes(reading: Reading): Pick<Config, "sessionIdleMs" | "sessionMaxMs"> {
  const faultCount = reading.faults.length;
  const sessionIdleMs = readSetting(settings.sessionIdleMs, reading);
  const sessionMaxMs = readSetting(settings.sessionMaxMs, reading);
  if (sessionIdleMs > sessionMaxMs && reading.faults.length === faultCount) {
    const [idle, most] = [sessionIdleMs / msPerHour, sessionMaxMs / msPerHour];
    const { sessionIdleMs: { name: idleName }, sessionMaxMs: { name: maxName } } = settings;
    const isIdleSet = reading.env[idleName] !== undefined;
    const isMaxSet = reading.env[maxName] !== undefined;
    reading.faults.push(
      isIdleSet
        ? `${idleName} cannot be "${idle}": no more than ${maxName}, which is "${most}"${isMaxSet ? "" : " by default"}`
        : `${maxName} cannot be "${most}": the default of ${idleName} is ${idle}; set that to ${most} or less as well`,
    );
  }
  return { sessionIdleMs, sessionMaxMs };
}
