/** /etc/shadow: accounts with a password, locked, expired, and of the system. */

import { assertEquals } from "@std/assert";
import { shadow } from "../../../lib/import/shadow.ts";
import { readForeign } from "../../support/foreign_users.ts";

const hash = "$6$salt$0123456789";
const today = Math.floor(Date.now() / 86_400_000);

Deno.test("shadow reads accounts with a password; locked and expired ones are disabled", async () => {
  const rows: readonly [fields: string, disabled: boolean][] = [
    [`${hash}:19000:0:99999:7:::`, false],
    [`!${hash}:19000:0:99999:7:::`, true],
    [`!!${hash}:19000:0:99999:7:::`, true],
    [`${hash}:19000:0:99999:7::${today}:`, true],
    [`${hash}:19000:0:99999:7::${today + 2}:`, false],
    [`${hash}::::::soon:`, false],
  ];
  const content = rows.map(([fields]) => `alice:${fields}\n\n`).join("");
  assertEquals(
    await readForeign(shadow, { content }),
    rows.map(([, disabled], index) => ({
      line: 2 * index + 1,
      login: "alice",
      passwordHash: hash,
      groups: [],
      disabled,
    })),
  );
});

Deno.test("shadow tells accounts without a password from lines that are none", async () => {
  for (const password of ["*", "!", "!!", "!*", "", "x", "*LK*", "NP", "!locked"]) {
    assertEquals(await readForeign(shadow, { content: `daemon:${password}:19000:0:99999:7:::` }), [
      { line: 1, login: "daemon", reason: "the account has no password", isWithoutPassword: true },
    ]);
  }
  for (const line of ["alice", `alice:${hash}`, `alice:${hash}:1:2:3:4:5:6:7:8`]) {
    assertEquals(await readForeign(shadow, { content: line }), [
      { line: 1, reason: "the line has not 9 fields of /etc/shadow" },
    ]);
  }
  assertEquals(await readForeign(shadow, { content: "\0" }), [{ line: 1, reason: "the line has a NUL character" }]);
});
