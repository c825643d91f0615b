/** How one setting is read: its text, the file of it, and what of a file an error shows. */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { ConfigError, readConfig } from "../../../lib/config/config.ts";
import { wholeNumber } from "../../../lib/config/parsers.ts";
import { readSetting, type Setting, settings } from "../../../lib/config/settings.ts";

const folder = await Deno.makeTempDir({ prefix: "gatehouse settings " });
const url = "postgres://me:hunter2@db/d?sslmode=require";

function write(name: string, content: string | Uint8Array): string {
  const path = `${folder}/${name}`;
  Deno.writeFileSync(path, typeof content === "string" ? new TextEncoder().encode(content) : content);
  return path;
}

function errorsOf(env: Readonly<Record<string, string>>): readonly string[] {
  return assertThrows(() => readConfig(env), ConfigError).errors;
}

Deno.test("readConfig() reads any setting from the file of NAME_FILE, without one line break at its end", () => {
  for (const { name, default: text } of Object.values(settings)) {
    if (text === "") continue;
    const path = write("value", `${text}\n`);
    assertEquals(readConfig({ [`${name}_FILE`]: path }), { ...readConfig({}), files: [path] });
  }
  for (const end of ["", "\n", "\r\n"]) {
    assertEquals(readConfig({ GATEHOUSE_TITLE_FILE: write("title", `Вики${end}`) }).title, "Вики");
  }
});

Deno.test("readConfig() of a file shows of a database no more than the scheme", () => {
  const { store, effective } = readConfig({ GATEHOUSE_STORE_FILE: write("store", url) });
  assert("password" in store);
  assertEquals(store.password, "hunter2");
  assertEquals(effective.find(({ name }) => name === "GATEHOUSE_STORE")?.value, "postgres://…");
});

Deno.test("readConfig() names a file that cannot be used and why, and shows nothing of its text", () => {
  const missing = "No such file or directory (os error 2)";
  const rows: readonly [name: string, path: string, error: string][] = [
    ["TITLE", `${folder}/none`, `_FILE cannot be "${folder}/none": ${missing}`],
    ["TITLE", folder, `_FILE cannot be "${folder}": it is not a file`],
    ["TITLE", "", `_FILE cannot be "": ${missing}`],
    ["TITLE", write("empty", ""), `_FILE cannot be "${folder}/empty": it is empty`],
    ["TITLE", write("bytes", new Uint8Array([0x57, 0xff])), `_FILE cannot be "${folder}/bytes": it is not UTF-8`],
    [
      "RESERVED_LOGINS",
      write("large", "a,".repeat(32 * 1024) + "a"),
      `_FILE cannot be "${folder}/large": it has 65537 bytes, at most 65536 are allowed`,
    ],
    ["TITLE", write("line", "\n"), ` cannot be the text of "${folder}/line": unset it to use the default`],
    [
      "TITLE",
      write("lines", "secret\n\n"),
      ` cannot be the text of "${folder}/lines": remove the quotes or white space`,
    ],
    [
      "TITLE",
      write("mark", "\ufeffsecret"),
      ` cannot be the text of "${folder}/mark": remove the quotes or white space`,
    ],
    ["LISTEN", write("listen", "secret"), ` cannot be the text of "${folder}/listen": use ADDRESS:PORT`],
    ["TRUSTED_PROXIES", write("proxies", "::1,secret"), ` cannot be the text of "${folder}/proxies": entry 2: use`],
    ["RESERVED_LOGINS", write("logins", "$secret"), ` cannot be the text of "${folder}/logins": entry 1: use`],
    [
      "STORE",
      write("store", url.replace("require", "secret")),
      ` cannot be the text of "${folder}/store": over a network`,
    ],
    // The secret itself in the place of its path.
    ["STORE", "postgres://me:secret@db/d", `_FILE cannot be "postgres://…": ${missing}`],
  ];
  for (const [name, path, error] of rows) {
    const [shown = "", ...others] = errorsOf({ [`GATEHOUSE_${name}_FILE`]: path });
    assert(shown.startsWith(`GATEHOUSE_${name}${error}`), shown);
    assert(!shown.includes("secret"), shown);
    assertEquals(others, []);
  }
});

Deno.test("readConfig() rejects a setting and its file together, without reading the file", () => {
  assertEquals(errorsOf({ GATEHOUSE_TITLE: "Wiki", GATEHOUSE_TITLE_FILE: `${folder}/none` }), [
    "GATEHOUSE_TITLE and GATEHOUSE_TITLE_FILE are both set: unset one of them",
  ]);
});

Deno.test("readConfig() lists the errors of files among the others, and compares only what it could read", () => {
  const env = {
    GATEHOUSE_SESSION_IDLE_HOURS_FILE: `${folder}/none`,
    GATEHOUSE_SESSION_MAX_HOURS: "24",
    GATEHOUSE_STOER_FILE: "data",
    GATEHOUSE_DB_FILE: "data",
    GATEHOUSE_TITLE: "",
  };
  assertEquals(errorsOf(env), [
    "GATEHOUSE_STOER_FILE is not a setting: did you mean GATEHOUSE_STORE_FILE?",
    "GATEHOUSE_DB_FILE is not a setting: did you mean GATEHOUSE_STORE_FILE?",
    `GATEHOUSE_SESSION_IDLE_HOURS_FILE cannot be "${folder}/none": No such file or directory (os error 2)`,
    'GATEHOUSE_TITLE cannot be "": unset it to use the default',
  ]);
});

addEventListener("unload", () => Deno.removeSync(folder, { recursive: true }));

const count: Setting<number> = {
  name: "COUNT",
  default: "3",
  meaning: "",
  parse: wholeNumber(2, 4),
};

Deno.test("readSetting() returns text and value, those of the default if it is not set, or throws", () => {
  assertEquals(readSetting(count, { COUNT: "04" }), { text: "04", value: 4 });
  assertEquals(readSetting(count, {}), { text: "3", value: 3 });
  const rows = [
    ["5", 'COUNT cannot be "5": use a whole number from 2 to 4, in digits'],
    ["", 'COUNT cannot be "": unset it to use the default'],
  ] as const;
  for (const [text, message] of rows) {
    assertEquals(assertThrows(() => readSetting(count, { COUNT: text }), RangeError).message, message);
  }
});

Deno.test("readSetting() rejects quotes and white space around a value, which some env files keep", () => {
  for (const text of ['"4"', "'4'", '4"', "'4", " 4", "4 ", "4\r", "4\n", "\ufeff4"]) {
    assertThrows(() => readSetting(count, { COUNT: text }), RangeError, ": remove the quotes or white space around it");
  }
});

Deno.test("readSetting() passes on a bug in a parser", () => {
  const parse = () => {
    throw new TypeError("bug");
  };
  const broken: Setting<number> = { ...count, parse };
  assertThrows(() => readSetting(broken, { COUNT: "1" }), TypeError, "bug");
});
