/** Errors and JSON as responses, as RFC 9457 has them. */
import { assertEquals, assertInstanceOf } from "@std/assert";
import { HttpError, jsonResponse } from "../../../lib/http/http_error.ts";
import { maxBodyBytes, readJson } from "../../../lib/http/request_body.ts";
import { watchSignal } from "../../support/listeners.ts";
import { failing, jsonOf, post, refusalOf, streamOf } from "../../support/json_body.ts";

Deno.test("readJson() waits for no body when the service is about to stop, or does so meanwhile", async () => {
  for (const isEarly of [true, false]) {
    const stopping = new AbortController();
    const { promise: cancelled, resolve } = Promise.withResolvers<void>();
    const silent = new ReadableStream<Uint8Array<ArrayBuffer>>({ cancel: () => resolve() });
    if (isEarly) stopping.abort();
    const refused = refusalOf(post(silent), { stopping: stopping.signal });
    stopping.abort();
    assertEquals((await refused).code, "not-ready");
    await cancelled;
  }
  // What has come already is not refused.
  assertEquals(await readJson(post("{}"), { stopping: AbortSignal.abort() }), {});
});

Deno.test("readJson() leaves no listener on a signal that outlives the request, however the body ends", async () => {
  const stopping = watchSignal();
  const bodies: (() => Request)[] = [
    () => post("{}"),
    () => post(streamOf(jsonOf(maxBodyBytes + 1))),
    () => post(ReadableStream.from(failing())),
    () => post(new ReadableStream<Uint8Array<ArrayBuffer>>()),
    () => post("{"),
  ];
  for (let round = 0; round < 20; round++) {
    for (const body of bodies) {
      await readJson(body(), { stopping: stopping.signal, timeoutMs: 1 }).catch((error) =>
        assertInstanceOf(error, HttpError)
      );
    }
  }
  assertEquals([stopping.addedCount, stopping.openCount], [100, 0]);
});

Deno.test("HttpError has the status and title of its problem, and what happened in this case", () => {
  const plain = new HttpError("login-taken");
  assertEquals([plain.name, plain.code, plain.status, plain.message], [
    "HttpError",
    "login-taken",
    409,
    "Login taken",
  ]);
  assertEquals([plain.detail, plain.errors, plain.headers, plain.cause], [
    undefined,
    undefined,
    {},
    undefined,
  ]);
  const cause = new RangeError("inner");
  const headers = { "retry-after": "1" };
  const errors = [{ pointer: "/login", code: "too-short", detail: "Must have at least 1 character." }];
  const full = new HttpError("invalid-user", { detail: "In this case", errors, headers, cause });
  assertEquals([full.status, full.message, full.detail], [422, "In this case", "In this case"]);
  assertEquals([full.errors, full.headers, full.cause], [errors, headers, cause]);
});

Deno.test("jsonResponse() replies JSON that nobody stores", async () => {
  const reply = jsonResponse({ login: "älice" });
  assertEquals([reply.status, Object.fromEntries(reply.headers)], [200, {
    "cache-control": "no-store",
    "content-type": "application/json",
  }]);
  assertEquals(await reply.text(), '{"login":"älice"}');
});

Deno.test("jsonResponse() takes a status and headers, which go before its own", () => {
  const reply = jsonResponse(1, {
    status: 201,
    headers: { location: "/user/alice", "cache-control": "private" },
  });
  assertEquals([reply.status, Object.fromEntries(reply.headers)], [201, {
    "cache-control": "private",
    "content-type": "application/json",
    "location": "/user/alice",
  }]);
});
