/** Password files of Apache and nginx. */

import { assertEquals } from "@std/assert";
import { htpasswd } from "../../../lib/import/htpasswd.ts";
import { readForeign } from "../../support/foreign_users.ts";

const rest = { groups: [], disabled: false };

Deno.test("htpasswd reads logins and hashes, and passes over comments and what follows a hash", async () => {
  const content =
    "# users\n\n  \n\t# more\nalice:$apr1$salt$hash\r\nbob:{SHA}abc= \ncarol:$2y$05$abc:a comment: long\n" +
    "Dave Smith:$2y$05$abc\n";
  assertEquals(await readForeign(htpasswd, { content }), [
    { ...rest, line: 5, login: "alice", passwordHash: "$apr1$salt$hash" },
    { ...rest, line: 6, login: "bob", passwordHash: "{SHA}abc=" },
    { ...rest, line: 7, login: "carol", passwordHash: "$2y$05$abc" },
    { ...rest, line: 8, login: "Dave Smith", passwordHash: "$2y$05$abc" },
  ]);
});

Deno.test("htpasswd refuses a line without a colon or a hash", async () => {
  assertEquals(await readForeign(htpasswd, { content: "alice\nbob:\ncarol: :x\nda\0ve:h" }), [
    { line: 1, reason: "there is no colon between a login and a hash" },
    { line: 2, login: "bob", reason: "there is no hash", isWithoutPassword: true },
    { line: 3, login: "carol", reason: "there is no hash", isWithoutPassword: true },
    { line: 4, reason: "the line has a NUL character" },
  ]);
});
