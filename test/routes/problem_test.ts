import { assertEquals, assertStringIncludes } from "@std/assert";
import { problems } from "../../lib/http/problem.ts";
import { openTestApp } from "../support/app.ts";

for (const [code, { status, title, meaning }] of Object.entries(problems)) {
  Deno.test(`showProblem() says what ${code} means`, async () => {
    const { send } = await openTestApp();
    const reply = await send("GET", `/problem/${code}`);
    assertEquals(reply.status, 200);
    assertEquals(reply.headers.get("content-type"), "text/plain; charset=utf-8");
    for (const part of [title, String(status), meaning]) assertStringIncludes(reply.text, part);
  });
}

Deno.test("showProblem() answers 404 to a code that is none", async () => {
  const { send } = await openTestApp();
  for (
    const code of ["other", "NOT-FOUND", "__proto__", "constructor", "toString", "not-found%20", "%2e%2e%2f"]
  ) {
    const { status, json } = await send("GET", `/problem/${code}`);
    assertEquals([status, json.type], [404, "/problem/not-found"], code);
  }
});
