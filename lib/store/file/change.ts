/**
 * Changes as bytes: the payload of a frame in a journal or snapshot, in format 5.
 *
 * A payload is the structured clone of a list of runs. A run holds consecutive changes of one kind by column: the code
 * of the kind, then a list of values for each field, `[2, ["alice", "bob"]]` for example. `formats` lists the kinds,
 * `lib/store/fields.ts` the fields. Columns decode in two thirds of the time of a list for each record. One call of
 * `serialize` makes a payload, as a call costs about 17 µs for any input.
 */

import { deserialize, serialize } from "node:v8";
import type { Change, Factor, RecordKind } from "../../store.ts";
import { type Field, fields, key, login, maxTime, noSites } from "../fields.ts";
import { idOfOldTicket } from "../rules.ts";
import { requirePlainClone } from "./plain_clone.ts";

/** Fields that a version did not have, as functions of the others. */
type AddedFields = Readonly<Record<string, (record: Readonly<Record<string, unknown>>) => unknown>>;

/** The columns of a run, decoded. */
type Columns = readonly { readonly name: string; readonly values: readonly unknown[] }[];

/** How records of a kind are put, or deleted by their keys. */
interface Format {
  /** Begins a run of them. */
  readonly code: number;
  readonly kind: RecordKind;
  readonly isDeletion: boolean;
  readonly columns: readonly { readonly name: string; readonly field: Field }[];
  readonly added: AddedFields;
}

const oldFactors: readonly Factor[] = ["password"];
const sites = () => noSites;
const addedToSession: AddedFields = { factors: () => oldFactors, authenticatedAt: ({ createdAt }) => createdAt, sites };
const addedToTicket: AddedFields = {
  id: ({ secretHash }) => idOfOldTicket(String(secretHash)),
  maker: () => "",
  createdAt: () => 0,
};

/** Records of the kinds that have most: a literal takes half of the time of fields that are set by their names. */
const literals: Partial<Record<RecordKind, (columns: Columns, row: number) => object>> = {
  user: (columns, row) => ({
    id: columns[0]?.values[row],
    login: columns[1]?.values[row],
    passwordHash: columns[2]?.values[row],
    registeredAt: columns[3]?.values[row],
    groups: columns[4]?.values[row],
    disabled: columns[5]?.values[row],
  }),
  session: (columns, row) => ({
    id: columns[0]?.values[row],
    login: columns[1]?.values[row],
    secretHash: columns[2]?.values[row],
    createdAt: columns[3]?.values[row],
    lastSeenAt: columns[4]?.values[row],
    userAgent: columns[5]?.values[row],
    address: columns[6]?.values[row],
    factors: columns[7]?.values[row],
    authenticatedAt: columns[8]?.values[row],
    sites: columns[9]?.values[row],
  }),
};

/** The last format of a kind is the one that is written. */
const formats: readonly Format[] = [
  put(1, "user"),
  deletion(2, "user", login),
  put(3, "session", addedToSession),
  deletion(4, "session"),
  put(5, "ticket", addedToTicket),
  deletion(6, "ticket"),
  put(7, "ticket"),
  put(8, "secret"),
  put(9, "session", { sites }),
  put(10, "credential"),
  deletion(11, "credential"),
  put(12, "session"),
];

/** Returns the bytes of `changes`, in their order. */
export function encodeChanges(changes: readonly Change[]): Uint8Array {
  const runs: unknown[][] = [];
  let run: Change[] = [];
  for (const change of changes) {
    const [first = change] = run;
    if (change.kind !== first.kind || isDeletion(change) !== isDeletion(first)) {
      runs.push(encodeRun(run));
      run = [];
    }
    run.push(change);
  }
  if (run.length > 0) runs.push(encodeRun(run));
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
  for (let index = 0; index < runs.length; index++) decodeRun(runs[index], changes);
  return changes;
}

function isDeletion(change: Change): boolean {
  return "deletedKey" in change;
}

/** @param changes all of one kind, and of deletions or others */
function encodeRun(changes: readonly Change[]): unknown[] {
  const [first] = changes;
  const isWritten = (format: Format) => format.kind === first?.kind && format.isDeletion === isDeletion(first);
  const { code, columns } = findFormat(formats.findLast(isWritten));
  const records: readonly object[] = changes.map((change) => "record" in change ? change.record : change);
  const run: unknown[] = [code];
  for (const { name, field: { encode = (value: unknown) => value } } of columns) {
    // Not by `map`: V8 marks its result as a list that may have holes, and serializes each index, 2 bytes a value.
    const column: unknown[] = [];
    for (const record of records) column.push(encode(Reflect.get(record, name)));
    run.push(column);
  }
  return run;
}

/** Adds the changes of a run to `changes`. */
function decodeRun(run: unknown, changes: Change[]): void {
  if (!Array.isArray(run)) throw new TypeError("Invalid changes: a run is not a list");
  const [code, ...lists]: unknown[] = run;
  const format = findFormat(formats.find((format) => format.code === code), code);
  const columns = checkColumns(format, lists);
  const { kind, isDeletion } = format;
  const literal = isDeletion || Object.keys(format.added).length > 0 ? undefined : literals[kind];
  for (let row = 0, count = columns[0]?.values.length ?? 0; row < count; row++) {
    const record = literal?.(columns, row) ?? namedFields(format, columns, row);
    // The columns have been checked.
    changes.push((isDeletion ? { kind, ...record } : { kind, record }) as Change);
  }
}

/** Returns the fields in a row. A copy of a literal has room for all: an object that grows takes 24 bytes more. */
function namedFields({ kind, isDeletion, added }: Format, columns: Columns, row: number): object {
  const record: Record<string, unknown> = isDeletion ? {} : { ...fields[kind] };
  for (const { name, values } of columns) record[name] = values[row];
  for (const [name, valueOf] of Object.entries(added)) record[name] = valueOf(record);
  return record;
}

function findFormat(found: Format | undefined, code?: unknown): Format {
  if (found !== undefined) return found;
  const shown = typeof code === "number" ? ` ${code}` : "";
  throw new TypeError(`Invalid changes: unknown kind${shown}, which a later version may have written`);
}

/**
 * Returns the columns with their values, decoded.
 *
 * @throws {TypeError} the number of columns, the length of one or a value in it is invalid
 */
function checkColumns({ code, columns }: Format, lists: readonly unknown[]) {
  if (lists.length !== columns.length) throw new TypeError(`Invalid changes: ${lists.length} columns of kind ${code}`);
  const [first, purposes] = lists;
  return columns.map(({ name, field }, index) => {
    const values = lists[index];
    if (!Array.isArray(first) || !Array.isArray(values) || values.length !== first.length) {
      throw new TypeError(`Invalid changes: the column ${name} of kind ${code}`);
    }
    let row = field.findInvalid(values);
    if (row < 0 && name === "expiresAt" && Array.isArray(purposes)) {
      row = values.findIndex((time, row) => time > maxTime && purposes[row] !== "setup");
    }
    if (row >= 0) throw new TypeError(`Invalid changes: the ${name} in row ${row} of kind ${code}`);
    return { name, values: field.decode === undefined ? values : values.map((value) => field.decode?.(value)) };
  });
}

function put(code: number, kind: RecordKind, added: AddedFields = {}): Format {
  const columns = Object.entries<Field>(fields[kind]).map(([name, field]) => ({ name, field }));
  return { code, kind, isDeletion: false, columns: columns.filter(({ name }) => !(name in added)), added };
}

function deletion(code: number, kind: RecordKind, field = key): Format {
  return { code, kind, isDeletion: true, columns: [{ name: "deletedKey", field }], added: {} };
}
