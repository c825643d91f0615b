/** Values of fields as foreign programs write them: dates, flags and groups. */

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
  return /^\d{4}-[-+\d:.TZ ]{1,40}$/i.test(text) ? timeOf(text.replace(/ (?=[-+Z])/i, "")) : undefined;
}

/** Parses a date as LDAP writes it (RFC 4517, 3.3.13): `20261122093539Z`. As `parseDate`. */
export function parseGeneralizedTime(text: string): number | undefined {
  const [, date, time] = /^(\d{8})(\d\d[\d.,]{0,40}(?:Z|[-+]\d{2,4}))$/.exec(text) ?? [];
  return date === undefined ? undefined : timeOf(`${date}T${time}`);
}

/** Parses a value that is true or false; absent is false. @returns `undefined` if it is neither */
export function parseFlag(value: unknown): boolean | undefined {
  return flags.get(typeof value === "string" ? value.trim().toLowerCase() : value);
}

/** Splits a list of groups at commas and blanks. */
export function splitGroups(text: string): readonly string[] {
  return text.split(/[\s,]+/).filter((group) => group !== "");
}

function timeOf(text: string): number | undefined {
  try {
    if (/[T ].*[-+Z]/i.test(text)) return Temporal.Instant.from(text).epochMilliseconds;
    return Temporal.PlainDateTime.from(text).toZonedDateTime("UTC").epochMilliseconds;
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}
