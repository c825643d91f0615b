/** Users of Authelia. `files/authelia-users.yml` follows its template; the hashes are of the programs that it names. */

import { assertEquals, assertLess, assertRejects } from "@std/assert";
import { authelia } from "../../../lib/import/authelia.ts";
import { ForeignFileError } from "../../../lib/import/foreign_format.ts";
import { foreignFile, readForeign } from "../../support/foreign_users.ts";

Deno.test("authelia reads users of every style of YAML, with hashes, groups, and disabled ones", async () => {
  const records = await readForeign(authelia, { path: foreignFile("authelia-users.yml") });
  const kind = (hash: string) => hash.slice(0, hash.indexOf("$", 1) + 1);
  assertEquals(
    records.map((record) => {
      if ("reason" in record) return record;
      const { line, login, passwordHash, groups, disabled } = record;
      return { line, login, passwordHash: kind(passwordHash), groups, disabled };
    }),
    [
      { line: 1, login: "Alice", passwordHash: "$argon2id$", groups: ["admins", "dev"], disabled: false },
      { line: 2, login: "bob", passwordHash: "$6$", groups: ["dev", "night"], disabled: true },
      { line: 3, login: "carol", passwordHash: "$2b$", groups: [], disabled: false },
      { line: 4, login: "1e3", passwordHash: "$pbkdf2-sha512$", groups: [], disabled: false },
      { line: 5, login: "dave@example.org", passwordHash: "$scrypt$", groups: [], disabled: false },
    ],
  );
});

Deno.test("authelia refuses a user without a hash, and fields of other types", async () => {
  const rows: readonly [user: string, reason: string | undefined][] = [
    ["{password: x}", undefined],
    ["{password: x, disabled: True, groups: ''}", undefined],
    ["", "it is not a map with a password"],
    ["x", "it is not a map with a password"],
    ["[x]", "it is not a map with a password"],
    ["{}", 'there is no "password"'],
    ["{password: ''}", 'there is no "password"'],
    ["{password: [x]}", '"password" is not a text'],
    ["{password: x, disabled: maybe}", '"disabled" is not true or false'],
    ["{password: x, disabled: [true]}", '"disabled" is not true or false'],
    ["{password: x, groups: staff}", undefined],
    ["{password: x, groups: [[staff]]}", '"groups" is not a list of texts'],
  ];
  for (const [user, reason] of rows) {
    const [record] = await readForeign(authelia, { content: `users:\n  eve: ${user}\n` });
    assertEquals(record && "reason" in record ? record.reason : undefined, reason, user);
  }
  const [record] = await readForeign(authelia, { content: "users:\n  __proto__: {password: x}\n" });
  assertEquals(record?.login, "__proto__");
});

Deno.test("authelia refuses a file that is not its own, and shows nothing of its text", async () => {
  const rows: readonly [content: string, reason: string][] = [
    ["", 'as it has no map "users"'],
    ["alice: secret", 'as it has no map "users"'],
    ["users: secret", 'as it has no map "users"'],
    ["users: [secret]", 'as it has no map "users"'],
    ["users:\n  alice: 'secret", "as there is no YAML at line 3"],
    ["users:\n  alice: secret\n  alice: secret\n", "as there is a key twice at line 3"],
    ["users: {}\n---\nusers: {}\n", "as there is no YAML at line 2"],
    ["users: !!js/function 'secret'", "as there is no YAML at line 1"],
    [
      "users:\n  alice: &secret {password: secret}\n  bob: *secret\n",
      "as line 2 has an anchor of YAML, or a text like",
    ],
    ["users: [&a secret]", "as line 1 has an anchor"],
    ["users:\n  alice: *secret", "as there is no YAML at line 2"],
  ];
  for (const [content, reason] of rows) {
    const { message } = await assertRejects(() => readForeign(authelia, { content }), ForeignFileError, reason);
    assertEquals(message.includes("secret"), false, content);
  }
});

Deno.test("authelia refuses at once aliases that multiply, deep nesting, and too many bytes", async () => {
  const laughs = Array.from({ length: 30 }, (_, index) => `a${index + 1}: &a${index + 1} [*a${index}, *a${index}]`);
  const rows: readonly [content: string, reason: string][] = [
    [`a0: &a0 x\n${laughs.join("\n")}\n`, "as line 1 has an anchor"],
    [`a: &a [${"x,".repeat(50_000)}]\n${"? *a\n: x\n".repeat(50_000)}`, "as line 1 has an anchor"],
    ["[".repeat(1_000_000), "as it is nested too deep"],
    ["{a: ".repeat(400_000), "as it is nested too deep"],
    ["- ".repeat(1_000_000) + "x", "as it is nested too deep"],
    ["? ".repeat(1_000_000) + "x", "as it is nested too deep"],
    ["x".repeat(2 * 1024 * 1024 + 1), "as it has 2097153 bytes: at most 2097152 are read at once"],
  ];
  for (const [content, reason] of rows) {
    const start = performance.now();
    await assertRejects(() => readForeign(authelia, { content }), ForeignFileError, reason);
    assertLess(performance.now() - start, 10_000);
  }
});
