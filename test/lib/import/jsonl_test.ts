/** Lines of JSON, of the export and of other programs. */

import { assertEquals } from "@std/assert";
import { jsonl } from "../../../lib/import/jsonl.ts";
import { readForeign } from "../../support/foreign_users.ts";

const rest = { registeredAt: undefined, groups: [], disabled: false, id: undefined };

Deno.test("jsonl reads every field, and passes over empty lines and other fields", async () => {
  const content = [
    `{"login":"alice","password_hash":"h1"}`,
    "",
    `  {"id":"01HWT0D7G0BB89CGQ3NCBYGDKQ","login":"Bob","password_hash":"h2","registered_at":"2024-05-01T12:00:00Z",` +
    `"groups":["admin","staff"],"disabled":true,"kind":"user","login2":{}}  `,
    `{"login":"carol","password_hash":"h3","registered_at":null,"groups":null,"disabled":null,"id":null}`,
    `{"login":"dave","password_hash":"h4","groups":"admin, staff","disabled":0,"id":""}`,
  ].join("\n");
  assertEquals(await readForeign(jsonl, { content }), [
    { ...rest, line: 1, login: "alice", passwordHash: "h1" },
    {
      line: 3,
      login: "Bob",
      passwordHash: "h2",
      registeredAt: Date.UTC(2024, 4, 1, 12),
      groups: ["admin", "staff"],
      disabled: true,
      id: "01HWT0D7G0BB89CGQ3NCBYGDKQ",
    },
    { ...rest, line: 4, login: "carol", passwordHash: "h3" },
    { ...rest, line: 5, login: "dave", passwordHash: "h4", groups: ["admin", "staff"] },
  ]);
});

Deno.test("jsonl takes the names of its fields from the command line", async () => {
  const content = `{"id":7,"email":"a@example.org","encrypted_password":"h","created_at":"2024-05-01 12:00:00+00"}`;
  const fields = { login: "email", password: "encrypted_password", date: "created_at", id: "" };
  assertEquals(await readForeign(jsonl, { content }, fields), [
    { ...rest, line: 1, login: "a@example.org", passwordHash: "h", registeredAt: Date.UTC(2024, 4, 1, 12) },
  ]);
});

Deno.test("jsonl refuses a line that is no user, and reads the next", async () => {
  const rows: readonly [line: string, reason: string, login?: string][] = [
    ["nonsense with $6$hash", "the line is not a JSON object"],
    [`{"login":"alice"`, "the line is not a JSON object"],
    ["[]", "the line is not a JSON object"],
    ["null", "the line is not a JSON object"],
    ["[".repeat(100_000), "the line is not a JSON object"],
    ["{}", 'there is no text "login"'],
    [`{"login":7,"password_hash":"h"}`, 'there is no text "login"'],
    [`{"login":"","password_hash":"h"}`, 'there is no text "login"'],
    [`{"__proto__":{"login":"alice","password_hash":"h"}}`, 'there is no text "login"'],
    [`{"login":"alice","password_hash":7}`, '"password_hash" is not a text', "alice"],
    [
      `{"login":"alice","password_hash":"h","registered_at":"soon"}`,
      '"registered_at" is not a date such as 2026-11-22T09:35:39.123Z',
      "alice",
    ],
    [
      `{"login":"alice","password_hash":"h","registered_at":1714564800}`,
      '"registered_at" is not a date such as 2026-11-22T09:35:39.123Z',
      "alice",
    ],
    [`{"login":"alice","password_hash":"h","groups":[7]}`, '"groups" is not a list of texts', "alice"],
    [`{"login":"alice","password_hash":"h","groups":{"a":1}}`, '"groups" is not a list of texts', "alice"],
    [`{"login":"alice","password_hash":"h","disabled":"maybe"}`, '"disabled" is not true or false', "alice"],
    [`{"login":"alice","password_hash":"h","id":7}`, '"id" is not a text', "alice"],
  ];
  const content = `${rows.map(([line]) => line).join("\n")}\n{"login":"last","password_hash":"h"}`;
  assertEquals(await readForeign(jsonl, { content }), [
    ...rows.map(([, reason, login], index) => ({ line: index + 1, ...login !== undefined && { login }, reason })),
    { ...rest, line: rows.length + 1, login: "last", passwordHash: "h" },
  ]);
});

Deno.test("jsonl says which users have no password", async () => {
  const content = `{"login":"alice"}\n{"login":"bob","password_hash":null}\n{"login":"carol","password_hash":""}`;
  assertEquals(
    await readForeign(jsonl, { content }),
    ["alice", "bob", "carol"].map((login, index) => {
      return { line: index + 1, login, reason: 'there is no "password_hash"', isWithoutPassword: true };
    }),
  );
});
