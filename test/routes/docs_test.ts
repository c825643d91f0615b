import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { problems } from "../../lib/http/problem.ts";
import { openApiDocument } from "../../routes/openapi/document.ts";
import { operations, routes } from "../../routes/mod.ts";
import { openTestApp } from "../support/app.ts";

const document = openApiDocument(operations, { passwordMinLength: 15 });

async function openDocs() {
  const { send } = await openTestApp();
  return { send, ...await send("GET", "/docs/") };
}

Deno.test("/docs/ has every operation, with its method and path, and a line in the contents", async () => {
  const { text } = await openDocs();
  const operations = Object.values(document.paths).flatMap((methods) => Object.values(methods));
  assertEquals(operations.length, routes.length);
  for (const { operationId, summary } of operations) {
    assertStringIncludes(text, `<h3 id="${operationId}">${summary.replaceAll("'", "&#39;")}</h3>`);
    assertStringIncludes(text, `<a href="#${operationId}">`);
  }
  for (const { method, path } of routes) {
    const shown = path.replaceAll(/:(\w+)\*?/g, "{$1}").replaceAll("/", "<wbr>/");
    assertStringIncludes(text, `<b class="${method}">${method}</b> <code>${shown}</code>`);
  }
});

Deno.test("/docs/ explains every problem that an operation can respond with", async () => {
  const { text } = await openDocs();
  const told = new Set(text.matchAll(/<a href="\.\.\/problem\/([a-z-]+)">/g).map(([, code = ""]) => code));
  // The router's own, of which the text at the top tells.
  const expected = Object.keys(problems).filter((code) => code !== "method-not-allowed");
  assertEquals([...told].sort(), expected.sort());
});

Deno.test("/docs/ has no broken links", async () => {
  const { send, text } = await openDocs();
  const ids = text.matchAll(/ id="([^"]+)"/g).map(([, id]) => id).toArray();
  assertEquals(new Set(ids).size, ids.length);
  const links = new Set(text.matchAll(/ href="([^"]+)"/g).map(([, href = ""]) => href));
  for (const link of links) {
    if (link.startsWith("#")) assert(ids.includes(link.slice(1)), link);
    else {
      // Relative, so that it is right also where a proxy has mounted the service.
      assertMatch(link, /^\.\.\//);
      assertEquals((await send("GET", link.slice(2))).status, 200, link);
    }
  }
});

Deno.test("/docs/ runs and loads nothing, and its policy forbids it", async () => {
  const { headers, text } = await openDocs();
  assertEquals(
    text.match(/<(script|img|link|iframe|object|form)|\son\w+=|\ssrc=|\sstyle=|javascript:|url\(|@import/i),
    null,
  );
  const styles = text.matchAll(/<style>(.*?)<\/style>/gs).map(([, style]) => style).toArray();
  assertEquals(styles.length, 1);
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(styles[0])));
  assertEquals(
    headers.get("content-security-policy"),
    `default-src 'none'; style-src 'sha256-${digest.toBase64()}'; ` +
      "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  );
  assertEquals(headers.get("referrer-policy"), "no-referrer");
  assertEquals(headers.get("content-type"), "text/html; charset=utf-8");
});

Deno.test("/docs/ and /openapi.json respond 304 to clients that have them", async () => {
  for (const path of ["/docs/", "/openapi.json"]) {
    const { send } = await openTestApp();
    const etag = (await send("GET", path)).headers.get("etag") ?? "";
    const again = await send("GET", path, { headers: { "if-none-match": etag } });
    assertEquals([again.status, again.text, again.headers.get("etag")], [304, "", etag]);
    assertEquals((await send("GET", path, { headers: { "if-none-match": '"other"' } })).status, 200);
  }
});

Deno.test("/docs redirects to the page", async () => {
  const { send } = await openTestApp();
  const { status, headers } = await send("GET", "/docs");
  assertEquals([status, headers.get("location")], [308, "./docs/"]);
});

Deno.test("/docs/ has the colours of the page, light and dark", async () => {
  const coloursIn = async (path: string): Promise<string[][]> => {
    const text = await Deno.readTextFile(new URL(`../../routes/${path}`, import.meta.url));
    const [light = "", dark = ""] = text.split(/@media .*\(prefers-color-scheme: dark\)/);
    return [light, dark.split("\n}")[0] ?? ""].map((part) => part.match(/#[0-9a-f]{6}\b/g) ?? []);
  };
  const [docs, page] = [await coloursIn("docs/style.css"), await coloursIn("page/style.css")];
  docs.forEach((colours, index) => {
    assert(colours.length >= 9, `${colours}`);
    assertEquals(colours.filter((colour) => page[index]?.includes(colour) !== true), []);
  });
});
