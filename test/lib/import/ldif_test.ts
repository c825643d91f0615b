/**
 * LDIF: `files/slapcat.ldif` and `files/ldapsearch.ldif` were made by OpenLDAP 2.5 with the overlays memberof and
 * ppolicy; and files as no program writes them.
 */

import { assertEquals } from "@std/assert";
import { ldif } from "../../../lib/import/ldif.ts";
import { usableHash } from "../../../lib/passwords/stored_hash.ts";
import { foreignFile, readForeign } from "../../support/foreign_users.ts";
import { runTask } from "../../support/import.ts";
import hashes from "../passwords/hashes.json" with { type: "json" };

const rest = { registeredAt: undefined, groups: [], disabled: false };
const ssha = hashes.hashes["ldap {SSHA}"];
const sha512crypt = hashes.hashes["shadow sha512crypt"];

Deno.test("ldif reads the directory that slapcat and ldapsearch wrote", async () => {
  const files: readonly [name: string, lines: number[]][] = [
    ["slapcat", [25, 45, 62, 78, 91]],
    ["ldapsearch", [10, 17, 25, 33, 38]],
  ];
  for (const [name, lines] of files) {
    const records = await readForeign(ldif, { path: foreignFile(`${name}.ldif`) });
    assertEquals(records.map(({ line }) => line), lines);
    assertEquals(
      records.map((record) => {
        if ("reason" in record) return [record.login, record.isWithoutPassword];
        const { login, groups, disabled, passwordHash, registeredAt } = record;
        return [login, groups, disabled, usableHash(passwordHash) !== undefined, registeredAt];
      }),
      [
        ["Alice", ["staff"], false, true, Date.UTC(2026, 10, 27, 3, 52, 51)],
        ["bob", ["staff"], false, true, Date.UTC(2026, 10, 27, 3, 52, 51)],
        ["carol", ["Night, Shift"], false, true, Date.UTC(2026, 10, 27, 3, 52, 51)],
        ["dave", true],
        ["eve", [], true, true, Date.UTC(2026, 10, 27, 3, 52, 51)],
      ],
    );
  }
});

Deno.test("ldif reads every form of a line: folded lines, base64, comments, groups, dates and locks", async () => {
  const content = `version: 1
# a comment that is
  folded
dn: dc=example,dc=org
objectClass: organization
o: Example

dn: uid=alice,ou=people,dc=example,dc=org
objectClass: inetOrgPerson
uid: Ali
 ce
cn:: QWxpY2UgxIzDoXBvdsOh
jpegPhoto:: ${"QUJD".repeat(15)}
${` ${"QUJD".repeat(200_000)}\n`.repeat(2)}userPassword:: ${btoa(ssha).slice(0, 20)}
 ${btoa(ssha).slice(20)}
memberOf: cn=staff,ou=groups,dc=example,dc=org
MEMBEROF;x-option: cn=night\\2Cshift\\+1 + ou=x,dc=example
memberOf: plain
createTimestamp: 20240501120000Z
pwdAccountLockedTime: 000001010000Z

dn: cn=staff,ou=groups,dc=example,dc=org
member: uid=alice,ou=people,dc=example,dc=org


dn: uid=bob,ou=people,dc=example,dc=org
changetype: add
uid: bob
uid: robert
userPassword: {SASL}bob@EXAMPLE.ORG
userPassword: {CRYPT}$y$j9T$abc$def
userPassword: ${ssha}
userPassword: {SHA}Ri75PdiDguwy2UVzGtxSM4LwQB8=
`;
  for (const text of [content, content.replaceAll("\n", "\r\n"), content.trimEnd()]) {
    assertEquals(await readForeign(ldif, { content: text }), [
      {
        line: 8,
        login: "Alice",
        passwordHash: ssha,
        registeredAt: Date.UTC(2024, 4, 1, 12),
        groups: ["staff", "night,shift+1", "plain"],
        disabled: true,
      },
      { ...rest, line: 28, login: "bob", passwordHash: ssha },
    ]);
  }
});

Deno.test("ldif gives hashes of other programs the text of their kind", async () => {
  const rows: readonly [written: string, passwordHash: string][] = [
    [`{CRYPT}${sha512crypt}`, sha512crypt],
    ["{crypt}$1$salt$hash", "$1$salt$hash"],
    ["{BCRYPT}$2b$05$abc", "$2b$05$abc"],
    ["{ARGON2}$argon2id$v=19$abc", "{ARGON2}$argon2id$v=19$abc"],
    ["{SSHA512}abc", "{SSHA512}abc"],
    ["{CRYPT}ab01FAX.bQRSU", "{CRYPT}ab01FAX.bQRSU"],
    ["plain text", "plain text"],
  ];
  for (const [written, passwordHash] of rows) {
    const content = `dn: uid=a\nuid: a\nuserPassword: ${written}\n`;
    assertEquals(await readForeign(ldif, { content }), [{ ...rest, line: 1, login: "a", passwordHash }]);
  }
});

Deno.test("ldif takes the names of attributes from the command line, in any case", async () => {
  const content = `dn: cn=a\nMail: a@example.org\nuserpassword: ${ssha}\nnsAccountLock: FALSE\nou: Sales\nuid: 7\n`;
  const fields = { login: "mail", disabled: "nsaccountlock", groups: "OU" };
  const user = { ...rest, line: 1, login: "a@example.org", passwordHash: ssha, groups: ["Sales"] };
  assertEquals(await readForeign(ldif, { content }, fields), [user]);
  const locked = content.replace("FALSE", "TRUE");
  assertEquals(await readForeign(ldif, { content: locked }, fields), [{ ...user, disabled: true }]);
  assertEquals(await readForeign(ldif, { content }, { ...fields, groups: "" }), [{ ...user, groups: [] }]);
});

Deno.test("ldif refuses an entry that it cannot read, says which have no password, and reads the next", async () => {
  const max = 1024 * 1024;
  const rows: readonly [entry: string, reason: string, more?: Record<string, unknown>][] = [
    [`uid: a`, 'there is no "userPassword"', { login: "a", isWithoutPassword: true }],
    [`userPassword: ${ssha}`, 'there is no "uid": name the attribute of logins with --login-field'],
    [`uid: a\nuserPassword:: %%%`, 'line 2: the value of "userPassword" is not text in base64', { login: "a" }],
    [`uid: a\nuserPassword:: /w==`, 'line 2: the value of "userPassword" is not text in base64', { login: "a" }],
    [`uid: a\nuserPassword:: AGE=`, 'line 2: the value of "userPassword" is not text in base64', { login: "a" }],
    [`uid: a\nuserPassword:< file:///etc/shadow`, 'line 2: the value of "userPassword" is in another file', {
      login: "a",
    }],
    [`uid: a\nchangetype: delete`, "line 2: it is a change of an entry: export the entries themselves", { login: "a" }],
    [`{"login":"a"}`, 'line 1: it is not "attribute: value"'],
    [`uid: a\nda\0ta: b`, "line 2: the line has a NUL character", { login: "a" }],
    [`uid: a\nuserPassword: x\ncreateTimestamp: soon`, '"createTimestamp" is not a date of LDAP', { login: "a" }],
    [
      `uid: a\nuserPassword: ${`x`.repeat(600_000)}\n ${"x".repeat(600_000)}`,
      `line 2: the values of the entry have more than ${max} characters`,
      { login: "a" },
    ],
    [
      `uid: a\n${`memberOf: ${"x".repeat(600_000)}\n`.repeat(2)}`.trimEnd(),
      `line 3: the values of the entry have more than ${max} characters`,
      { login: "a" },
    ],
  ];
  for (const [entry, reason, more] of rows) {
    const content = `${entry}\n\nuid: last\nuserPassword: ${ssha}\n`;
    const line = entry.split("\n").length + 2;
    assertEquals(await readForeign(ldif, { content }), [
      { line: 1, login: undefined, reason, ...more },
      { ...rest, line, login: "last", passwordHash: ssha },
    ]);
  }
});

Deno.test("ldif reads an entry of 80 MB with a heap of 60 MB", async () => {
  const folder = await Deno.makeTempDir();
  const path = `${folder}/ldif`;
  {
    using file = await Deno.open(path, { write: true, create: true });
    const lines = new TextEncoder().encode(` ${"x".repeat(7_600)}\n`.repeat(100));
    await file.write(new TextEncoder().encode("dn: uid=a\nuid: a\njpegPhoto:: x\n"));
    for (let count = 0; count < 105; count++) await file.write(lines);
    await file.write(new TextEncoder().encode(`memberOf: cn=group\n`.repeat(200_000)));
  }
  // The resident memory of this process would also depend on when V8 collects garbage.
  const env = { DENO_V8_FLAGS: "--max-old-space-size=60" };
  const { code, stderr } = await runTask(["import", "ldif", path, "--dry-run"], { store: `${folder}/data`, env });
  assertEquals([code, /Refused .*more than/.test(stderr)], [1, true], stderr);
  await Deno.remove(folder, { recursive: true });
});
