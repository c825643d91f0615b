/**
 * Lines of JSON, one object for each user, as `deno task export jsonl` writes them:
 *
 *     {"id":"01JD…","login":"alice","password_hash":"$pbkdf2-…","registered_at":"2026-11-22T09:35:39.123Z","groups":[]}
 *
 * `registered_at`, `groups`, `disabled` and `id` may be absent or null. Other fields are passed over.
 */

import { readLines } from "./foreign_file.ts";
import type { FieldNames, ForeignFile, ForeignFormat, ForeignUser, RefusedRecord } from "./foreign_format.ts";
import { exportedFields, toUser } from "./named_fields.ts";

export const jsonl: ForeignFormat = {
  name: "jsonl",
  help: "a JSON object on each line: what the export writes, and what other programs can be made to write",
  unit: "line",
  fields: exportedFields,
  async *read({ path, fields }: ForeignFile) {
    for await (const line of readLines(path)) {
      if ("reason" in line) yield line;
      else if (line.text.trim() !== "") yield parseUser(line.text, { line: line.line, fields });
    }
  },
};

function parseUser(text: string, { line, fields }: { line: number; fields: FieldNames }): ForeignUser | RefusedRecord {
  try {
    const record: unknown = JSON.parse(text);
    if (typeof record === "object" && record !== null && !Array.isArray(record)) {
      return toUser((field) => fieldOf(record, fields[field]), { line, fields });
    }
  } catch (error) {
    // Without its message, which has a part of the line, and so maybe of a hash.
    if (!(error instanceof SyntaxError)) throw error;
  }
  return { line, reason: "the line is not a JSON object" };
}

/** Only what the object itself has, not what every object inherits. */
function fieldOf(record: object, name: string): unknown {
  return name !== "" && Object.hasOwn(record, name) ? (record as Record<string, unknown>)[name] : undefined;
}
