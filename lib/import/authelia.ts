/**
 * Users of Authelia's file, `users_database.yml`:
 *
 *     users:
 *       alice:
 *         password: '$argon2id$v=19$…'
 *         groups: [staff]
 *
 * In the failsafe schema of YAML every scalar is a text, so that a login such as 1e3 stays as it is.
 */

// Users write this file by hand, in any style of YAML.
import { parse } from "@std/yaml/parse";
import { readForeignText } from "./foreign_file.ts";
import { ForeignFileError, type ForeignFormat, type ForeignUser, type RefusedRecord } from "./foreign_format.ts";
import { objectOf } from "./json_objects.ts";
import { toUser } from "./named_fields.ts";

const fields = { login: "", password: "password", date: "", groups: "groups", disabled: "disabled", id: "" };
/** Of the file: 9,000 users. */
const maxBytes = 2 * 1024 * 1024;
/** An anchor. Its aliases can make a value of any size, as a key of a map again and again. */
const anchorPattern = /(?:^|[\s:,[{])&[^\s&]/;

export const authelia: ForeignFormat = {
  name: "authelia",
  help: "users_database.yml of Authelia",
  unit: "record",
  async *read({ path }) {
    let line = 0;
    for (const [login, user] of Object.entries(parseUsers(await readForeignText(path, maxBytes), path))) {
      yield readUser(user, { line: ++line, login });
    }
  },
};

/** @throws {ForeignFileError} the text is not YAML, or has no users */
function parseUsers(text: string, path: string): Record<string, unknown> {
  const refuse = (reason: string, cause?: unknown) => {
    return new ForeignFileError(`Cannot read users of Authelia from "${path}" as ${reason}`, { cause });
  };
  const anchored = text.split("\n").findIndex((line) => anchorPattern.test(line)) + 1;
  if (anchored > 0) throw refuse(`line ${anchored} has an anchor of YAML, or a text like one: write it out`);
  try {
    const users = objectOf(objectOf(parse(text, { schema: "failsafe" }))?.["users"]);
    if (users !== undefined) return users;
  } catch (cause) {
    if (cause instanceof RangeError) throw refuse("it is nested too deep", cause);
    // Without the rest of the message, which quotes the text, and so maybe a hash.
    const message = cause instanceof SyntaxError ? cause.message : "";
    const line = /at line \d+/.exec(message)?.[0];
    if (line === undefined) throw cause;
    throw refuse(`there is ${message.includes("duplicated key") ? "a key twice" : "no YAML"} ${line}`, cause);
  }
  throw refuse('it has no map "users"');
}

function readUser(
  value: unknown,
  { line, login }: { readonly line: number; readonly login: string },
): ForeignUser | RefusedRecord {
  const user = objectOf(value);
  if (user === undefined) return { line, login, reason: "it is not a map with a password" };
  return toUser((field) => field === "login" ? login : fields[field] && user[fields[field]], { line, fields });
}
