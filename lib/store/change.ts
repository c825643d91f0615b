/**
 * Changes as bytes: the payload of a frame in a journal or snapshot, in format 2.
 *
 * A payload is the structured clone of a list of runs. A run holds consecutive changes of one kind by column: the code
 * of the kind, then a list of values for each field, `[2, ["alice", "bob"]]` for example. `formats` lists the kinds and
 * their fields, and drives encoding, checking and decoding. Columns decode in two thirds of the time of a list for each
 * record. One call of `serialize` makes a payload, as a call costs about 17 µs whatever it is given.
 *
 * The checks accept what any version has written; `lib/accounts/` checks new values.
 */

import { deserialize, serialize } from "node:v8";
import type { Change, Session, Ticket, User } from "../store.ts";
import { idOfOldTicket } from "./rules.ts";
import { requirePlainClone } from "./plain_clone.ts";

/** Characters of the longest id, login and hash of a secret. */
const maxKeyLength = 64;
/** Characters of the longest other text: more than 32 groups of 32, a User-Agent or a password hash take. */
const maxTextLength = 2_048;
/** The end of the year 9999, in milliseconds since the epoch: RFC 3339 has no later date. */
const maxTime = Date.UTC(10_000, 0) - 1;
/** Anything but visible ASCII: the guard's identity headers carry logins and groups. */
const invisible = /[^!-~]/;
/** Shared by all users without a group, which saves 16 bytes of memory a user. */
const noGroups: readonly string[] = Object.freeze([]);

/** How the values of a field are stored. */
interface Field<Value = unknown> {
  /** Returns the first row with an invalid value, or -1. One loop a type: a call for each value takes twice as long. */
  findInvalid(column: readonly unknown[]): number;
  /** Converts a value that is stored in another type. */
  encode?(value: Value): unknown;
  decode?(stored: unknown): Value;
}

/** How changes of a kind are stored. */
interface Format {
  /** Begins a run of them. */
  readonly code: number;
  readonly kind: Change["kind"];
  /** The property of a change that has the fields; `undefined` if the change has them itself. */
  readonly holder: string | undefined;
  /** A record to copy and fill: complete from the start, as adding fields one by one takes more memory. */
  readonly blank: object;
  /** In the order of the columns. */
  readonly fields: readonly (readonly [name: string, field: Field])[];
}

const key = text({ min: 1, max: maxKeyLength });
const login = text({ min: 1, max: maxKeyLength, refused: invisible });
const anyText = text({ max: maxTextLength });
const time = wholeNumber(maxTime);
const disabled = oneOf(true, false);
const groups: Field<readonly string[]> = {
  ...text({ max: maxTextLength, refused: invisible }),
  encode: (groups) => groups.join(),
  decode: (stored) => stored === "" ? noGroups : String(stored).split(","),
};
const sessionTexts = { userAgent: anyText, address: anyText };
/** The fields that a ticket has in format 1 too. Only a ticket for setup may expire after `maxTime`. */
const ticketFields = {
  secretHash: key,
  purpose: oneOf("setup", "register", "reset"),
  login: text({ max: maxKeyLength, refused: invisible }),
  expiresAt: wholeNumber(Number.MAX_SAFE_INTEGER),
};
const maker = text({ max: maxKeyLength });

const user: User = { id: "", login: "", passwordHash: "", registeredAt: 0, groups: noGroups, disabled: false };
const times = { createdAt: 0, lastSeenAt: 0 };
const session: Session = { id: "", login: "", secretHash: "", ...times, userAgent: "", address: "" };
const ticket: Ticket = { id: "", secretHash: "", purpose: "setup", login: "", maker: "", createdAt: 0, expiresAt: 0 };

/** The last format of a kind is the one that is written. */
const formats: readonly Format[] = [
  format(1, "put-user", user, { id: key, login, passwordHash: anyText, registeredAt: time, groups, disabled }),
  format(2, "delete-user", {}, { login }),
  format(3, "put-session", session, {
    id: key,
    login,
    secretHash: key,
    createdAt: time,
    lastSeenAt: time,
    ...sessionTexts,
  }),
  format(4, "delete-session", {}, { id: key }),
  format(5, "put-ticket", ticket, ticketFields),
  format(6, "delete-ticket", {}, { secretHash: key }),
  format(7, "put-ticket", ticket, { ...ticketFields, id: key, maker, createdAt: time }),
];

/** Returns the bytes of `changes`, in their order. */
export function encodeChanges(changes: readonly Change[]): Uint8Array {
  const runs: unknown[][] = [];
  for (let start = 0, end; start < changes.length; start = end) {
    const kind = changes[start]?.kind;
    for (end = start + 1; changes[end]?.kind === kind;) end++;
    runs.push(encodeRun(changes.slice(start, end)));
  }
  return serialize(runs);
}

/**
 * Returns the changes that `bytes` were made from.
 *
 * A valid checksum does not prove who made the bytes: a backup may come from anywhere. So time and memory are linear in
 * the number of bytes, and every value is checked.
 *
 * @throws {TypeError} `encodeChanges` does not make such bytes
 * @throws {Error} the bytes are no structured clone, or one that is nested too deeply
 */
export function decodeChanges(bytes: Uint8Array): Change[] {
  requirePlainClone(bytes);
  const runs: unknown = deserialize(bytes);
  if (!Array.isArray(runs)) throw new TypeError("Invalid changes: not a list");
  const changes: Change[] = [];
  // By index: methods skip the holes of a list.
  for (let index = 0; index < runs.length; index++) {
    for (const change of decodeRun(runs[index])) changes.push(change);
  }
  return changes;
}

/** @param changes at least one, all of one kind */
function encodeRun(changes: readonly Change[]): unknown[] {
  const { code, holder, fields } = findFormat(formats.findLast(({ kind }) => kind === changes[0]?.kind));
  const records = changes.map((change) => holder === undefined ? change : Reflect.get(change, holder));
  const run: unknown[] = [code];
  for (const [name, { encode = (value: unknown) => value }] of fields) {
    // Not by `map`: V8 marks its result as a list that may have holes, and serializes each index, 2 bytes a value.
    const column: unknown[] = [];
    for (const record of records) column.push(encode(record[name]));
    run.push(column);
  }
  return run;
}

function decodeRun(run: unknown): Change[] {
  if (!Array.isArray(run)) throw new TypeError("Invalid changes: a run is not a list");
  const [code, ...columns]: unknown[] = run;
  const format = findFormat(formats.find((format) => format.code === code), code);
  const { kind, holder, blank, fields } = format;
  checkColumns(format, columns);
  const records: Record<string, unknown>[] = [];
  for (let row = 0, count = columns[0]?.length ?? 0; row < count; row++) records.push({ ...blank });
  for (const [index, [name, { decode }]] of fields.entries()) {
    const column = columns[index] ?? [];
    fill(records, name, decode === undefined ? column : column.map(decode));
  }
  // A ticket of format 1 has no id.
  if (code === 5) { for (const ticket of records) ticket["id"] = idOfOldTicket(String(ticket["secretHash"])); }
  // Every field is set and was checked.
  return records.map((record) => holder === undefined ? { kind, ...record } : { kind, [holder]: record }) as Change[];
}

/** Sets a field of all records: one loop a field takes two thirds of the time of one loop a record. */
function fill(records: readonly Record<string, unknown>[], name: string, column: readonly unknown[]): void {
  for (let row = 0; row < records.length; row++) {
    const record = records[row];
    if (record !== undefined) record[name] = column[row];
  }
}

function findFormat(found: Format | undefined, code?: unknown): Format {
  if (found !== undefined) return found;
  const shown = typeof code === "number" ? ` ${code}` : "";
  throw new TypeError(`Invalid changes: unknown kind${shown}, which a later version may have written`);
}

/** @throws {TypeError} the number of columns, the length of one or a value in it is invalid */
function checkColumns({ code, fields }: Format, columns: readonly unknown[]): asserts columns is readonly unknown[][] {
  if (columns.length !== fields.length) {
    throw new TypeError(`Invalid changes: ${columns.length} columns of kind ${code}`);
  }
  const [first, purposes] = columns;
  for (const [index, [name, field]] of fields.entries()) {
    const column = columns[index];
    if (!Array.isArray(first) || !Array.isArray(column) || column.length !== first.length) {
      throw new TypeError(`Invalid changes: the column ${name} of kind ${code}`);
    }
    let row = field.findInvalid(column);
    if (row < 0 && name === "expiresAt" && Array.isArray(purposes)) {
      row = column.findIndex((time, row) => time > maxTime && purposes[row] !== "setup");
    }
    if (row >= 0) throw new TypeError(`Invalid changes: the ${name} in row ${row} of kind ${code}`);
  }
}

function format(code: number, kind: Change["kind"], blank: object, fields: Readonly<Record<string, Field>>): Format {
  return { code, kind, holder: kind.split("put-")[1], blank, fields: Object.entries(fields) };
}

// Loops by index, as methods skip holes. They must not read lists that are serialized later: V8 marks a list that is
// read where lists with holes are read as one with holes, and serializes each index of it.

function text({ min = 0, max, refused }: { min?: number; max: number; refused?: RegExp }): Field<string> {
  return {
    findInvalid(column) {
      for (let row = 0; row < column.length; row++) {
        const value = column[row];
        if (typeof value !== "string" || value.length < min || value.length > max) return row;
        if (refused !== undefined && value !== "" && refused.test(value)) return row;
      }
      return -1;
    },
  };
}

function wholeNumber(max: number): Field<number> {
  return {
    findInvalid(column) {
      for (let row = 0; row < column.length; row++) {
        const value = column[row];
        if (typeof value !== "number" || !Number.isInteger(value) || value < 0 || value > max) return row;
      }
      return -1;
    },
  };
}

function oneOf(...values: readonly unknown[]): Field {
  return {
    findInvalid(column) {
      for (let row = 0; row < column.length; row++) if (!values.includes(column[row])) return row;
      return -1;
    },
  };
}
