import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { ConfigError, readConfig } from "../../../lib/config/config.ts";
import { parseStore } from "../../../lib/config/store_location.ts";

Deno.test("parseStore() takes the path of a folder as it is", () => {
  for (const folder of ["data", "/var/lib/gatehouse", "my data", "./~", "a~", "a$b", "it's", "данные", "-x"]) {
    assertEquals(parseStore(folder), { folder });
  }
});

Deno.test("parseStore() refuses what a shell would have replaced, and what a path hardly has", () => {
  const rows = [
    ["~", 'nothing replaces "~" here: write the path out'],
    ["~/gatehouse", 'nothing replaces "~" here: write the path out'],
    ["~gatehouse/data", 'nothing replaces "~" here: write the path out'],
    ["$HOME/data", 'nothing replaces "$" here: write the path out'],
    ["${HOME}/data", 'nothing replaces "$" here: write the path out'],
    ["da\tta", "use a path without control characters"],
    ["da\nta", "use a path without control characters"],
    ["file:///var/lib/gatehouse", "users are kept in a folder or in PostgreSQL"],
  ] as const;
  for (const [text, reason] of rows) assertThrows(() => parseStore(text), RangeError, reason);
});

Deno.test("readConfig() names the setting and what to do with a folder in quotes, and shows no password in them", () => {
  const rows = [
    ['"/var/lib/x"', '"\\"/var/lib/x\\""'],
    ["data\r", '"data\\r"'],
    ["'postgres://me:hunter2@db/d?sslmode=require'", `"'postgres://…"`],
  ] as const;
  for (const [text, shown] of rows) {
    const { faults } = assertThrows(() => readConfig({ GATEHOUSE_STORE: text }), ConfigError);
    assertStringIncludes(faults.join(), `GATEHOUSE_STORE cannot be ${shown}: leave out the quotes or white space`);
    assertEquals(faults.length, 1);
  }
});
