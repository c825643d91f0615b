import { assertEquals, assertNotEquals, assertRejects } from "@std/assert";
import { type Config, readConfig } from "../../../lib/config/config.ts";
import { StaticResponse } from "../../../lib/http/static_response.ts";

const request = new Request("http://gatehouse.test/page");

/** A reply that shows one setting, and how often it was made. */
function openReply() {
  const made: number[] = [];
  const reply = new StaticResponse(({ passwordMinLength }: Config) => {
    made.push(passwordMinLength);
    return { content: `at least ${passwordMinLength}`, headers: { "content-type": "text/plain" } };
  });
  return { reply, made };
}

Deno.test("StaticResponse.to() makes the reply once for each configuration", async () => {
  const { reply, made } = openReply();
  const [first, second] = ["15", "20"].map((text) => readConfig({ GATEHOUSE_PASSWORD_MIN_LENGTH: text }));
  for (const config of [first, second, first, second]) {
    if (config === undefined) continue;
    const response = await reply.to(request, config);
    assertEquals(response.status, 200);
    assertEquals(response.headers.get("content-type"), "text/plain");
    assertEquals(response.headers.get("cache-control"), "no-cache");
    assertEquals(await response.text(), `at least ${config.passwordMinLength}`);
  }
  assertEquals(made, [15, 20]);
});

Deno.test("StaticResponse.to() sends it to whoever does not have it, and 304 to whoever does", async () => {
  const { reply } = openReply();
  const config = readConfig({});
  const etag = (await reply.to(request, config)).headers.get("etag") ?? "";
  assertNotEquals(etag, "");
  for (const [value, status] of [[etag, 304], ["*", 304], [`"x", ${etag}`, 304], ['"x"', 200]] as const) {
    const response = await reply.to(new Request(request, { headers: { "if-none-match": value } }), config);
    assertEquals([response.status, response.headers.get("etag")], [status, etag], value);
    assertEquals(await response.text() === "", status === 304);
  }
});

Deno.test("StaticResponse.to() is made anew when making it failed", async () => {
  const { reply, made } = openReply();
  const config = readConfig({});
  const { digest } = crypto.subtle;
  crypto.subtle.digest = () => Promise.reject(new RangeError("no memory"));
  try {
    for (let count = 0; count < 2; count++) {
      await assertRejects(() => reply.to(request, config), RangeError, "no memory");
    }
  } finally {
    crypto.subtle.digest = digest;
  }
  assertEquals([(await reply.to(request, config)).status, made], [200, [15, 15, 15]]);
});
