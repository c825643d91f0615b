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

/** Of a record: each look-up looks at all of them. */
const maxFields = 200;
/** Fields that an error names, and the characters of each. */
const [maxNamedFields, maxFieldName] = [10, 40];
const indexPattern = /^\d{1,3}$/;

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
    for (const name of namesOf(record)) if (names.size < maxNamedFields) names.add(JSON.stringify(name));
  }
  if (hasPasswords) return;
  const found = names.size === 0 ? "" : ` but ${[...names].join(", ")}`;
  pickle.fail(`no record has a field "${fields.password}"${found}: name the field of the hash by --password-field`);
}

function* readEntries(pickle: PickleFile, { login }: FieldNames): Generator<Entry> {
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
  return toUser((field) => {
    if (field === "login" && fields.login === "") return textOf(key);
    if (field === "password") return passwordOf(record, fields);
    const value = fieldOf(record, fields[field]);
    if (field === "date") return pickledDate(value) ?? textOf(value) ?? value;
    return Array.isArray(value) ? value.map(textOf) : textOf(value) ?? value;
  }, { line, fields });
}

/** The field of the hash, or the record if that is only a hash. */
function passwordOf(record: PickleValue, fields: FieldNames): PickleValue | undefined {
  const value = fieldOf(record, fields.password);
  return textOf(record) ?? textOf(value) ?? value;
}

function fieldOf(record: PickleValue, name: string): PickleValue | undefined {
  const entries = dictOf(record)?.entries ?? [];
  if (name === "" || entries.length > 2 * maxFields) return undefined;
  const index = entries.findIndex((key, index) => index % 2 === 0 && textOf(key) === name);
  const items = record instanceof Instance ? record.args : Array.isArray(record) ? record : [];
  return index >= 0 ? entries[index + 1] : indexPattern.test(name) ? items[Number(name)] : undefined;
}

/** The names of the fields of a record that has names. */
function namesOf(record: PickleValue): string[] {
  const keys = (dictOf(record)?.entries ?? []).slice(0, 2 * maxNamedFields).filter((_, index) => index % 2 === 0);
  return keys.map((key) => textOf(key) ?? "").map((name) => name.slice(0, maxFieldName));
}

function dictOf(value: PickleValue): Dict | undefined {
  return value instanceof Instance ? value.state : value instanceof Dict ? value : undefined;
}

/** A text, also one of Python 2 or in bytes; `undefined` if it is none. */
function textOf(value: PickleValue | undefined): string | undefined {
  if (!(value instanceof Bytes)) return typeof value === "string" ? value : undefined;
  const text = Buffer.from(value.latin1, "latin1").toString("utf8");
  return text.includes("\ufffd") ? undefined : text;
}
