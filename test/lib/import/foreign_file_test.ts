/** Lines of files that are damaged, of another encoding, or made to exhaust memory. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { maxLineBytes, readForeignText, readLines } from "../../../lib/import/foreign_file.ts";
import { ForeignFileError } from "../../../lib/import/foreign_format.ts";

const encoder = new TextEncoder();

Deno.test("readLines() numbers lines of either end, with and without a mark, and the last without an end", async () => {
  const rows: readonly [text: string, lines: readonly string[]][] = [
    ["", []],
    ["a\nb\n", ["a", "b"]],
    ["a\r\nb\r\n", ["a", "b"]],
    ["\ufeffa\n\nb", ["a", "", "b"]],
    ["a\n\ufeffb\n", ["a", "\ufeffb"]],
    ["a\rb\n", ["a\rb"]],
    ["é\u{1f3f0}\n", ["é\u{1f3f0}"]],
    // A line that ends where a chunk does, and others across chunks.
    [`${"x".repeat(256 * 1024 - 1)}\n${"y".repeat(600 * 1024)}\nz`, [
      "x".repeat(256 * 1024 - 1),
      "y".repeat(600 * 1024),
      "z",
    ]],
  ];
  for (const [text, lines] of rows) {
    assertEquals(await linesOf(encoder.encode(text)), lines.map((text, index) => ({ line: index + 1, text })));
  }
});

Deno.test("readLines() refuses a line with NUL, another encoding or too many bytes, and reads the next", async () => {
  const longest = "x".repeat(maxLineBytes);
  const rows: readonly [bytes: Uint8Array, reason: string | undefined][] = [
    [encoder.encode("a\0b"), "the line has a NUL character"],
    [Uint8Array.of(0x61, 0xe9), "the line is not UTF-8: convert the file to UTF-8"],
    [encoder.encode(longest), undefined],
    [encoder.encode(`${longest}\r`), undefined],
    [encoder.encode(`${longest}x`), "the line has more than 1048576 bytes"],
    [encoder.encode("x".repeat(5 * maxLineBytes)), "the line has more than 1048576 bytes"],
  ];
  for (const [bytes, reason] of rows) {
    for (const end of ["\n", ""]) {
      const [first, ...rest] = await linesOf(
        new Uint8Array(await new Blob([bytes as BlobPart, end, end && "next"]).arrayBuffer()),
      );
      assertEquals(first !== undefined && "reason" in first ? first.reason : undefined, reason);
      assertEquals(rest, end === "" ? [] : [{ line: 2, text: "next" }]);
    }
  }
});

Deno.test("readLines() reads a line of 400 MB in bounded memory", async () => {
  const path = await Deno.makeTempFile();
  {
    using file = await Deno.open(path, { write: true });
    // A sparse file: NUL, but too long first.
    await file.truncate(400 * 1024 * 1024);
  }
  const before = Deno.memoryUsage().rss;
  let most = 0;
  for await (const line of readLines(path)) {
    most = Math.max(most, Deno.memoryUsage().rss - before);
    assertEquals(line, { line: 1, reason: "the line has more than 1048576 bytes" });
  }
  // Resident memory also depends on when V8 collects garbage.
  assert(most < 200 * 1024 * 1024, `${most} bytes`);
  await Deno.remove(path);
});

Deno.test("files that cannot be read are named with the reason, by lines and as a whole", async () => {
  const folder = await Deno.makeTempDir();
  const at = (name: string) => `${folder}/${name}`;
  await Deno.writeFile(at("utf-16"), Uint8Array.of(0xff, 0xfe, 0x61, 0x00));
  await Deno.writeFile(at("big-endian"), Uint8Array.of(0xfe, 0xff, 0x00, 0x61));
  await new Deno.Command("mkfifo", { args: [at("pipe")] }).output();
  const rows: readonly [name: string, reason: string][] = [
    ["missing", `Cannot read "${at("missing")}": No such file or directory (os error 2)`],
    [".", `Cannot read "${at(".")}" as it is not a file: name a regular file`],
    ["pipe", `Cannot read "${at("pipe")}" as it is not a file: name a regular file`],
    ["utf-16", `Cannot read "${at("utf-16")}" as it is UTF-16: convert it to UTF-8`],
    ["big-endian", `Cannot read "${at("big-endian")}" as it is UTF-16: convert it to UTF-8`],
  ];
  for (const [name, reason] of rows) {
    for (const read of [() => Array.fromAsync(readLines(at(name))), () => readForeignText(at(name), 100)]) {
      assertEquals((await assertRejects(read, ForeignFileError)).message, reason);
    }
  }
});

Deno.test("readForeignText() reads UTF-8 without its mark, up to a size", async () => {
  const path = await Deno.makeTempFile();
  await Deno.writeTextFile(path, "\ufeffé\n");
  assertEquals(await readForeignText(path, 6), "é\n");
  const error = await assertRejects(() => readForeignText(path, 5), ForeignFileError);
  assertEquals(error.message, `Cannot read "${path}" as it has 6 bytes: at most 5 are read at once`);
  await Deno.writeFile(path, Uint8Array.of(0xe9));
  await assertRejects(() => readForeignText(path, 5), ForeignFileError, "as it is not UTF-8: convert it to UTF-8");
});

async function linesOf(bytes: Uint8Array) {
  const path = await Deno.makeTempFile();
  await Deno.writeFile(path, bytes);
  return await Array.fromAsync(readLines(path));
}
