/**
 * What a run of changes must be: its columns, and every value in them.
 *
 * The rules accept whatever any version of the service can have written: `lib/accounts/user.ts`, `lib/accounts/session.ts` and
 * `lib/accounts/ticket.ts` say what a new value must be.
 */

/** Longest id, login and hash of a secret, in characters. */
const maxKeyLength = 64;
/** Longest text of any other field, in characters: above 32 groups of 32, a User-Agent and a password hash. */
const maxTextLength = 2_048;
/** The end of the year 9999, in milliseconds since the epoch: RFC 3339 has no later date. */
const maxTime = Date.UTC(10_000, 0) - 1;
/** All but visible ASCII: the guard's identity headers carry logins and groups. */
const invisible = /[^!-~]/;

/** Finds the first row with an invalid value, or -1. One loop a type: a call for each value takes twice as long. */
type Check = (column: readonly unknown[]) => number;

const keys = texts({ least: 1, most: maxKeyLength });
const logins = texts({ least: 1, most: maxKeyLength, refused: invisible });
const anyTexts = texts({ most: maxTextLength });
const times = wholeNumbers({ most: maxTime });

const ticketColumns = {
  secretHash: keys,
  purpose: oneOf(["setup", "register", "reset"]),
  login: texts({ most: maxKeyLength, refused: invisible }),
  // A ticket for the setup may not expire; see `endlessTicket`.
  expiresAt: wholeNumbers({ most: Number.MAX_SAFE_INTEGER }),
};

/** The columns of each kind of run, in order. */
const columnsOfKind = new Map<unknown, Readonly<Record<string, Check>>>([
  [1, {
    id: keys,
    login: logins,
    passwordHash: anyTexts,
    registeredAt: times,
    groups: texts({ most: maxTextLength, refused: invisible }),
    disabled: oneOf([true, false]),
  }],
  [2, { login: logins }],
  [3, {
    id: keys,
    login: logins,
    secretHash: keys,
    createdAt: times,
    lastSeenAt: times,
    userAgent: anyTexts,
    address: anyTexts,
  }],
  [4, { id: keys }],
  [5, ticketColumns],
  [6, { secretHash: keys }],
  [7, { ...ticketColumns, id: keys, maker: texts({ most: maxKeyLength }), createdAt: times }],
]);

/**
 * The run as it is, checked.
 *
 * @throws {TypeError} its kind, its number of columns, their lengths or a value is invalid
 */
export function checkedRun(run: unknown) {
  if (!Array.isArray(run)) throw new TypeError("Invalid changes: a run is not a list");
  const kind: unknown = run[0];
  const checks = columnsOfKind.get(kind);
  if (checks === undefined) {
    const shown = typeof kind === "number" ? ` ${kind}` : "";
    throw new TypeError(`Invalid changes: unknown kind${shown}, a later version may have written them`);
  }
  const fields = Object.entries(checks);
  if (run.length !== fields.length + 1) {
    throw new TypeError(`Invalid changes: ${run.length - 1} columns of kind ${kind}`);
  }
  for (const [index, [field, check]] of fields.entries()) {
    const column: unknown = run[index + 1];
    if (!Array.isArray(column) || column.length !== run[1].length) {
      throw new TypeError(`Invalid changes: the column ${field} of kind ${kind}`);
    }
    const row = check(column);
    if (row >= 0) throw new TypeError(`Invalid changes: the ${field} in row ${row} of kind ${kind}`);
  }
  const row = kind === 5 || kind === 7 ? endlessTicket(run[2], run[4]) : -1;
  if (row >= 0) throw new TypeError(`Invalid changes: the expiresAt in row ${row} of kind ${kind}`);
  return run;
}

/** The first row of a ticket that is not for the setup and expires when no date can be shown, or -1. */
function endlessTicket(purposes: readonly unknown[], expiries: readonly number[]): number {
  return expiries.findIndex((expiresAt, row) => expiresAt > maxTime && purposes[row] !== "setup");
}

// The loops go by index, as methods skip holes. They must not read lists that are serialized later: V8 marks a list
// that is read where lists with holes are read as one with holes, and serializes each index of it.

function texts({ least = 0, most, refused }: { least?: number; most: number; refused?: RegExp }): Check {
  return (column) => {
    for (let row = 0; row < column.length; row++) {
      const value = column[row];
      if (typeof value !== "string" || value.length < least || value.length > most) return row;
      if (refused !== undefined && value !== "" && refused.test(value)) return row;
    }
    return -1;
  };
}

function wholeNumbers({ most }: { most: number }): Check {
  return (column) => {
    for (let row = 0; row < column.length; row++) {
      const value = column[row];
      if (typeof value !== "number" || !Number.isInteger(value) || value < 0 || value > most) return row;
    }
    return -1;
  };
}

function oneOf(values: readonly unknown[]): Check {
  return (column) => {
    for (let row = 0; row < column.length; row++) if (!values.includes(column[row])) return row;
    return -1;
  };
}
