import { assertEquals, assertThrows } from "@std/assert";
import { parseLogo, readLogo } from "../../../lib/config/logo.ts";

const svg = '<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg"/>';
const png = "\x89PNG\r\n\x1a\nand more";

/** The name of a file and its bytes as Latin-1; `undefined` is no file. The reason why it is rejected, if it is. */
const rows: readonly [name: string, content: string | undefined, reason?: string][] = [
  ["a.svg", svg],
  ["a.PNG", png],
  ["a.svg", svg + " ".repeat(64 * 1024 - svg.length)],
  ["a.svg", svg + " ".repeat(64 * 1024 - svg.length + 1), "it has 65537 bytes, at most 65536 are allowed"],
  ["a.svg", "", "it is not an SVG file"],
  ["a.svg", png, "it is not an SVG file"],
  ["a.svg", "<svga></svga>", "it is not an SVG file"],
  ["a.png", svg, "it is not a PNG file"],
  ["a.png", png.slice(0, 7), "it is not a PNG file"],
  ["a.png", undefined, "No such file or directory"],
];

for (const [name, content, reason] of rows) {
  Deno.test(`readLogo() ${reason === undefined ? "reads" : `rejects as ${reason}:`} ${name}`, async () => {
    const folder = await Deno.makeTempDir();
    try {
      const path = `${folder}/${name}`;
      const bytes = Uint8Array.from(content ?? "", (character) => character.charCodeAt(0));
      if (content !== undefined) await Deno.writeFile(path, bytes);
      const location = parseLogo(path);
      if (location === undefined) throw new TypeError("no location");
      if (reason === undefined) assertEquals(readLogo(location), { type: location.type, bytes });
      else {
        const message = `Cannot read the logo "${path}" (GATEHOUSE_LOGO): ${reason}`;
        assertThrows(() => readLogo(location), Error, message);
      }
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });
}

Deno.test("readLogo() rejects what is no file", async () => {
  const folder = await Deno.makeTempDir({ suffix: ".svg" });
  try {
    assertThrows(() => readLogo({ path: folder, type: "image/svg+xml" }), Error, "it is not a file");
  } finally {
    await Deno.remove(folder);
  }
});
