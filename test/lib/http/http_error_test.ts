/** Errors and JSON as responses, as RFC 9457 has them. */
import { assertEquals } from "@std/assert";
import { HttpError, jsonResponse, problemResponse } from "../../../lib/http/http_error.ts";

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
  const errors = [{ pointer: "/login", code: "too-short", detail: "Must have at least 1 character." } as const];
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

Deno.test("problemResponse() replies as RFC 9457 has it", async () => {
  const errors = [
    {
      pointer: "/password",
      code: "too-short",
      detail: "Must have at least 15 characters. It has 1.",
    } as const,
  ];
  const headers = { "retry-after": "7" };
  const reply = problemResponse(new HttpError("invalid-user", { detail: "Two fields", errors, headers }));
  assertEquals([reply.status, Object.fromEntries(reply.headers)], [422, {
    "cache-control": "no-store",
    "content-type": "application/problem+json",
    "retry-after": "7",
  }]);
  assertEquals(await reply.json(), {
    type: "/problem/invalid-user",
    title: "Invalid user",
    status: 422,
    detail: "Two fields",
    errors,
  });
});

Deno.test("problemResponse() leaves out what there is nothing of, and never tells a cause", async () => {
  const reply = problemResponse(new HttpError("internal-error", { cause: new Error("secret") }));
  assertEquals(await reply.json(), { type: "/problem/internal-error", title: "Internal error", status: 500 });
});
