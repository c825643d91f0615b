/**
 * CSV (RFC 4180) with a header, which names the columns in any order: `login` and `password_hash`, and, if there are
 * such columns, `registered_at`, `groups` (separated by commas or blanks within the quotes), `disabled` and `id`. Other
 * columns are passed over.
 */

import { maxLineBytes, readLines } from "./foreign_file.ts";
import { type FieldNames, ForeignFileError, type ForeignFormat, type RefusedRecord } from "./foreign_format.ts";
import { exportedFields, toUser } from "./named_fields.ts";

/** A record: the fields of one line, or of several if a field in quotes has line breaks. */
export interface CsvRow {
  /** Where it begins. */
  readonly line: number;
  readonly fields: readonly string[];
}

/** One field: in quotes, which are doubled within, or without any. What follows ends it. */
const fieldPattern = /"([^"]*(?:""[^"]*)*)"(?=,|$)|([^",]*)(?=,|$)/y;
/** A field in quotes that are not closed. */
const openPattern = /"[^"]*(?:""[^"]*)*$/y;

export const csv: ForeignFormat = {
  name: "csv",
  help: "comma-separated values with a header: what the export writes, and what databases write",
  unit: "line",
  fields: exportedFields,
  async *read({ path, fields }) {
    let columns: Columns | undefined;
    for await (const row of readRows(path)) {
      if ("reason" in row) {
        if (columns === undefined) throw new ForeignFileError(`Cannot read "${path}" as CSV: ${row.reason}`);
        yield row;
      } else if (columns === undefined) columns = findColumns(row.fields, { path, fields });
      else yield toRecord(row, { columns, fields });
    }
    if (columns === undefined) throw new ForeignFileError(`Cannot read "${path}" as CSV: it has no header`);
  },
};

/**
 * Reads the rows of a CSV file. Empty lines are passed over.
 *
 * @throws {ForeignFileError} it cannot be read, or a quote that is not closed makes all after it doubtful
 */
export async function* readRows(path: string): AsyncGenerator<CsvRow | RefusedRecord> {
  let open: OpenRow | undefined;
  for await (const next of readLines(path)) {
    if ("reason" in next) {
      if (open !== undefined) throw unclosed(path, open.line);
      yield next;
      continue;
    }
    // Only the quotes of the new line are counted: to parse all lines again with each would take quadratic time.
    const isContinued = open !== undefined && !addLine(open, next.text);
    if (open !== undefined && open.length > maxLineBytes) throw unclosed(path, open.line);
    if (isContinued) continue;
    const { line, text } = open === undefined ? next : { line: open.line, text: open.texts.join("\n") };
    open = undefined;
    if (text === "") continue;
    const row = parseRow(text, line);
    if (row === undefined) open = { line, texts: [text], length: text.length };
    else yield row;
  }
  if (open !== undefined) throw unclosed(path, open.line);
}

/** A record whose last field is in quotes that are not closed yet. */
interface OpenRow {
  readonly line: number;
  readonly texts: string[];
  length: number;
}

/** Adds a line to a record. @returns whether it closes the quotes */
function addLine(row: OpenRow, text: string): boolean {
  row.texts.push(text);
  row.length += text.length + 1;
  let isClosing = false;
  for (let at = text.indexOf('"'); at !== -1; at = text.indexOf('"', at + 1)) isClosing = !isClosing;
  return isClosing;
}

/** Where the columns of a file are; -1 for those that it lacks. */
interface Columns extends Readonly<Record<keyof FieldNames, number>> {
  readonly count: number;
}

function findColumns(
  header: readonly string[],
  { path, fields }: { readonly path: string; readonly fields: FieldNames },
): Columns {
  const names = header.map((name) => name.trim());
  const entries = Object.entries(fields).map(([field, name]) => {
    const isRequired = field === "login" || field === "password" || name !== exportedFields[field as keyof FieldNames];
    const index = name === "" ? -1 : names.indexOf(name);
    if (index === -1 ? isRequired && name !== "" : names.includes(name, index + 1)) {
      const count = index === -1 ? "no column" : "two columns";
      throw new ForeignFileError(
        `Cannot read "${path}" as CSV: its header has ${count} "${name}": separate the names by commas, or name ` +
          `another column with --${field}-field`,
      );
    }
    return [field, index];
  });
  return { ...Object.fromEntries(entries), count: names.length };
}

function toRecord({ line, fields }: CsvRow, { columns, fields: names }: { columns: Columns; fields: FieldNames }) {
  if (fields.length !== columns.count) {
    return { line, reason: `the line has ${fields.length} fields and the header ${columns.count}` };
  }
  return toUser((field) => fields[columns[field]], { line, fields: names });
}

/** @returns the fields; a refusal if a quote is in a wrong place; `undefined` if the last field continues */
function parseRow(text: string, line: number): CsvRow | RefusedRecord | undefined {
  const fields: string[] = [];
  for (let start = 0; start <= text.length; start = fieldPattern.lastIndex + 1) {
    fieldPattern.lastIndex = openPattern.lastIndex = start;
    const match = fieldPattern.exec(text);
    if (match !== null) fields.push(match[1]?.replaceAll('""', '"') ?? match[2] ?? "");
    else if (openPattern.test(text)) return undefined;
    else return { line, reason: "a quote is in the wrong place: put the whole field in quotes" };
  }
  return { line, fields };
}

function unclosed(path: string, line: number): ForeignFileError {
  const text = `Cannot read "${path}" as CSV: a quote that line ${line} opens is not closed within ${maxLineBytes}`;
  return new ForeignFileError(`${text} characters: close it`);
}
