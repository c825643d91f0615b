import { assertEquals } from "@std/assert";
import { MemoryStore } from "../../lib/store/memory.ts";
import { openTestApp } from "../app.ts";

/** A store that takes no changes. */
class FaultyStore extends MemoryStore {
  override fault(): Promise<string | undefined> {
    return Promise.resolve("Cannot change the store until restart");
  }
}

Deno.test("live() and ready() answer 200 while all is well", async () => {
  const { send } = await openTestApp();
  for (const name of ["live", "ready"]) {
    const { status, headers, json } = await send("GET", `/health/${name}`);
    assertEquals([status, json], [200, { status: name }]);
    assertEquals(headers.get("cache-control"), "no-store");
  }
});

Deno.test("ready() answers 503 once the service is about to stop, and live() does not", async () => {
  const stopping = new AbortController();
  const { send } = await openTestApp({ stopping: stopping.signal });
  assertEquals((await send("GET", "/health/ready")).status, 200);
  stopping.abort("SIGTERM");
  const { status, json } = await send("GET", "/health/ready");
  assertEquals([status, json.type], [503, "/problem/not-ready"]);
  assertEquals((await send("GET", "/health/live")).status, 200);
});

Deno.test("ready() answers 503 when the store takes no changes, and live() does not", async () => {
  const { send } = await openTestApp({ store: new FaultyStore() });
  const { status, json } = await send("GET", "/health/ready");
  assertEquals([status, json.type], [503, "/problem/not-ready"]);
  assertEquals((await send("GET", "/health/live")).status, 200);
});
