/**
 * How the text of one setting becomes its value, for the table in `lib/config/config.ts`.
 *
 * A value is taken as it stands or refused, never trimmed, cut or corrected. A fault names the variable,
 * quotes the value and says what is accepted; it is noted, not thrown, so that the next is found too.
 */

import { levenshteinDistance } from "@std/text/levenshtein-distance";

/** What the name of every setting begins with. */
export const prefix = "GATEHOUSE_";

export const msPerHour = 60 * 60 * 1_000;

/** Docker's `--env-file` keeps quotes and blanks around a value, and any file with CRLF keeps the CR. */
const wrapped = /^["'\s]|["'\s]$/;
const takeOffWrapping = "leave out the quotes or white space around it; not every file of settings takes them off";

/** What other programs call the same setting, without the prefix. */
const aliases: Readonly<Record<string, readonly string[]>> = {
  LISTEN: ["ADDR", "ADDRESS", "BIND", "HOST", "HOSTNAME", "PORT"],
  STORE: ["DATA", "DATABASE", "DATABASE_URL", "DATA_DIR", "DB", "FOLDER"],
};
/** The most letters to insert, delete or replace in a misspelt name. */
const maxTypos = 3;

/** One row of the table of settings. */
export interface Setting<Value> {
  /** The environment variable. */
  readonly name: string;
  /** The text that counts when the variable is not set. */
  readonly default: string;
  /** What it does, with unit and range: a cell of the README's table, in Markdown. */
  readonly meaning: string;
  /** What to write for an empty list, where the default is not empty. */
  readonly none?: string;
  /** @throws {RangeError} saying what is accepted instead */
  readonly parse: (text: string) => Value;
}

/** The environment, and the faults found in it so far. */
export interface Reading {
  readonly env: Readonly<Record<string, string>>;
  readonly faults: string[];
}

/**
 * Reads one setting, or notes its fault and reads the default instead: nobody gets to see that, as the faults
 * are thrown in the end.
 */
export function readSetting<Value>(setting: Setting<Value>, { env, faults }: Reading): Value {
  const text = env[setting.name];
  if (text === undefined) return setting.parse(setting.default);
  try {
    if (text === "") throw new RangeError(emptyFault(setting));
    if (wrapped.test(text)) throw new RangeError(takeOffWrapping);
    return setting.parse(text);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    faults.push(`${setting.name} cannot be ${quote(text)}: ${error.message}`);
    return setting.parse(setting.default);
  }
}

function emptyFault({ none }: { none?: string }): string {
  return `unset it to get its default${none === undefined ? "" : `, or use ${none}`}`;
}

/** The fault of a name that is not in `names`, with the one that is probably meant. */
export function unknownName(name: string, names: readonly string[]): string {
  const word = name.slice(prefix.length).toUpperCase();
  const [alias] = Object.entries(aliases).find(([, others]) => others.includes(word)) ?? [];
  const meant = alias === undefined ? nearestName(word, names) : prefix + alias;
  const hint = meant === undefined ? 'see "Settings" in README.md' : `did you mean ${meant}?`;
  return `${name} is no setting: ${hint}`;
}

/** The name that differs by a few letters, and by fewer than half of them; `undefined` when none does. */
function nearestName(word: string, names: readonly string[]): string | undefined {
  return names
    .map((name) => ({ name, distance: levenshteinDistance(prefix + word, name) }))
    .filter(({ distance }) => distance <= maxTypos && distance < word.length / 2)
    .sort((a, b) => a.distance - b.distance)[0]?.name;
}

/** The value as a message shows it: on one line, and without what nobody is to see. */
export function quote(text: string): string {
  return JSON.stringify(withoutSecret(text));
}

/** Of a URL only the scheme, as a password may follow, also of one in quotes; anything else as it is. */
export function withoutSecret(text: string): string {
  return text.replace(/(?<=^["'\s]*[a-z][a-z\d+.-]*:\/\/).+/is, "…");
}

/** Parses a whole number within limits, both included. */
export function wholeNumber({ least, most }: { least: number; most: number }): (text: string) => number {
  return (text) => {
    // Digits and nothing else: `Number` would take "1e3", " 5", "+5" and "0x10".
    if (/^\d+$/.test(text) && Number(text) >= least && Number(text) <= most) return Number(text);
    throw new RangeError(`use a whole number from ${least} to ${most}, in digits`);
  };
}

/** Parses one of the given words. */
export function oneOf<Choice extends string>(...choices: readonly Choice[]): (text: string) => Choice {
  return (text) => {
    const choice = choices.find((candidate) => candidate === text);
    if (choice !== undefined) return choice;
    throw new RangeError(`use ${choices.join(" or ")}`);
  };
}

/** Parses a whole number of hours within limits, both included, as milliseconds. */
export function hours(limits: { least: number; most: number }): (text: string) => number {
  const parse = wholeNumber(limits);
  return (text) => parse(text) * msPerHour;
}
