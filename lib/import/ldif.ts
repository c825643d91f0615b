/**
 * LDIF (RFC 2849), as `slapcat` and `ldapsearch` write it.
 *
 * An entry with a login is a user; its groups are the names at the start of its `memberOf`. Of several passwords the
 * first that can be verified is used. Entries without a login and a password, such as groups, are passed over.
 * Attributes that are not asked for are passed over, so that a photo may be of any size.
 */

import { Buffer } from "node:buffer";
import { usableHash } from "../passwords/stored_hash.ts";
import { parseFlag, parseGeneralizedTime } from "./field_values.ts";
import { maxLineBytes, readLines } from "./foreign_file.ts";
import type { FieldNames, ForeignFormat, ForeignUser, RefusedRecord } from "./foreign_format.ts";

/** The attributes of an entry that are asked for, by name in lower case; and where it begins. */
interface Entry {
  readonly line: number;
  readonly values: Map<string, string[]>;
  /** Why the entry cannot be used. */
  problem?: string;
  /** Characters of all values. */
  length: number;
}

/** A line without the line breaks of folding. */
interface LogicalLine {
  readonly line: number;
  readonly text: string;
  /** It has more than is read: the text is its beginning. */
  readonly isCut?: boolean;
  readonly problem?: string;
}

/** An attribute (RFC 4512, 2.5) with its options, and what tells the encoding of its value. */
const valuePattern = /^([A-Za-z0-9][A-Za-z0-9.-]*)(?:;[A-Za-z0-9;-]*)?:([:<]?) *(.*)$/s;
/** The start of a distinguished name (RFC 4514): the value before the first comma or plus sign that is not escaped. */
const namePattern = /^[A-Za-z0-9.-]+ *= *((?:\\.|[^\\,+])*)/;

export const ldif: ForeignFormat = {
  name: "ldif",
  help: "a directory (LDAP), as slapcat and ldapsearch write it",
  unit: "line",
  fields: {
    login: "uid",
    password: "userPassword",
    date: "createTimestamp",
    groups: "memberOf",
    disabled: "pwdAccountLockedTime",
    id: "",
  },
  async *read({ path, fields }) {
    for await (const entry of readEntries(path, fields)) {
      const record = toRecord(entry, fields);
      if (record !== undefined) yield record;
    }
  },
};

async function* readEntries(path: string, fields: FieldNames): AsyncGenerator<Entry> {
  const wanted = new Set(["changetype", ...Object.values(fields).map((name) => name.toLowerCase())]);
  let entry: Entry | undefined;
  for await (const next of unfoldedLines(path)) {
    if (next.text === "" && next.problem === undefined) {
      if (entry !== undefined) yield entry;
      entry = undefined;
      continue;
    }
    entry ??= { line: next.line, values: new Map(), length: 0 };
    const problem = next.problem ?? addValue(entry, { ...next, wanted });
    if (problem !== undefined) entry.problem ??= `line ${next.line}: ${problem}`;
  }
  if (entry !== undefined) yield entry;
}

/** Joins lines that were folded: one that begins with a blank continues the one before. */
async function* unfoldedLines(path: string): AsyncGenerator<LogicalLine> {
  let last: { line: number; parts: string[]; length: number } | undefined;
  const joined = ({ line, parts, length }: NonNullable<typeof last>) => {
    return { line, text: parts.join(""), isCut: length > maxLineBytes };
  };
  for await (const next of readLines(path)) {
    if ("text" in next && next.text.startsWith(" ")) {
      if (last === undefined) continue;
      last.length += next.text.length;
      if (last.length <= maxLineBytes) last.parts.push(next.text.slice(1));
      continue;
    }
    if (last !== undefined) yield joined(last);
    last = undefined;
    if ("reason" in next) yield { line: next.line, text: "", problem: next.reason };
    else if (!next.text.startsWith("#")) last = { line: next.line, parts: [next.text], length: next.text.length };
  }
  if (last !== undefined) yield joined(last);
}

/** @returns why the line cannot be used */
function addValue(
  entry: Entry,
  { text, isCut, wanted }: LogicalLine & { readonly wanted: ReadonlySet<string> },
): string | undefined {
  const [, name, encoding, written = ""] = valuePattern.exec(text) ?? [];
  if (name === undefined) return 'it is not "attribute: value"';
  const key = name.toLowerCase();
  if (written === "" || !wanted.has(key)) return undefined;
  entry.length += written.length;
  if (isCut || entry.length > maxLineBytes) return `the values of the entry have more than ${maxLineBytes} characters`;
  if (encoding === "<") return `the value of "${name}" is in another file`;
  const value = encoding === ":" ? decodeBase64(written) : written;
  if (value === undefined) return `the value of "${name}" is not text in base64`;
  if (key === "changetype" && value !== "add") return "it is a change of an entry: export the entries themselves";
  const values = entry.values.get(key);
  if (values === undefined) entry.values.set(key, [value]);
  else values.push(value);
  return undefined;
}

function decodeBase64(text: string): string | undefined {
  try {
    const value = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(Uint8Array.fromBase64(text));
    return value.includes("\0") ? undefined : value;
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TypeError) return undefined;
    throw error;
  }
}

function toRecord({ line, values, problem }: Entry, fields: FieldNames): ForeignUser | RefusedRecord | undefined {
  const valuesOf = (field: keyof FieldNames) => values.get(fields[field].toLowerCase()) ?? [];
  const [[login], [date], [disabled]] = [valuesOf("login"), valuesOf("date"), valuesOf("disabled")];
  const passwords = valuesOf("password").map(textOfScheme);
  const refuse = (reason: string) => ({ line, login, reason });
  if (problem !== undefined) return refuse(problem);
  if (login === undefined) {
    if (passwords.length === 0) return undefined;
    return refuse(`there is no "${fields.login}": name the attribute of logins with --login-field`);
  }
  const passwordHash = passwords.find((text) => usableHash(text) !== undefined) ?? passwords[0];
  if (passwordHash === undefined) return { ...refuse(`there is no "${fields.password}"`), isWithoutPassword: true };
  const registeredAt = date === undefined ? undefined : parseGeneralizedTime(date);
  if (date !== undefined && registeredAt === undefined) return refuse(`"${fields.date}" is not a date of LDAP`);
  return {
    line,
    login,
    passwordHash,
    registeredAt,
    groups: valuesOf("groups").map(nameOfDn),
    // A time or TRUE.
    disabled: parseFlag(disabled) !== false,
  };
}

/** Without a scheme that only says that the text of another program follows. */
function textOfScheme(text: string): string {
  return text.replace(/^\{(?:crypt|bcrypt)\}(?=\$)/i, "");
}

/** The name at the start of a distinguished name: `staff` of `cn=staff,ou=groups,dc=example`; otherwise the text. */
function nameOfDn(text: string): string {
  const [, name] = namePattern.exec(text) ?? [];
  if (name === undefined) return text;
  // Escaped are bytes in hex, and signs.
  return name.trim().replaceAll(/(?:\\[0-9a-f]{2})+/gi, (bytes) => {
    return Buffer.from(bytes.replaceAll("\\", ""), "hex").toString("utf8");
  }).replaceAll(/\\(.)/g, "$1");
}
