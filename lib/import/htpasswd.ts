/**
 * The password files of Apache and nginx: `login:hash` on each line, or `login:hash:comment`. Lines that begin with `#`
 * are comments.
 */

import { readLines } from "./foreign_file.ts";
import type { ForeignFormat, ForeignUser, RefusedRecord } from "./foreign_format.ts";

export const htpasswd: ForeignFormat = {
  name: "htpasswd",
  help: "the password file of Apache and nginx, and of others for HTTP Basic",
  unit: "line",
  async *read({ path }) {
    for await (const line of readLines(path)) {
      if ("reason" in line) yield line;
      else if (/^\s*[^\s#]/.test(line.text)) yield parseLine(line.text, line.line);
    }
  },
};

function parseLine(text: string, line: number): ForeignUser | RefusedRecord {
  const [login = "", hash] = text.split(":", 2);
  if (hash === undefined) return { line, reason: "there is no colon between a login and a hash" };
  const passwordHash = hash.trim();
  if (passwordHash === "") return { line, login, reason: "there is no hash", isWithoutPassword: true };
  return { line, login, passwordHash, groups: [], disabled: false };
}
