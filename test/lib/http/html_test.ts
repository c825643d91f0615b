import { assertEquals, assertThrows } from "@std/assert";
import { html, trustedStyle } from "../../../lib/http/html.ts";

Deno.test("html() escapes what is put in, for text and for attributes in either quotes", () => {
  const text = `<script>"it's" & more</script>`;
  const escaped = "&lt;script&gt;&quot;it&#39;s&quot; &amp; more&lt;/script&gt;";
  assertEquals(html`<p title="${text}">${text}</p>`.toString(), `<p title="${escaped}">${escaped}</p>`);
});

Deno.test("html() takes what it made as it is, alone and in lists", () => {
  const items = ["a", "<b>"].map((item) => html`<li>${item}</li>`);
  assertEquals(html`<ul>${items}</ul>${[[html`<hr>`]]}`.toString(), "<ul><li>a</li><li>&lt;b&gt;</li></ul><hr>");
});

Deno.test("html() writes numbers, and nothing for what is not there", () => {
  assertEquals(html`${0} ${undefined}${false}${""}${[]}.`.toString(), "0 .");
});

Deno.test("html() does not take a text for HTML because it looks like it", () => {
  const made = html`<b>`;
  assertEquals(html`${made.toString()}`.toString(), "&lt;b&gt;");
});

Deno.test("trustedStyle() makes a style element as it was written, and refuses what could end it", () => {
  assertEquals(trustedStyle('a > b { color: "red" }').toString(), '<style>a > b { color: "red" }</style>');
  assertThrows(() => trustedStyle("a {}</style>"), TypeError, "Cannot make a style element");
});
