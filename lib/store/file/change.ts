/**
 * Changes as bytes: the payload of a frame in a journal or snapshot, in format 4.
 *
 * A payload is the structured clone of a list of runs. A run holds consecutive changes of one kind by column: the code
 * of the kind, then a list of values for each field, `[2, ["alice", "bob"]]` for example. `formats` lists the kinds and
 * their fields, and drives encoding, checking and decoding. Columns decode in two thirds of the time of a list for each
 * record. One call of `serialize` makes a payload, as a call costs about 17 µs for any input.
 *
 * The checks accept what any version has written; `lib/accounts/` checks new values.
 */

import { deserialize, serialize } from "node:v8";
import type { Change, Ticket } from "../../store.ts";
import { factorsOf, idOfOldTicket } from "../rules.ts";
import {
  credentialFields,
  type Field,
  key,
  login,
  maxTime,
  oldSessionFields,
  oldTicketFields,
  sessionFields,
  ticketFields,
  userFields,
} from "./field.ts";
import { requirePlainClone } from "./plain_clone.ts";

/** Shared by all users without a group, which saves 16 bytes of memory a user. */
const noGroups: readonly string[] = Object.freeze([]);
/** Of a session in format 1 to 3. */
const oldFactors = { at: () => "password" };

/** The columns of fields by name, after the check that each row has a value. */
type Columns<Fields> = {
  readonly [Name in keyof Fields]: Fields[Name] extends Field<infer Stored> ? { at(row: number): Stored } : never;
};

/** How changes of a kind are stored. */
interface Format<Fields = Readonly<Record<string, Field>>, Kind = Change["kind"]> {
  /** Begins a run of them. */
  readonly code: number;
  readonly kind: Kind;
  /** In the order of the columns. */
  readonly fields: Fields;
  /** Returns the change in a row. A literal for each kind: V8 then makes all of its records in one shape, at once. */
  toChange(columns: Columns<Fields>, row: number): Extract<Change, { kind: Kind }>;
}

/** The last format of a kind is the one that is written. */
const formats: readonly Format[] = [
  format(1, "put-user", userFields, (columns, row) => ({
    kind: "put-user",
    user: {
      id: columns.id.at(row),
      login: columns.login.at(row),
      passwordHash: columns.passwordHash.at(row),
      registeredAt: columns.registeredAt.at(row),
      groups: splitGroups(columns.groups.at(row)),
      disabled: columns.disabled.at(row),
    },
  })),
  format(2, "delete-user", { login }, ({ login }, row) => ({ kind: "delete-user", login: login.at(row) })),
  format(
    3,
    "put-session",
    oldSessionFields,
    (columns, row) => putSession({ ...columns, factors: oldFactors, authenticatedAt: columns.createdAt }, row),
  ),
  format(4, "delete-session", { id: key }, ({ id }, row) => ({ kind: "delete-session", id: id.at(row) })),
  format(5, "put-ticket", oldTicketFields, (columns, row) => ({ kind: "put-ticket", ticket: oldTicket(columns, row) })),
  format(6, "delete-ticket", { secretHash: key }, ({ secretHash }, row) => ({
    kind: "delete-ticket",
    secretHash: secretHash.at(row),
  })),
  format(7, "put-ticket", ticketFields, ({ id, maker, createdAt, ...columns }, row) => ({
    kind: "put-ticket",
    ticket: { ...oldTicket(columns, row), id: id.at(row), maker: maker.at(row), createdAt: createdAt.at(row) },
  })),
  format(8, "put-secret", { name: key, value: key }, ({ name, value }, row) => ({
    kind: "put-secret",
    secret: { name: name.at(row), value: value.at(row) },
  })),
  format(9, "put-session", sessionFields, putSession),
  format(10, "put-credential", credentialFields, (columns, row) => ({
    kind: "put-credential",
    credential: {
      id: columns.id.at(row),
      login: columns.login.at(row),
      kind: columns.kind.at(row),
      name: columns.name.at(row),
      createdAt: columns.createdAt.at(row),
      lastUsedAt: columns.lastUsedAt.at(row),
      key: columns.key.at(row),
      secret: columns.secret.at(row),
      counter: columns.counter.at(row),
      signCount: columns.signCount.at(row),
    },
  })),
  format(11, "delete-credential", { key }, ({ key }, row) => ({ kind: "delete-credential", key: key.at(row) })),
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
  for (let index = 0; index < runs.length; index++) decodeRun(runs[index], changes);
  return changes;
}

/** @param changes at least one, all of one kind */
function encodeRun(changes: readonly Change[]): unknown[] {
  const { code, kind, fields } = findFormat(formats.findLast(({ kind }) => kind === changes[0]?.kind));
  // A change that puts a user has it in `user`, for example; one that deletes has the field itself.
  const holder = kind.split("put-")[1];
  const records = changes.map((change) => holder === undefined ? change : Reflect.get(change, holder));
  const run: unknown[] = [code];
  for (const [name, { encode = (value: unknown) => value }] of Object.entries(fields)) {
    // Not by `map`: V8 marks its result as a list that may have holes, and serializes each index, 2 bytes a value.
    const column: unknown[] = [];
    for (const record of records) column.push(encode(record[name]));
    run.push(column);
  }
  return run;
}

/** Adds the changes of a run to `changes`. */
function decodeRun(run: unknown, changes: Change[]): void {
  if (!Array.isArray(run)) throw new TypeError("Invalid changes: a run is not a list");
  const [code, ...columns]: unknown[] = run;
  const format = findFormat(formats.find((format) => format.code === code), code);
  checkColumns(format, columns);
  const byName = Object.fromEntries(Object.keys(format.fields).map((name, index) => [name, columns[index] ?? []]));
  for (let row = 0, count = columns[0]?.length ?? 0; row < count; row++) changes.push(format.toChange(byName, row));
}

function splitGroups(groups: string): readonly string[] {
  return groups === "" ? noGroups : groups.split(",");
}

function putSession(columns: Columns<typeof sessionFields>, row: number): Extract<Change, { kind: "put-session" }> {
  return {
    kind: "put-session",
    session: {
      id: columns.id.at(row),
      login: columns.login.at(row),
      secretHash: columns.secretHash.at(row),
      createdAt: columns.createdAt.at(row),
      lastSeenAt: columns.lastSeenAt.at(row),
      userAgent: columns.userAgent.at(row),
      address: columns.address.at(row),
      factors: factorsOf(columns.factors.at(row)) ?? [],
      authenticatedAt: columns.authenticatedAt.at(row),
    },
  };
}

function oldTicket({ secretHash, purpose, login, expiresAt }: Columns<typeof oldTicketFields>, row: number): Ticket {
  const hash = secretHash.at(row);
  return {
    id: idOfOldTicket(hash),
    secretHash: hash,
    purpose: purpose.at(row),
    login: login.at(row),
    maker: "",
    createdAt: 0,
    expiresAt: expiresAt.at(row),
  };
}

function findFormat(found: Format | undefined, code?: unknown): Format {
  if (found !== undefined) return found;
  const shown = typeof code === "number" ? ` ${code}` : "";
  throw new TypeError(`Invalid changes: unknown kind${shown}, which a later version may have written`);
}

/** @throws {TypeError} the number of columns, the length of one or a value in it is invalid */
function checkColumns({ code, fields }: Format, columns: readonly unknown[]): asserts columns is readonly unknown[][] {
  const entries = Object.entries(fields);
  if (columns.length !== entries.length) {
    throw new TypeError(`Invalid changes: ${columns.length} columns of kind ${code}`);
  }
  const [first, purposes] = columns;
  for (const [index, [name, field]] of entries.entries()) {
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

/** Infers the types of the columns from those of the fields. */
function format<Fields, Kind extends Change["kind"]>(
  code: number,
  kind: Kind,
  fields: Fields,
  toChange: Format<Fields, Kind>["toChange"],
): Format<Fields, Kind> {
  return { code, kind, fields, toChange };
}
