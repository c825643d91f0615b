/** The operation of the socket in the data folder. */
import { assert, assertEquals } from "@std/assert";
import { createRouter } from "../../lib/router.ts";
import { operatorRoute } from "../../routes/operator.ts";
import { routes } from "../../routes/mod.ts";
import { auditOf, openWithAlice } from "../support/accounts.ts";
import type { TestApp } from "../support/app.ts";

async function ask({ app }: TestApp, body: unknown, served: typeof routes | [typeof operatorRoute] = [operatorRoute]) {
  const headers = { "content-type": "application/json" };
  const request = new Request("http://localhost/operator", { method: "POST", headers, body: JSON.stringify(body) });
  const remoteAddr = { transport: "unix", path: "" } as const;
  const response = await createRouter(served, app)(request, { remoteAddr });
  return { status: response.status, ...await response.json() };
}

Deno.test("operatorRoute makes a ticket, and logs that it was made on the machine, without its code", async () => {
  const opened = await openWithAlice();
  const before = opened.lines.length;
  const { status, text } = await ask(opened, { action: "reset", login: "alice" });
  assertEquals(status, 200);
  const code = /: ([\w-]{43})$/m.exec(text)?.[1] ?? "";
  assert(code !== "");
  const lines = opened.lines.slice(before);
  assertEquals(lines.filter((line) => line.includes(code)), []);
  const [{ ticket, requestId, ...event } = {}, ...rest] = auditOf(lines);
  assertEquals([typeof ticket, typeof requestId, rest], ["string", "string", []]);
  assertEquals(event, {
    event: "ticket-made",
    onMachine: true,
    purpose: "reset",
    user: "alice",
    clientAddress: "unix",
  });
});

Deno.test("operatorRoute says what it cannot do, and logs no event", async () => {
  const opened = await openWithAlice();
  const before = opened.lines.length;
  assertEquals(await ask(opened, { action: "reset", login: "bob" }), { status: 409, text: 'There is no user "bob"' });
  for (const body of [{ action: "reset" }, { login: "alice" }, { action: 1, login: "alice" }, [], "reset"]) {
    const { status, type } = await ask(opened, body);
    assertEquals([status, type], [422, "/problem/invalid-ticket"]);
  }
  assertEquals(auditOf(opened.lines.slice(before)), []);
});

Deno.test("no address but the socket serves operatorRoute", async () => {
  const opened = await openWithAlice();
  const { status } = await ask(opened, { action: "reset", login: "alice" }, routes);
  assertEquals(status, 404);
});
