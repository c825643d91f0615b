/**
 * Users of pickles. Those in `files/pickles/` and `files/pickles.json` were made by Python 3.11: a dict of one user
 * "alice", with the hash "x" and the date 2024-03-01T12:00:00.5, in many forms and in protocols 2 and 4.
 */

import { assert, assertEquals, assertLess, assertRejects } from "@std/assert";
import { type FieldNames, ForeignFileError, type ForeignUser } from "../../../lib/import/foreign_format.ts";
import { werkzeugPickle } from "../../../lib/import/werkzeug_pickle.ts";
import { foreignFile, readForeign } from "../../support/foreign_users.ts";

const forms: Record<string, string> = JSON.parse(await Deno.readTextFile(foreignFile("pickles.json")));
const date = Date.parse("2024-03-01T12:00:00.500Z");
const alice = { line: 1, login: "alice", passwordHash: "x", groups: [], disabled: false, id: undefined };
const advice = "plain data does not. Gatehouse runs nothing, Python would";

Deno.test("werkzeug-pickle reads the dict of protocols 1 to 5, and a dump for each user", async () => {
  const scrypt = "scrypt:32768:8:1$c3LvI270W0qvcKVr$";
  const at = Date.UTC(2024, 2, 1, 12);
  for (const name of ["protocol-1", "protocol-2", "protocol-3", "protocol-4", "protocol-5", "stream"]) {
    const records = await readForeign(werkzeugPickle, { path: foreignFile(`pickles/users-${name}.pkl`) });
    const users = records.filter((record): record is ForeignUser => !("reason" in record));
    assertEquals(users.map(({ line, login, registeredAt }) => [line, login, registeredAt]), [
      [1, "alice", at],
      [2, "Боб", at],
      // Local to where it was written.
      [3, "eve", 1_709_290_800_500],
    ]);
    assertEquals([users[0]?.passwordHash.startsWith(scrypt), users[0]?.passwordHash.length], [true, 162]);
    // Bytes that are not a text of a hash.
    assertEquals(users[2]?.passwordHash, "\x01".repeat(32));
  }
});

Deno.test("werkzeug-pickle reads records and dates of every form that Python gives them", async () => {
  const rows: Record<string, [user: Partial<ForeignUser>, fields?: Partial<FieldNames>]> = {
    "object": [{ registeredAt: date, groups: ["staff"], disabled: true }],
    "slots": [{ registeredAt: date }],
    "dict-subclass": [{ registeredAt: date }],
    "named-tuples": [{ registeredAt: date }, { login: "0", password: "1", date: "2" }],
    "ordered": [{ registeredAt: date }],
    "default": [{ registeredAt: date }],
    "hash-only": [{ registeredAt: undefined }],
    "list": [{ registeredAt: date }, { login: "login" }],
    "record": [{ registeredAt: date }, { login: "login" }],
    "bytes": [{ registeredAt: date }],
    "set-of-groups": [{ registeredAt: date, groups: ["staff"] }],
    "frozen-groups": [{ registeredAt: date, groups: ["staff"] }],
    "utc": [{ registeredAt: date }],
    "offset": [{ registeredAt: Date.parse("2024-03-01T17:30:00.500Z") }],
    "date": [{ registeredAt: Date.UTC(2024, 2, 1) }],
    "seconds": [{ registeredAt: Date.UTC(2024, 2, 1, 12) }],
    "large-seconds": [{ registeredAt: 17_092_944_000_000 }],
    "text": [{ registeredAt: Date.parse("2024-03-01T09:00:00.500Z") }],
    "none": [{ registeredAt: undefined }],
    "zone": [{ registeredAt: Date.parse("2024-03-01T09:00:00.500Z") }],
    "first-of-two": [{ registeredAt: Date.parse("2024-10-27T00:30:00Z") }],
    "second-of-two": [{ registeredAt: Date.parse("2024-10-27T01:30:00Z") }],
    "pytz-utc": [{ registeredAt: date }],
    "pytz": [{ registeredAt: Date.parse("2024-03-01T09:00:00.500Z") }],
  };
  for (const [name, base64] of Object.entries(forms)) {
    // A name and a protocol. Protocol 2 does not say which of two equal times it is.
    const [user, fields] = rows[name.slice(0, -2)] ?? [];
    const content = Uint8Array.fromBase64(base64);
    assertEquals(await readForeign(werkzeugPickle, { content }, fields), [{ ...alice, ...user }], name);
  }
  assertEquals(Object.keys(forms).length, 2 * Object.keys(rows).length - 1);
});

Deno.test("werkzeug-pickle reads texts of Python 2, which may be UTF-8", async () => {
  const pickle = "\x80\x02}(U\x05aliceU\x04\xd1\x8f\xd1\x8fU\x03bobT\x01\0\0\0xu.";
  assertEquals(await readForeign(werkzeugPickle, { content: latin1(pickle) }), [
    { ...alice, passwordHash: "яя", registeredAt: undefined },
    { ...alice, line: 2, login: "bob", registeredAt: undefined },
  ]);
});

Deno.test("werkzeug-pickle refuses a record without a hash, with a wrong date or too many fields", async () => {
  const text = (value: string) => `\x8c${String.fromCharCode(value.length)}${value}`;
  const user = (login: string, fields: string) => `${text(login)}}(${fields}u`;
  const many = Array.from({ length: 201 }, (_, index) => `${text(`f${index}`)}N`).join("");
  const pickle = `\x80\x04}(${user("a", `${text("hash")}${text("x")}`)}${user("b", `${text("name")}${text("x")}`)}` +
    `${user("c", `${text("hash")}${text("x")}${text("date")}${text("soon")}`)}${user("d", many)}` +
    `${user("e", `${text("hash")}C\x01\xff`)}K\x07${text("x")}` +
    `${user("g", `${text("hash")}${text("x")}${text("date")}G\x7f\xf0\0\0\0\0\0\0`)}u.`;
  const reasons = (await readForeign(werkzeugPickle, { content: latin1(pickle) }))
    .map((record) => [record.line, record.login, "reason" in record ? record.reason : undefined]);
  assertEquals(reasons, [
    [1, "a", undefined],
    [2, "b", 'there is no "hash"'],
    [3, "c", '"date" is not a date such as 2026-11-22T09:35:39.123Z'],
    [4, "d", "it has more than 200 fields"],
    [5, "e", '"hash" is not a text'],
    [6, undefined, "its login, the key, is not a text"],
    [7, "g", '"date" is not a date such as 2026-11-22T09:35:39.123Z'],
  ]);
});

Deno.test("werkzeug-pickle refuses a record that refers to a large value, without converting it", async () => {
  const large = (opcode: string, index: number) => `${opcode}\0\0\x10\0${"a".repeat(1_048_576)}q${index}0`;
  const text = (value: string) => `X${String.fromCharCode(value.length, 0, 0, 0)}${value}`;
  const user = (login: string, fields: string) => `${login}}(${text("hash")}${text("x")}${fields}us`;
  const pickle = `\x80\x02}${large("X", 0)}${large("B", 1)}](${"h1".repeat(201)}eq2` + "0cdatetime\ndatetime\nq30" +
    `${user("h0", "")}${user("h1", "")}${text("c")}h0s${text("d")}h1s${user(text("e"), `${text("groups")}h2`)}` +
    `${user(text("f"), `${text("date")}h3h1\x85R`)}${user(text("g"), `${text("groups")}](h1e`)}.`;
  // Numbers of the memo are bytes.
  const content = latin1(pickle.replaceAll(/[hq]([0-3])/g, (get, index) => get.charAt(0) + String.fromCharCode(index)));
  const records = await readForeign(werkzeugPickle, { content });
  assertEquals(records.map((record) => [record.line, record.login, "reason" in record ? record.reason : undefined]), [
    [1, undefined, "its login, the key, is not a text"],
    [2, undefined, "its login, the key, is not a text"],
    [3, "c", '"hash" is not a text'],
    [4, "d", '"hash" is not a text'],
    [5, "e", '"groups" is not a list of texts'],
    [6, "f", '"date" is not a date such as 2026-11-22T09:35:39.123Z'],
    [7, "g", '"groups" is not a list of texts'],
  ]);
});

Deno.test("werkzeug-pickle refuses a hostile pickle by the name of what it calls", async () => {
  const rows: readonly [source: { path: string } | { content: Uint8Array<ArrayBuffer> }, reason: string][] = [
    [{ path: foreignFile("pickles/hostile-system.pkl") }, `at byte 57: it calls posix.system, which ${advice}`],
    [{ path: foreignFile("pickles/hostile-eval.pkl") }, `at byte 73: it calls __builtin__.eval, which ${advice}`],
    [
      { path: foreignFile("pickles/users-protocol-0.pkl") },
      "at byte 2: the opcode DICT is of protocol 0, which is text",
    ],
    [
      { content: latin1(`\x80\x02${"(".repeat(100_000)}${"t".repeat(100_000)}.`) },
      "it is nested deeper than 100 levels",
    ],
    [{ content: latin1("\x80\x02}U\x05aliceU\x01xs.cos\nsystem\n(U\x02idtR.") }, `it calls os.system, which ${advice}`],
    [{ content: latin1("\x80\x02(cos\nsystem\nU\x02ido.") }, `it calls os.system, which ${advice}`],
    [
      { content: latin1("\x80\x02cbuiltins\ngetattr\ncos\npath\nU\x04join\x86R.") },
      `it calls builtins.getattr, which ${advice}`,
    ],
    [{ content: latin1("\x80\x02cos\n\x1b[2J\n)R.") }, "it has a wrong name of a function or class"],
  ];
  for (const [source, reason] of rows) {
    await assertRejects(() => readForeign(werkzeugPickle, source), ForeignFileError, reason);
  }
});

Deno.test("werkzeug-pickle refuses a pickle without records or their fields, and names those it has", async () => {
  const rows: readonly [pickle: string, reason: string, fields?: Partial<FieldNames>][] = [
    ["}.", 'no record has a field "hash": name the field of the hash by --password-field'],
    [
      "}U\x01a}U\x02pwU\x01xss.",
      'no record has a field "hash" but ["pw"]: name the field of the hash by --password-field',
    ],
    ["N.", "it has neither a dict nor a list of records"],
    ["]U\x01xa.", "it has a list: name the field with the login of a record by --login-field"],
    ["}U\x01aU\x01xs.}", "it ends within a value: it is cut, or no pickle"],
    ["}U\x01aU\x01xs.\xff", "255 is not an opcode: it is damaged, or no pickle"],
  ];
  for (const [pickle, reason, fields] of rows) {
    const content = latin1(`\x80\x02${pickle}`);
    await assertRejects(() => readForeign(werkzeugPickle, { content }, fields), ForeignFileError, reason);
  }
});

Deno.test("werkzeug-pickle reads users of one dict or list, and of a pickle each, in bounded memory", async () => {
  const text = (value: string) => `X${String.fromCharCode(value.length, 0, 0, 0)}${value}`;
  const hash = text("x".repeat(160));
  const record = (index: number) => `}(${text("hash")}${hash}${text("login")}${text(`user${index}`)}u`;
  const user = (index: number) => `${text(`user${index}`)}${record(index)}`;
  const all = (text: (index: number) => string) => Array.from({ length: 20_000 }, (_, index) => text(index)).join("");
  const rows: readonly [pickle: string, login: string][] = [
    [`\x80\x02}${all((index) => `${user(index)}s`)}.`, ""],
    [`\x80\x02]${all((index) => `${record(index)}a`)}.`, "login"],
    [all((index) => `\x80\x02}${user(index)}s.`), ""],
  ];
  for (const [pickle, login] of rows) {
    const path = await Deno.makeTempFile();
    await Deno.writeFile(path, latin1(pickle));
    const fields = { ...werkzeugPickle.fields, login } as FieldNames;
    const before = Deno.memoryUsage().rss;
    let [count, most] = [0, 0];
    for await (const user of werkzeugPickle.read({ path, fields })) {
      assert(!("reason" in user));
      if (++count % 1_000 === 0) most = Math.max(most, Deno.memoryUsage().rss - before);
    }
    await Deno.remove(path);
    assertEquals(count, 20_000);
    assertLess(most, 100_000_000);
  }
});

Deno.test("werkzeug-pickle looks once at a record of many logins, and bounds the number of records", async () => {
  // 200 names of 100 bytes each, and 300,000 references to them.
  const names = Array.from({ length: 200 }, (_, index) => `U\x64${String(index).padStart(100, "\xff")}N`).join("");
  const start = performance.now();
  const shared = latin1(`\x80\x02}(${names}uq\x000}${"(K\x01h\0u".repeat(300_000)}.`);
  await assertRejects(
    () => readForeign(werkzeugPickle, { content: shared }),
    ForeignFileError,
    "no record has a field",
  );
  assertLess(performance.now() - start, 20_000);
  const many = latin1(`\x80\x02}${`(${"K\x01N".repeat(1_000)}u`.repeat(1_001)}.`);
  const reason = "it has more than 1000000 records: write its users to several files";
  await assertRejects(() => readForeign(werkzeugPickle, { content: many }), ForeignFileError, reason);
});

function latin1(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}
