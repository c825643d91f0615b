/**
 * Reads the settings from the environment once, at start, into one frozen object.
 *
 * One message names all errors, so an administrator does not fix them one start at a time. A value is accepted as it
 * is or rejected, never trimmed or corrected. Tests pass an environment of their own to `readConfig`.
 */

import { withoutSecret } from "./parsers.ts";
import { unknownNames } from "./setting_names.ts";
import {
  type Environment,
  readSetting,
  recommendedIterations,
  type Setting,
  settings,
  type Values,
} from "./settings.ts";

/** The value of every setting, and all of them as text. */
export interface Config extends Values {
  readonly effective: readonly EffectiveSetting[];
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
  const entries = Object.entries(settings).map((
    [field, setting],
  ) => [field, readSetting<unknown>(setting, { env, errors })]);
  // Complete unless there are errors: the entries are those of the table.
  const values = Object.fromEntries(entries) as Values;
  errors.push(...findConflicts(values, env));
  if (errors.length > 0) throw new ConfigError(errors);
  const effective = Object.values(settings).map(({ name, default: text, meaning }) => {
    return Object.freeze({ name, value: withoutSecret(env[name] ?? text), default: text, meaning });
  });
  return Object.freeze({ ...values, effective: Object.freeze(effective) });
}

/** Errors of settings that contradict each other. A setting that could not be read is not compared. */
function findConflicts(values: Partial<Values>, env: Environment): string[] {
  const { listen, metricsListen, sessionIdleMs = 0, sessionMaxMs = Infinity } = values;
  const errors: string[] = [];
  // Port 0 is a different port each time.
  const isAnyPort = metricsListen !== undefined && "port" in metricsListen && metricsListen.port === 0;
  if (metricsListen !== undefined && !isAnyPort && JSON.stringify(metricsListen) === JSON.stringify(listen)) {
    errors.push(`${settings.metricsListen.name} must differ from ${settings.listen.name}`);
  }
  if (sessionIdleMs > sessionMaxMs) {
    const describe = ({ name, default: text }: Setting<number>) => `${name} (${env[name] ?? `${text}, the default`})`;
    errors.push(`${describe(settings.sessionIdleMs)} must not exceed ${describe(settings.sessionMaxMs)}`);
  }
  return errors;
}

/**
 * The environment, as far as the process may read it.
 *
 * `deno task start` grants `GATEHOUSE_*` only, which Deno allows to read by name but not to list. There
 * `lib/tasks/permissions.ts` has already checked for unknown names.
 */
export function readEnvironment(): Environment {
  if (Deno.permissions.querySync({ name: "env" }).state === "granted") return Deno.env.toObject();
  const entries = Object.values(settings).map(({ name }) => [name, Deno.env.get(name)]);
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined));
}

/** A warning for each setting that is weaker than recommended, with the value to set; logged at every start. */
export function configWarnings({ pbkdf2Iterations, passwordMinLength, loginErrors }: Config): string[] {
  const warnings: string[] = [];
  const warn = ({ name }: { name: string }, text: string) => warnings.push(`${name} is ${text}`);
  if (pbkdf2Iterations < recommendedIterations) {
    const why = `${pbkdf2Iterations}, which makes the passwords of a stolen store cheap to guess`;
    warn(settings.pbkdf2Iterations, `${why}: set it to ${recommendedIterations} or more, as OWASP recommends`);
  }
  if (passwordMinLength < recommendedPasswordLength) {
    const why = `${passwordMinLength}, which is short for a password that is the only factor`;
    warn(settings.passwordMinLength, `${why}: set it to ${recommendedPasswordLength} or more (NIST SP 800-63B-4)`);
  }
  if (loginErrors === "exact") {
    warn(
      settings.loginErrors,
      '"exact", which reveals to anyone which logins exist: use "uniform" except for teaching',
    );
  }
  return warnings;
}
