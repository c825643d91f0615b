/**
 * Reads the settings from the environment once, at start, into one frozen object.
 *
 * One message names all errors, so an administrator does not fix them one start at a time. A value is accepted as it
 * is or rejected, never trimmed or corrected. Tests pass an environment of their own to `readConfig`.
 */

import { msPerHour, withoutSecret } from "./parsers.ts";
import { keepsFreedMemory, mallocVariable } from "./malloc.ts";
import { addPassword, passwordFileOf, passwordFileVariable } from "./password_file.ts";
import { unknownNames } from "./setting_names.ts";
import {
  type Environment,
  fileSuffix,
  readSetting,
  recommendedIterations,
  type Setting,
  settings,
  type Values,
} from "./settings.ts";

/** The value of every setting, and all of them as text. */
export interface Config extends Values {
  readonly effective: readonly EffectiveSetting[];
  /** The files that values and the password of the database were read from. */
  readonly files: readonly string[];
  /** Whether the freed memory of hashes stays in the process, see `malloc.ts`. */
  readonly keepsFreedMemory: boolean;
}

/** A setting as text. `value` is the text in effect; of a URL only the scheme, because the rest may have a password. */
type EffectiveSetting = Readonly<Pick<Setting<unknown>, "name" | "default" | "meaning"> & { value: string }>;

/** The settings cannot be used; the message has one line for each error. */
export class ConfigError extends Error {
  override name = "ConfigError";

  constructor(readonly errors: readonly string[]) {
    super(`Cannot start with these settings:\n${errors.map((error) => `  ${error}`).join("\n")}`);
  }
}

/** NIST SP 800-63B-4, 3.1.1.2: the minimum where the password is the only factor. */
const recommendedPasswordLength = 15;

/** Reads the settings from `env`, deeply frozen. @throws {ConfigError} naming every error */
export function readConfig(env: Environment): Config {
  const errors = unknownNames(env, Object.values(settings).map(({ name }) => name));
  const found = Object.entries(settings).map(([field, setting]) => {
    return { field, ...setting, ...collectError(errors, () => readSetting<unknown>(setting, env)) };
  });
  // Complete unless there are errors: the entries are those of the table.
  const values = Object.fromEntries(found.map(({ field, value }) => [field, value])) as Values;
  const store = values.store && collectError(errors, () => addPassword(values.store, env));
  errors.push(...findConflicts(values));
  if (store === undefined || errors.length > 0) throw new ConfigError(errors);
  const effective = found.map(({ name, text = "", default: defaultText, meaning }) => {
    return Object.freeze({ name, value: withoutSecret(text), default: defaultText, meaning });
  });
  const files = [...found.map(({ name }) => env[name + fileSuffix]), passwordFileOf(values.store, env)];
  return Object.freeze({
    ...values,
    store,
    effective: Object.freeze(effective),
    files: Object.freeze(files.filter((path) => path !== undefined)),
    keepsFreedMemory: keepsFreedMemory(env),
  });
}

/** @returns `undefined` after adding the error to `errors` */
function collectError<Read>(errors: string[], read: () => Read): Read | undefined {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    errors.push(error.message);
    return undefined;
  }
}

/** Errors of settings that contradict each other. A setting that could not be read is not compared. */
function findConflicts(
  { listen, metricsListen, sessionIdleMs = 0, sessionMaxMs = Infinity, home, sites }: Partial<Values>,
): string[] {
  const errors = home === undefined || sites === undefined ? [] : findSiteConflicts(home, sites);
  // Port 0 is a different port each time.
  const isAnyPort = metricsListen !== undefined && "port" in metricsListen && metricsListen.port === 0;
  if (metricsListen !== undefined && !isAnyPort && JSON.stringify(metricsListen) === JSON.stringify(listen)) {
    errors.push(`${settings.metricsListen.name} must differ from ${settings.listen.name}`);
  }
  if (sessionIdleMs > sessionMaxMs) {
    const describe = ({ name, default: text }: Setting<number>, ms: number) => {
      const hours = String(ms / msPerHour);
      return `${name} (${hours === text ? `${text}, the default` : hours})`;
    };
    const max = describe(settings.sessionMaxMs, sessionMaxMs);
    errors.push(`${describe(settings.sessionIdleMs, sessionIdleMs)} must not exceed ${max}`);
  }
  return errors;
}

function findSiteConflicts(home: string, sites: readonly string[]): string[] {
  if (home === "" && sites.length === 0) return [];
  if (home === "" || sites.length === 0) {
    return [`${settings.home.name} and ${settings.sites.name} must be set together`];
  }
  const origins = [home, ...sites];
  const names = origins.map((origin) => new URL(origin).hostname);
  const repeated = origins.find((_, index) => names.indexOf(names[index] ?? "") < index);
  // Cookies do not depend on the port (RFC 6265, 8.5): a site would get the session of the home.
  return repeated === undefined ? [] : [`${settings.sites.name}: ${repeated} must have a host name of its own`];
}

/**
 * The environment, as far as the process may read it.
 *
 * `deno task start` grants single names and `GATEHOUSE_*`, which Deno allows to read by name but not to list. There
 * `lib/tasks/permissions.ts` has already checked for unknown names.
 */
export function readEnvironment(): Environment {
  if (Deno.permissions.querySync({ name: "env" }).state === "granted") return Deno.env.toObject();
  const names = Object.values(settings).flatMap(({ name }) => [name, name + fileSuffix]);
  for (const variable of [passwordFileVariable, mallocVariable]) {
    if (Deno.permissions.querySync({ name: "env", variable }).state === "granted") names.push(variable);
  }
  const entries = names.map((name) => [name, Deno.env.get(name)]);
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined));
}

/** A warning for each setting that is weaker than recommended, with the value to set; logged at every start. */
export function configWarnings(config: Config): string[] {
  const { passwordHash, pbkdf2Iterations, passwordMinLength, secondFactor, loginErrors } = config;
  const warnings = [
    passwordHash === "pbkdf2" && pbkdf2Iterations < recommendedIterations &&
    `${settings.pbkdf2Iterations.name} is ${pbkdf2Iterations}, which makes the passwords of a stolen store cheap to ` +
      `guess: set it to ${recommendedIterations} or more, as OWASP recommends`,
    passwordMinLength < recommendedPasswordLength && secondFactor !== "all" &&
    `${settings.passwordMinLength.name} is ${passwordMinLength}, which is short for a password that is the only ` +
      `factor: set it to ${recommendedPasswordLength} or more (NIST SP 800-63B-4)`,
    loginErrors === "exact" &&
    `${settings.loginErrors.name} is "exact", which reveals to anyone which logins exist: use "uniform" except for ` +
      "teaching",
  ];
  return warnings.filter((warning) => warning !== false);
}
