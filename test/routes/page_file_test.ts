/** The files of the page, those among them that are made of npm packages. */
import { assert, assertEquals } from "@std/assert";
import { pageFiles } from "../../routes/page_file.ts";
import { openTestApp } from "../support/app.ts";

const types: Readonly<Record<string, string>> = {
  ".css": "text/css; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".svg": "image/svg+xml",
};

Deno.test("the page's files are served by their names, with their types", async () => {
  const { send } = await openTestApp();
  for (const [name, text] of pageFiles) {
    const reply = await send("GET", `/page/${name}`);
    assertEquals([reply.status, reply.text === text], [200, true], name);
    assertEquals(reply.headers.get("content-type"), types[name.slice(name.lastIndexOf("."))], name);
  }
});

Deno.test("uplot.js is a module whose default export is the class, and small", async () => {
  const text = pageFiles.get("uplot.js") ?? "";
  // It asks the browser for these when it is loaded.
  const browser = "const window = globalThis, document = undefined, devicePixelRatio = 1;\n" +
    "const matchMedia = () => ({ addEventListener() {} }), addEventListener = () => {};\n";
  const { default: UPlot } = await import(`data:text/javascript,${encodeURIComponent(browser + text)}`);
  assertEquals([typeof UPlot, typeof UPlot.paths.bars, typeof UPlot.tzDate], ["function", "function", "function"]);
  const gzip = new Blob([text]).stream().pipeThrough(new CompressionStream("gzip"));
  assert((await new Response(gzip).arrayBuffer()).byteLength < 24 * 1_024);
});
