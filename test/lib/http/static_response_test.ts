import { assertEquals, assertNotEquals, assertThrows } from "@std/assert";
import { type Config, readConfig } from "../../../lib/config/config.ts";
import { staticResponse } from "../../../lib/http/static_response.ts";

const request = new Request("http://gatehouse.test/page");

/** A response that shows one setting, and the values it was made for. */
function openPage() {
  const made: number[] = [];
  const page = staticResponse(({ passwordMinLength }: Config) => {
    made.push(passwordMinLength);
    return { content: `at least ${passwordMinLength}`, headers: { "content-type": "text/plain" } };
  });
  return { page, made };
}

Deno.test("staticResponse() makes the response once for each configuration", async () => {
  const { page, made } = openPage();
  const [first, second] = ["15", "20"].map((text) => readConfig({ GATEHOUSE_PASSWORD_MIN_LENGTH: text }));
  for (const config of [first, second, first, second]) {
    if (config === undefined) continue;
    const response = page(request, config);
    assertEquals(response.status, 200);
    assertEquals(response.headers.get("content-type"), "text/plain");
    assertEquals(response.headers.get("cache-control"), "no-cache");
    assertEquals(await response.text(), `at least ${config.passwordMinLength}`);
  }
  assertEquals(made, [15, 20]);
});

Deno.test("staticResponse() sends the response, or 304 to a client that has it", async () => {
  const { page } = openPage();
  const config = readConfig({});
  const etag = page(request, config).headers.get("etag") ?? "";
  assertNotEquals(etag, "");
  for (const [value, status] of [[etag, 304], ["*", 304], [`"x", ${etag}`, 304], ['"x"', 200]] as const) {
    const response = page(new Request(request, { headers: { "if-none-match": value } }), config);
    assertEquals([response.status, response.headers.get("etag")], [status, etag], value);
    assertEquals(await response.text() === "", status === 304);
  }
});

Deno.test("staticResponse() makes the response again if making it failed", async () => {
  let attempts = 0;
  const response = staticResponse((_: Config) => {
    if (++attempts < 3) throw new RangeError("no memory");
    return { content: "text", headers: {} };
  });
  const config = readConfig({});
  for (let count = 0; count < 2; count++) assertThrows(() => response(request, config), RangeError, "no memory");
  assertEquals([await response(request, config).text(), attempts], ["text", 3]);
});
