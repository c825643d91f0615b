import { assertEquals } from "@std/assert";
import project from "../../deno.json" with { type: "json" };
import { TableStore } from "../../lib/store/memory/table_store.ts";
import { openTestApp } from "../support/app.ts";

/** A store that takes no changes for a reason, or takes them. */
class FaultyStore extends TableStore {
  reason: string | undefined = 'Cannot sync "/var/lib/gatehouse/journal-1": Input/output error (os error 5)';

  override failure(): Promise<string | undefined> {
    return Promise.resolve(this.reason);
  }
}

/** Levels, events and reasons in a log, but for those of requests. */
function eventsOf(lines: readonly string[]): unknown[][] {
  const records = lines.map((line) => JSON.parse(line)).filter(({ event }) => event !== "request");
  return records.map(({ level, event, reason }) => [level, event, reason]);
}

Deno.test("live() answers 200 with the version, and ready() 200, while all is well", async () => {
  const { send } = await openTestApp();
  for (const body of [{ status: "live", version: project.version }, { status: "ready" }]) {
    const { status, headers, json } = await send("GET", `/health/${body.status}`);
    assertEquals([status, json], [200, body]);
    assertEquals(headers.get("cache-control"), "no-store");
  }
});

Deno.test("ready() answers 503 once the service is about to stop, and live() does not", async () => {
  const stopping = new AbortController();
  const { send } = await openTestApp({ stopping: stopping.signal });
  assertEquals((await send("GET", "/health/ready")).status, 200);
  stopping.abort("SIGTERM");
  const { status, headers, json } = await send("GET", "/health/ready");
  assertEquals([status, json.type, headers.get("retry-after")], [503, "/problem/not-ready", "5"]);
  assertEquals((await send("GET", "/health/live")).status, 200);
});

Deno.test("ready() answers 503 when the store takes no changes, and live() does not", async () => {
  const { send } = await openTestApp({ store: new FaultyStore() });
  const { status, headers, json } = await send("GET", "/health/ready");
  assertEquals([status, json.type, headers.get("retry-after")], [503, "/problem/not-ready", "5"]);
  assertEquals((await send("GET", "/health/live")).status, 200);
});

Deno.test("ready() tells anyone nothing of the reason, and the log once for each change", async () => {
  const store = new FaultyStore();
  const { send, lines, clock } = await openTestApp({ store });
  const { reason } = store;
  const another = "The database cannot be reached";
  const told: unknown[][] = [];
  for (
    const [now, line] of [
      [reason, ["error", "store-not-ready", reason]],
      [another, ["error", "store-not-ready", another]],
      [undefined, ["info", "store-ready", undefined]],
      [reason, ["error", "store-not-ready", reason]],
    ] as const
  ) {
    store.reason = now;
    clock.now += 60_000;
    told.push([...line]);
    for (let probe = 0; probe < 3; probe++) {
      const { status, json } = await send("GET", "/health/ready");
      assertEquals(
        [status, json.detail],
        now === undefined ? [200, undefined] : [503, "The store cannot keep changes"],
      );
    }
    assertEquals(eventsOf(lines), told);
  }
});

Deno.test("live() and ready() have no lines in the log, whatever they answer", async () => {
  const store = new FaultyStore();
  const { send, lines } = await openTestApp({ store });
  for (const reason of [undefined, "away", "away"]) {
    store.reason = reason;
    for (const method of ["GET", "HEAD"]) {
      await send(method, "/health/live");
      await send(method, "/health/ready");
    }
  }
  assertEquals(lines.map((line) => JSON.parse(line).event), ["store-not-ready"]);
});
