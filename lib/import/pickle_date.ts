/** Dates of pickles: `datetime` and `date` of Python, with the time zones of Python and pytz, and seconds. */

import { Bytes, Instance, type PickleValue } from "./pickle_value.ts";

/** ECMA-262, 21.4.1.1. */
const maxMs = 8_640_000_000_000_000;
/** With the month: the time is the second of two that clocks show alike. */
const foldBit = 0x80;
/** Longer than any name of a zone. */
const maxZoneLength = 64;

/**
 * A date in ISO 8601. Without a zone it is taken as UTC, as the pickle does not say where it was written.
 *
 * @returns `undefined` if the value is not a date
 */
export function pickledDate(value: PickleValue | undefined): string | undefined {
  const ms = typeof value === "number" ? value * 1_000 : value instanceof Instance ? timeOf(value) : NaN;
  return Math.abs(ms) <= maxMs ? new Date(ms).toISOString() : undefined;
}

/** Milliseconds since the epoch, NaN if the object is not a date. */
function timeOf({ className, args: [state, zone] }: Instance): number {
  const length = className === "datetime.datetime" ? 10 : className === "datetime.date" ? 4 : -1;
  if (!(state instanceof Bytes) || state.latin1.length !== length) return NaN;
  const bytes = Array.from(state.latin1, (character) => character.charCodeAt(0));
  const [high = 0, low = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0, ...microseconds] = bytes;
  const ms = Math.floor(microseconds.reduce((sum, byte) => 256 * sum + byte, 0) / 1_000);
  const isFold = (month & foldBit) !== 0;
  try {
    const date = new Temporal.PlainDateTime(256 * high + low, month % foldBit, day, hour, minute, second, ms);
    return date.toZonedDateTime(zoneOf(zone), { disambiguation: isFold ? "later" : "earlier" }).epochMilliseconds;
  } catch (error) {
    // There is no such date or zone.
    if (error instanceof RangeError) return NaN;
    throw error;
  }
}

/** The name of a zone, or its offset. @throws {RangeError} it is unknown */
function zoneOf(zone: PickleValue | undefined): string {
  if (zone === undefined || zone === null) return "UTC";
  const { className = "", args: [first, second] = [] } = zone instanceof Instance ? zone : {};
  if (className === "pytz._UTC") return "UTC";
  if (className === "zoneinfo.ZoneInfo._unpickle" && typeof first === "string" && first.length <= maxZoneLength) {
    return first;
  }
  if (className === "pytz._p" && typeof second === "number") return offsetOf(second);
  const [days, seconds] = first instanceof Instance && first.className === "datetime.timedelta" ? first.args : [];
  if (className === "datetime.timezone" && typeof days === "number" && typeof seconds === "number") {
    return offsetOf(86_400 * days + seconds);
  }
  throw new RangeError("The zone is unknown");
}

/** As "+03:00". */
function offsetOf(seconds: number): string {
  const minutes = Math.abs(Math.trunc(seconds / 60));
  const parts = [Math.trunc(minutes / 60), minutes % 60].map((part) => String(part).padStart(2, "0"));
  return `${seconds < 0 ? "-" : "+"}${parts.join(":")}`;
}
