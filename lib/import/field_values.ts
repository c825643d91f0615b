/** Values of fields as foreign programs write them: dates, flags and groups. */

const datePattern =
  /^(\d{4})-(\d\d)-(\d\d)(?:[Tt ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?(?: ?([Zz]|[+-]\d\d(?::?\d\d)?))?)?$/;
const generalizedPattern = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)?(\d\d)?(?:[.,](\d{1,9}))?(Z|[+-]\d\d(?:\d\d)?)$/;
const flags: ReadonlyMap<unknown, boolean> = new Map<unknown, boolean>([
  ...[true, 1, "1", "t", "true", "yes", "y"].map((value) => [value, true] as const),
  ...[undefined, null, false, 0, "0", "f", "false", "no", "n", ""].map((value) => [value, false] as const),
]);

/**
 * Parses a date as RFC 3339 and SQL write it: `2026-11-22T09:35:39.123Z`, `2026-11-22 09:35:39+00`. Without an offset
 * it is UTC.
 *
 * @returns milliseconds since the epoch, `undefined` if it is no date
 */
export function parseDate(text: string): number | undefined {
  return timeOf(datePattern.exec(text));
}

/** Parses a date as LDAP writes it (RFC 4517, 3.3.13): `20261122093539Z`. As `parseDate`. */
export function parseGeneralizedTime(text: string): number | undefined {
  return timeOf(generalizedPattern.exec(text));
}

/** Parses a value that is true or false; absent is false. @returns `undefined` if it is neither */
export function parseFlag(value: unknown): boolean | undefined {
  return flags.get(typeof value === "string" ? value.trim().toLowerCase() : value);
}

/** Splits a list of groups at commas and blanks. */
export function splitGroups(text: string): readonly string[] {
  return text.split(/[\s,]+/).filter((group) => group !== "");
}

function timeOf(match: RegExpExecArray | null): number | undefined {
  if (match === null) return undefined;
  const [, year, month, day, hour = "0", minute = "0", second = "0", fraction = "", offset = "Z"] = match;
  const numbers = [year, month, day, hour, minute, second].map(Number);
  const [y = 0, m = 0, d = 0, h = 0, min = 0, s = 0] = numbers;
  // Not Date.UTC(y, …), which takes the years 0 to 99 for those of the last century.
  const date = new Date(0);
  date.setUTCFullYear(y, m - 1, d);
  const isDate = date.getUTCMonth() === m - 1 && date.getUTCDate() === d;
  // A leap second is the first of the next minute.
  if (!isDate || h > 23 || min > 59 || s > 60) return undefined;
  date.setUTCHours(h, min, s, Number(fraction.slice(0, 3).padEnd(3, "0")));
  return date.getTime() - offsetMs(offset);
}

function offsetMs(offset: string): number {
  if (offset.toUpperCase() === "Z") return 0;
  const digits = offset.slice(1).replace(":", "").padEnd(4, "0");
  const minutes = Number(digits.slice(0, 2)) * 60 + Number(digits.slice(2));
  return (offset.startsWith("-") ? -1 : 1) * minutes * 60_000;
}
