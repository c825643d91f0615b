/** The format of the figures on the status page, by language. */

/** Returns functions from a value to its text. @param language a tag of BCP 47 */
export function formatsFor(language) {
  const numbers = new Intl.NumberFormat(language, { maximumSignificantDigits: 3 });
  const counts = new Intl.NumberFormat(language);
  const times = new Intl.NumberFormat(language, { style: "unit", unit: "millisecond", maximumFractionDigits: 3 });
  const sized = (unit) => new Intl.NumberFormat(language, { style: "unit", unit, maximumFractionDigits: 1 });
  const milliseconds = (value) => times.format(rounded(value));
  const number = (value) => (Number.isInteger(value) ? counts : numbers).format(value);
  return {
    number,
    milliseconds,
    /** Two durations in milliseconds. Both are `null` if there was none. */
    times: (p50, p99) => p50 === null ? "–" : `${counts.format(rounded(p50))} / ${milliseconds(p99)}`,
    bytes: (value) => value < 1e6 ? sized("kilobyte").format(value / 1e3) : sized("megabyte").format(value / 1e6),
    duration: (seconds) => {
      if (seconds < 2 * 60) return sized("second").format(seconds);
      if (seconds < 2 * 3_600) return sized("minute").format(Math.floor(seconds / 60));
      if (seconds < 48 * 3_600) return sized("hour").format(Math.floor(seconds / 3_600));
      return sized("day").format(Math.floor(seconds / 86_400));
    },
    time: moments(language, { timeStyle: "short" }),
    // Days are of UTC.
    day: moments(language, { day: "numeric", month: "short", timeZone: "UTC" }),
  };
}

/** Rounds to two significant digits, and to a whole number from 100 on. */
function rounded(value) {
  return Number(value.toPrecision(value < 100 ? 2 : 3));
}

/** Formats moments, given in seconds since the epoch. */
function moments(language, options) {
  const format = new Intl.DateTimeFormat(language, options);
  return (seconds) => format.format(seconds * 1_000);
}
