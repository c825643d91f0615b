/**
 * `/etc/shadow` (shadow(5)): nine fields with colons between them, of which the login, the hash and the day on which
 * the account expires matter here.
 *
 * An account with `!` before its hash is locked, and one past its day has expired: both become disabled users. An
 * account without a hash (`*`, `!`, `!!`, `!*`, `x`, nothing) has no password to import.
 */

import { readLines } from "./foreign_file.ts";
import type { ForeignFormat, ForeignUser, RefusedRecord } from "./foreign_format.ts";

const fieldCount = 9;
const dayMs = 24 * 60 * 60 * 1_000;

export const shadow: ForeignFormat = {
  name: "shadow",
  help: "/etc/shadow, as on Linux",
  unit: "line",
  async *read({ path }) {
    for await (const line of readLines(path)) {
      if ("reason" in line) yield line;
      else if (line.text.trim() !== "") yield parseLine(line.text, line.line);
    }
  },
};

function parseLine(text: string, line: number): ForeignUser | RefusedRecord {
  const fields = text.split(":", fieldCount + 1);
  if (fields.length !== fieldCount) return { line, reason: `the line has not ${fieldCount} fields of /etc/shadow` };
  const [login = "", password = "", , , , , , expires = ""] = fields;
  const passwordHash = password.replace(/^!+/, "");
  // No hash is so short: "*", "x", "*LK*", "NP".
  if (!/^[$_./0-9A-Za-z]{13}/.test(passwordHash)) {
    return { line, login, reason: "the account has no password", isWithoutPassword: true };
  }
  const hasExpired = /^\d{1,9}$/.test(expires) && Number(expires) * dayMs <= Date.now();
  return { line, login, passwordHash, groups: [], disabled: password !== passwordHash || hasExpired };
}
