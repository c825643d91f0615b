/** A change by cookie that only `Origin` vouches for, over a real connection that has no `Host` header. */
import { assertEquals } from "@std/assert";
import { connect } from "node:http2";
import { alice } from "../support/app.ts";
import { addressOf, sendRaw } from "../support/raw_request.ts";
import { type RunningService, startService } from "../support/service.ts";

/** Registers and logs in. @returns the Cookie header */
async function cookieOfAlice({ url }: RunningService): Promise<string> {
  const post = async (path: string, value: unknown) => {
    const headers = { "content-type": "application/json" };
    const response = await fetch(url + path, { method: "POST", headers, body: JSON.stringify(value) });
    assertEquals([response.status, await response.json().then(({ login }) => login)], [201, "alice"]);
    return response;
  };
  await post("/user/", alice);
  const { headers } = await post("/session/", { ...alice, cookie: true });
  return headers.getSetCookie().find((one) => one.startsWith("__Host-gatehouse="))?.split(";")[0] ?? "";
}

/** Sends one request over HTTP/2 without TLS, as a proxy does that speaks it to its upstream. */
async function statusOverHttp2(url: string, headers: Readonly<Record<string, string>>): Promise<number> {
  const client = connect(url);
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  client.on("error", reject);
  const stream = client.request(headers);
  stream.on("error", reject);
  stream.on("response", (head) => resolve(Number(head[":status"])));
  stream.resume();
  stream.end();
  try {
    return await promise;
  } finally {
    client.close();
  }
}

Deno.test("over HTTP/2, which has no Host, a change by cookie is taken from this origin alone", async () => {
  await using service = await startService();
  const { url } = service;
  const cookie = await cookieOfAlice(service);
  const change = { ":method": "DELETE", ":path": "/session/", cookie };
  assertEquals(await statusOverHttp2(url, { ...change, origin: "https://evil.example" }), 403);
  assertEquals(await statusOverHttp2(url, change), 403);
  assertEquals(await statusOverHttp2(url, { ...change, origin: url.replace("http:", "https:") }), 204);
});

Deno.test("by an absolute address without Host a change by cookie is taken from this origin alone", async () => {
  await using service = await startService();
  const cookie = await cookieOfAlice(service);
  const statusFrom = async (origin: string) => {
    const lines = ["DELETE http://gate.example/session/ HTTP/1.1", `Cookie: ${cookie}`, `Origin: ${origin}`];
    return (await sendRaw(addressOf(service.url), [`${lines.join("\r\n")}\r\n\r\n`])).status;
  };
  assertEquals(await statusFrom("https://evil.example"), 403);
  assertEquals(await statusFrom("https://gate.example"), 204);
});
