/**
 * Users that a program of Python pickled, with hashes of Werkzeug or any other: a dict from login to record, or a list
 * of records, once or many times in a file.
 *
 * A record is a dict, an object with attributes, a tuple (its fields are numbers from 0), or only the hash. Dates are
 * datetimes, ISO texts or seconds since the epoch.
 */

import { Buffer } from "node:buffer";
import { openForeignFile } from "./foreign_file.ts";
import type { FieldNames, ForeignFormat, ForeignUser, RefusedRecord } from "./foreign_format.ts";
import { toUser } from "./named_fields.ts";
import { readPickles } from "./pickle.ts";
import { pickledDate } from "./pickle_date.ts";
import { PickleFile } from "./pickle_file.ts";
import { Bytes, Dict, Instance, type PickleValue } from "./pickle_value.ts";

/** Of a file. Each can be a reference of two bytes. */
const maxRecords = 1_000_000;
/** Of a record. */
const maxFields = 200;
/** Of a login or hash in bytes, and of the name of a field. */
const [maxTextBytes, maxNameBytes] = [4_096, 100];
/** Of a list of groups. */
const maxItems = 200;
/** In place of what is longer: no field of a user takes it. */
const tooLong = Symbol("too long");
/** Names that an error has. */
const maxNamedFields = 10;
const indexPattern = /^\d{1,3}$/;

const fieldsOfDict = new WeakMap<Dict, ReadonlyMap<string, PickleValue>>();

export const werkzeugPickle: ForeignFormat = {
  name: "werkzeug-pickle",
  help: "pickle of Python, protocols 1 to 5: a dict from login to record, or with --login-field a list of records",
  unit: "record",
  fields: { login: "", password: "hash", date: "date", groups: "groups", disabled: "disabled", id: "" },
  async *read(file) {
    // A hostile pickle is refused whole, so the file is read to its end first.
    using source = await openForeignFile(file.path);
    assertHasPasswords(new PickleFile(source, file.path), file.fields);
    await source.seek(0, Deno.SeekMode.Start);
    let line = 0;
    for (const entry of readEntries(new PickleFile(source, file.path), file.fields)) {
      yield readUser(entry, { line: ++line, fields: file.fields });
    }
  },
};

interface Entry {
  /** The key of the record. */
  readonly key: PickleValue | undefined;
  readonly record: PickleValue;
}

/** @throws {ForeignFileError} the pickle is refused, or no record has the field of the password */
function assertHasPasswords(pickle: PickleFile, fields: FieldNames): void {
  const names = new Set<string>();
  let hasPasswords = false;
  for (const { record } of readEntries(pickle, fields)) {
    hasPasswords ||= passwordOf(record, fields) !== undefined;
    if (!hasPasswords && names.size < maxNamedFields) { for (const name of fieldsOf(record).keys()) names.add(name); }
  }
  if (hasPasswords) return;
  const found = names.size === 0 ? "" : ` but ${JSON.stringify([...names].slice(0, maxNamedFields))}`;
  pickle.fail(`no record has a field "${fields.password}"${found}: name the field of the hash by --password-field`);
}

function* readEntries(pickle: PickleFile, fields: FieldNames): Generator<Entry> {
  let count = 0;
  for (const entry of divide(pickle, fields)) {
    if (++count > maxRecords) pickle.fail(`it has more than ${maxRecords} records: write its users to several files`);
    yield entry;
  }
}

function* divide(pickle: PickleFile, { login }: FieldNames): Generator<Entry> {
  for (const value of readPickles(pickle, login === "" ? "dict" : "list")) {
    const entries = dictOf(value)?.entries;
    if (textOf(fieldOf(value, login)) !== undefined) yield { key: undefined, record: value };
    else if (Array.isArray(value)) {
      if (login === "") pickle.fail("it has a list: name the field with the login of a record by --login-field");
      for (const record of value) yield { key: undefined, record };
    } else if (entries !== undefined) {
      for (let index = 0; index < entries.length; index += 2) {
        yield { key: entries[index], record: entries[index + 1] ?? null };
      }
    } else pickle.fail("it has neither a dict nor a list of records");
  }
}

function readUser(
  { key, record }: Entry,
  { line, fields }: { readonly line: number; readonly fields: FieldNames },
): ForeignUser | RefusedRecord {
  if ((dictOf(record)?.entries.length ?? 0) > 2 * maxFields) {
    return { line, login: textOf(key), reason: `it has more than ${maxFields} fields` };
  }
  if (fields.login === "" && textOf(key) === undefined) return { line, reason: "its login, the key, is not a text" };
  return toUser((field) => {
    if (field === "login" && fields.login === "") return textOf(key);
    if (field === "password") return passwordOf(record, fields);
    const value = fieldOf(record, fields[field]);
    if (field === "date") return pickledDate(value) ?? plainOf(value);
    if (!Array.isArray(value)) return plainOf(value);
    return value.length > maxItems ? tooLong : value.map((item) => textOf(item));
  }, { line, fields });
}

/** The field of the hash, or the record if that is only a hash. */
function passwordOf(record: PickleValue, fields: FieldNames): unknown {
  const value = typeof record === "string" || record instanceof Bytes ? record : fieldOf(record, fields.password);
  return plainOf(value);
}

/** A value that is no list, as JSON has it. */
function plainOf(value: PickleValue | undefined): unknown {
  return textOf(value) ?? (typeof value === "string" ? tooLong : value);
}

function fieldOf(record: PickleValue, name: string): PickleValue | undefined {
  const items = record instanceof Instance ? record.args : Array.isArray(record) ? record : [];
  return name === ""
    ? undefined
    : fieldsOf(record).get(name) ?? (indexPattern.test(name) ? items[Number(name)] : undefined);
}

/** The fields with names. A record that a million keys refer to is looked through once. */
function fieldsOf(record: PickleValue): ReadonlyMap<string, PickleValue> {
  const dict = dictOf(record);
  const known = dict && fieldsOfDict.get(dict);
  if (dict === undefined || known) return known ?? new Map();
  const fields = new Map<string, PickleValue>();
  const count = dict.entries.length > 2 * maxFields ? 0 : dict.entries.length;
  for (let index = 0; index < count; index += 2) {
    const name = textOf(dict.entries[index], maxNameBytes);
    if (name !== undefined) fields.set(name, dict.entries[index + 1] ?? null);
  }
  fieldsOfDict.set(dict, fields);
  return fields;
}

function dictOf(value: PickleValue): Dict | undefined {
  return value instanceof Instance ? value.state : value instanceof Dict ? value : undefined;
}

/** A text, also one of Python 2 or in bytes; `undefined` if it is none or too long. */
function textOf(value: PickleValue | undefined, maxBytes = maxTextBytes): string | undefined {
  const text = value instanceof Bytes ? value.latin1 : value;
  if (typeof text !== "string" || text.length > maxBytes) return undefined;
  if (text === value) return text;
  const decoded = Buffer.from(text, "latin1").toString("utf8");
  return decoded.includes("\ufffd") ? undefined : decoded;
}
