/** Users of Django: `files/django-auth.json` was made by `manage.py dumpdata auth` of Django 3.2. */

import { assertEquals, assertRejects } from "@std/assert";
import { django } from "../../../lib/import/django.ts";
import { ForeignFileError } from "../../../lib/import/foreign_format.ts";
import { foreignFile, readForeign } from "../../support/foreign_users.ts";

const path = foreignFile("django-auth.json");
const dumped: { model: string; fields: Record<string, unknown> }[] = JSON.parse(await Deno.readTextFile(path));
const registeredAt = Date.UTC(2024, 2, 1, 12, 0, 0, 123);

Deno.test("django reads what dumpdata wrote: hashes, dates, groups, and disabled users", async () => {
  const hashes = dumped.filter(({ model }) => model === "auth.user").map(({ fields }) => String(fields["password"]));
  const user = { registeredAt, groups: [], disabled: false, id: undefined };
  assertEquals(await readForeign(django, { path }), [
    { line: 5, ...user, login: "alice", passwordHash: hashes[0] ?? "", groups: ["staff"] },
    { line: 6, ...user, login: "Bob", passwordHash: hashes[1] ?? "", groups: ["staff", "Night Shift"], disabled: true },
    { line: 7, ...user, login: "carol@example.org", passwordHash: hashes[2] ?? "" },
    { line: 8, login: "sso", reason: 'there is no "password"', isWithoutPassword: true },
    { line: 9, ...user, login: "root2", passwordHash: hashes[4] ?? "" },
  ]);
});

Deno.test("django reads every form of dumpdata alike: by lines, users before groups, natural keys", async () => {
  const expected = (await readForeign(django, { path })).map((user) => ({ ...user, line: 0 }));
  const names = new Map<unknown, string>([[1, "staff"], [2, "Night Shift"]]);
  const natural = dumped.filter(({ model }) => model === "auth.user").map(({ model, fields }) => {
    const groups = (fields["groups"] as unknown[]).map((key) => [names.get(key)]);
    return { model, fields: { ...fields, groups } };
  });
  const forms = [
    JSON.stringify(dumped),
    dumped.map((record) => JSON.stringify(record)).join("\n"),
    JSON.stringify([...dumped.slice(4), ...dumped.slice(0, 4)]),
    JSON.stringify(natural),
  ];
  for (const content of forms) {
    assertEquals((await readForeign(django, { content })).map((user) => ({ ...user, line: 0 })), expected);
  }
});

Deno.test("django reads users of any model, with the login of the field that the command line names", async () => {
  const fields = { password: "x", last_login: null, email: "eve@example.org" };
  const content = JSON.stringify([{ model: "shop.host", fields: { password: "x" } }, {
    model: "shop.customer",
    fields,
  }]);
  const rest = { registeredAt: undefined, groups: [], disabled: false, id: undefined };
  assertEquals(await readForeign(django, { content }, { login: "email" }), [
    { line: 2, login: "eve@example.org", passwordHash: "x", ...rest },
  ]);
  assertEquals(await readForeign(django, { content }), [{ line: 2, reason: 'there is no text "username"' }]);
});

Deno.test("django refuses a user with a group that is not in the file, or a date that is no date", async () => {
  const user = { username: "eve", password: "x", last_login: null };
  const rows: readonly [fields: Record<string, unknown>, reason: string][] = [
    [{ groups: [7] }, "it is in a group that the file does not have: dump auth.Group too"],
    [{ groups: [["a"], [7]] }, "it is in a group that the file does not have: dump auth.Group too"],
    [{ date_joined: "yesterday" }, '"date_joined" is not a date such as 2026-11-22T09:35:39.123Z'],
    [{ username: 7 }, 'there is no text "username"'],
    [{ password: 7 }, '"password" is not a text'],
  ];
  for (const [fields, reason] of rows) {
    const content = JSON.stringify([{ model: "auth.user", fields: { ...user, ...fields } }]);
    const records = await readForeign(django, { content });
    assertEquals(records.map((record) => "reason" in record && record.reason), [reason]);
    assertEquals(records.map(({ login }) => login), [fields["username"] === 7 ? undefined : user.username]);
  }
});

Deno.test("django refuses a file without users, and says what it has", async () => {
  const groups = Array.from({ length: 20 }, (_, pk) => ({ model: `app.m${pk}`, pk, fields: { name: `g${pk}` } }));
  const rows: readonly [content: string, reason: string][] = [
    ['[{"model":{"toString":1}}]', "as it is empty"],
    ["[]", "as it is empty: dump the model of the users, auth.User, too"],
    [JSON.stringify([groups[0], { model: "x", fields: 7 }]), "as it has only app.m0, x: dump the model of the users"],
    [JSON.stringify(groups), "app.m8, app.m9: dump"],
    ["<django-objects/>", "as JSON after 0 records: it is another format"],
  ];
  for (const [content, reason] of rows) {
    await assertRejects(() => readForeign(django, { content }), ForeignFileError, reason);
  }
});

Deno.test("django refuses a file with more groups than it keeps", async () => {
  const group = (pk: number) => `{"model":"auth.group","pk":${pk},"fields":{"name":"g"}}`;
  const content = `[${Array.from({ length: 100_001 }, (_, pk) => group(pk)).join()}]`;
  await assertRejects(() => readForeign(django, { content }), ForeignFileError, "it has more than 100000 groups");
});
