/** Lists of objects in files of JSON that are damaged, of another shape, or made to exhaust memory. */

import { assertEquals, assertLess, assertRejects } from "@std/assert";
import { ForeignFileError } from "../../../lib/import/foreign_format.ts";
import { objectOf, readJsonObjects } from "../../../lib/import/json_objects.ts";

const top = ["", "["];
const nested = ["{[", "[{["];

Deno.test("readJsonObjects() yields each object of the lists, and nothing of others", async () => {
  const rows: readonly [text: string, within: readonly string[], objects: readonly unknown[]][] = [
    ["[]", top, []],
    ['[{"a":1},{"b":[{"c":2}]}]', top, [{ a: 1 }, { b: [{ c: 2 }] }]],
    [' {"a":1}\n{"b":2}\n', top, [{ a: 1 }, { b: 2 }]],
    ['\ufeff[{"a":"]}\\"{["}]', top, [{ a: ']}"{[' }]],
    ['[[{"a":1}],7,"{}"]', top, []],
    ['{"x":[{"a":1},{"y":[{"b":2}]}],"z":{"y":[{"c":3}]}}', nested, [{ a: 1 }, { y: [{ b: 2 }] }]],
    ['[{"x":[{"a":1}]},{"y":[[{"a":2}]],"x":[{"a":3}]}]', nested, [{ a: 1 }, { a: 3 }]],
    [`[{"a":"${"é".repeat(200_000)}"},{"b":2}]`, top, [{ a: "é".repeat(200_000) }, { b: 2 }]],
  ];
  for (const [text, within, objects] of rows) assertEquals(await objectsOf(text, within), objects);
});

Deno.test("readJsonObjects() refuses what is not JSON, is cut, too deep or too long, without its text", async () => {
  const after = "as JSON after";
  const rows: readonly [text: string | Uint8Array<ArrayBuffer>, reason: string][] = [
    ["", `${after} 0 records: the file is empty`],
    ["alice:secret", `${after} 0 records: it is another format`],
    ["<xml/>", `${after} 0 records: it is another format`],
    ['[{"a":1}', `${after} 1 records: the file ends within a value: is it whole?`],
    ['[{"a":1},{"a":"', `${after} 1 records: the file ends within a value: is it whole?`],
    ['[{"a":1]}', `${after} 0 records: its brackets do not match`],
    ["]", `${after} 0 records: its brackets do not match`],
    ['[{"a":1},{"secret"}]', `${after} 1 records: the next one is not JSON in UTF-8`],
    [Uint8Array.of(0x5b, 0x7b, 0x22, 0xff, 0x22, 0x7d), `${after} 0 records: the next one is not JSON in UTF-8`],
    ["[".repeat(65), `${after} 0 records: its values are nested deeper than 64`],
    [`[{"a":"${"x".repeat(4_194_305)}"}]`, `${after} 0 records: the next one has more than 4194304 bytes`],
  ];
  for (const [text, reason] of rows) {
    const error = await assertRejects(() => objectsOf(text, top), ForeignFileError, reason);
    assertEquals(error.message.includes("secret"), false);
  }
});

Deno.test("readJsonObjects() reads a file of 150 MB in bounded memory", async () => {
  const object = `{"a":"${"x".repeat(1_000)}"}`;
  const path = await Deno.makeTempFile();
  using file = await Deno.open(path, { write: true });
  const block = new TextEncoder().encode(`${object},`.repeat(1_000));
  file.writeSync(new TextEncoder().encode("["));
  for (let count = 0; count < 150; count++) file.writeSync(block);
  file.writeSync(new TextEncoder().encode(`${object}]`));
  let [count, most] = [0, 0];
  const before = Deno.memoryUsage().rss;
  for await (const _ of readJsonObjects(path, top)) {
    if (++count % 1_000 === 0) most = Math.max(most, Deno.memoryUsage().rss - before);
  }
  await Deno.remove(path);
  assertEquals(count, 150_001);
  // Resident memory also depends on when V8 collects garbage.
  assertLess(most, 120_000_000);
});

Deno.test("objectOf() returns objects only", () => {
  const values = [{ a: 1 }, [], null, "text", undefined];
  assertEquals(values.map(objectOf), [{ a: 1 }, undefined, undefined, undefined, undefined]);
});

async function objectsOf(content: string | Uint8Array<ArrayBuffer>, within: readonly string[]): Promise<unknown[]> {
  const path = await Deno.makeTempFile();
  try {
    await Deno.writeFile(path, typeof content === "string" ? new TextEncoder().encode(content) : content);
    return await Array.fromAsync(readJsonObjects(path, within));
  } finally {
    await Deno.remove(path);
  }
}
