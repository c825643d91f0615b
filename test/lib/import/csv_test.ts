/** CSV as databases and spreadsheets write it, and files that are none. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { csv, readRows } from "../../../lib/import/csv.ts";
import { ForeignFileError, type RefusedRecord } from "../../../lib/import/foreign_format.ts";
import { readForeign } from "../../support/foreign_users.ts";

const rest = { registeredAt: undefined, groups: [], disabled: false, id: undefined };
const short = "login,password_hash\n";

Deno.test("csv reads columns in any order, fields in quotes, and passes over other columns", async () => {
  const content = "\ufeffnote,disabled, password_hash ,login,groups,registered_at\r\n" +
    `"a ""note"", with\r\nlines, and ""quotes""\n",t,h1,Alice,"admin, staff",2024-05-01 12:00:00+00\r\n` +
    "\r\n" +
    `,,"h,2","bob",,""\r\n`;
  assertEquals(await readForeign(csv, { content }), [
    {
      line: 2,
      login: "Alice",
      passwordHash: "h1",
      registeredAt: Date.UTC(2024, 4, 1, 12),
      groups: ["admin", "staff"],
      disabled: true,
      id: undefined,
    },
    { ...rest, line: 6, login: "bob", passwordHash: "h,2" },
  ]);
});

Deno.test("csv takes the names of its columns from the command line", async () => {
  const content = "id,email,encrypted_password\n7,a@example.org,h\n";
  const fields = { login: "email", password: "encrypted_password", id: "" };
  assertEquals(await readForeign(csv, { content }, fields), [{
    ...rest,
    line: 2,
    login: "a@example.org",
    passwordHash: "h",
  }]);
});

Deno.test("csv refuses a line with a quote or a number of fields that is wrong, and reads the next", async () => {
  const rows: readonly [line: string, record: Omit<RefusedRecord, "line">][] = [
    ["alice", { reason: "the line has 1 fields and the header 2" }],
    ["alice,h,", { reason: "the line has 3 fields and the header 2" }],
    [`alice,5" disk`, { reason: "a quote is in the wrong place: put the whole field in quotes" }],
    [`"alice"x,h`, { reason: "a quote is in the wrong place: put the whole field in quotes" }],
    [`al\0ice,h`, { reason: "the line has a NUL character" }],
    [`alice,`, { login: "alice", reason: 'there is no "password_hash"', isWithoutPassword: true }],
    [`,h`, { reason: 'there is no text "login"' }],
  ];
  const content = `${short}${rows.map(([line]) => line).join("\n")}\nlast,h`;
  assertEquals(await readForeign(csv, { content }), [
    ...rows.map(([, record], index) => ({ line: index + 2, ...record })),
    { ...rest, line: rows.length + 2, login: "last", passwordHash: "h" },
  ]);
});

Deno.test("csv rejects a file without a usable header, or with a quote that is not closed", async () => {
  const rows: readonly [content: string, reason: string, fields?: Record<string, string>][] = [
    ["", "it has no header"],
    ["\n\n", "it has no header"],
    ["\0", "the line has a NUL character"],
    [`a"b,c\n`, "a quote is in the wrong place: put the whole field in quotes"],
    ["login;password_hash\n", 'its header has no column "login": separate the names by commas'],
    ["login,password\n", 'its header has no column "password_hash"'],
    ["login,login,password_hash\n", 'its header has two columns "login"'],
    ["login,password_hash,groups,groups\n", 'its header has two columns "groups"'],
    [
      short,
      'its header has no column "mail": separate the names by commas, or name another column with --login-field',
      {
        login: "mail",
      },
    ],
    [short, 'its header has no column "teams"', { groups: "teams" }],
    [`${short}alice,"h\nbob,h\n`, "a quote that line 2 opens is not closed"],
    [`${short}alice,"h\nbo\0b,h"\n`, "a quote that line 2 opens is not closed"],
    [`${short}alice,"${"h".repeat(600_000)}\n${"h".repeat(600_000)}"\n`, "a quote that line 2 opens is not closed"],
  ];
  for (const [content, reason, fields = {}] of rows) {
    const error = await assertRejects(() => readForeign(csv, { content }, fields), ForeignFileError);
    assert(error.message.includes(`as CSV: ${reason}`), error.message);
  }
});

Deno.test("csv reads a field of many lines or a million quotes in linear time", async () => {
  // Quadratic time would be minutes.
  const startedAt = performance.now();
  for (const text of ["\n", '""', 'x\n""']) {
    const path = await Deno.makeTempFile();
    await Deno.writeTextFile(path, `"${text.repeat(250_000)}",h\n${'"'.repeat(1_000_000)}x,h\nlast,h\n`);
    const rows = await Array.fromAsync(readRows(path));
    const [first, , last] = rows.map((row) => "fields" in row ? row.fields : row.reason);
    assertEquals(first, [text.replaceAll('""', '"').repeat(250_000), "h"]);
    assertEquals([rows.length, last], [3, ["last", "h"]]);
  }
  assert(performance.now() - startedAt < 20_000);
});
