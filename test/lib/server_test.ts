/** Serving and its end, within this process; `test/main/stop_test.ts` and `connection_test.ts` show it from outside. */
import { assert, assertEquals, assertGreaterOrEqual, assertLess } from "@std/assert";
import { setTimeout as delay } from "node:timers/promises";
import type { App } from "../../lib/app.ts";
import type { ConnectionInfo } from "../../lib/router.ts";
import { drain, keepServing, serve, type Server } from "../../lib/server.ts";
import { openTestApp } from "../support/app.ts";
import { watchSignal } from "../support/listeners.ts";
import { type RawReply, sendRaw } from "../support/raw_request.ts";
import { sanitized } from "../support/sanitized.ts";

const anyPort = { hostname: "127.0.0.1", port: 0 };
const get = "GET / HTTP/1.1\r\nHost: gatehouse.test\r\n\r\n";

/** A server whose requests to `/` are answered when they are let. */
interface Scene {
  readonly app: App;
  readonly address: Deno.ConnectOptions;
  readonly lines: readonly string[];
  readonly server: Server;
  readonly stopping: AbortController;
  /** Resolves when the handler has so many requests. */
  hasStarted(count: number): Promise<void>;
  /** Answers what is in flight, and what comes from now on. */
  answer(): void;
  ask(): Promise<RawReply>;
}

async function open({ drainMs }: { drainMs: number }): Promise<Scene> {
  const stopping = new AbortController();
  const { app, lines } = await openTestApp({ stopping: stopping.signal });
  const { promise, resolve } = Promise.withResolvers<void>();
  let startedCount = 0;
  const handler = async (_request: Request, _connection: ConnectionInfo) => {
    startedCount++;
    await promise;
    return new Response("answered");
  };
  const service = {
    listen: anyPort,
    setting: "GATEHOUSE_LISTEN",
    event: "listening",
    app,
    createHandler: () => handler,
    drainMs,
  };
  const server = await serve(service);
  assert("port" in server.http.addr);
  const address = { hostname: "127.0.0.1", port: server.http.addr.port };
  return {
    app,
    address,
    lines,
    server,
    stopping,
    answer: resolve,
    ask: () => sendRaw(address, [get]),
    hasStarted: async (count) => {
      for (const endsAt = Date.now() + 5_000; startedCount < count && Date.now() < endsAt;) await delay(1);
      assertEquals(startedCount, count);
    },
  };
}

/** Whether nobody listens. */
function hasRefused(asked: Promise<RawReply>): Promise<boolean> {
  return asked.then(() => false, (error) => error instanceof Deno.errors.ConnectionRefused);
}

Deno.test("drain() takes requests while it lingers, and no more after", sanitized, async () => {
  const { server, app: { log }, answer, ask, lines } = await open({ drainMs: 5_000 });
  answer();
  const startedAt = performance.now();
  const drained = drain(server, { log, lingerMs: 400, drainMs: 5_000 });
  await delay(200);
  assertEquals((await ask()).status, 200);
  await drained;
  assertGreaterOrEqual(performance.now() - startedAt, 400);
  assertLess(performance.now() - startedAt, 3_000);
  assert(await hasRefused(ask()));
  assert(!lines.join().includes("drain-cut-off"));
});

Deno.test("drain() waits for requests in flight", sanitized, async () => {
  const { server, app: { log }, answer, ask, hasStarted, lines } = await open({ drainMs: 5_000 });
  const asked = ask();
  await hasStarted(1);
  const drained = drain(server, { log, lingerMs: 0, drainMs: 5_000 });
  assertEquals(await Promise.race([drained.then(() => "drained"), delay(200).then(() => "waits")]), "waits");
  answer();
  assertEquals((await asked).body, "answered");
  await drained;
  assert(!lines.join().includes("drain-cut-off"));
});

Deno.test("drain() ends after drainMs though a request does not, and says so", sanitized, async () => {
  const { server, app: { log }, answer, ask, hasStarted, lines } = await open({ drainMs: 5_000 });
  const asked = ask();
  await hasStarted(1);
  const startedAt = performance.now();
  await drain(server, { log, lingerMs: 0, drainMs: 300 });
  assertGreaterOrEqual(performance.now() - startedAt, 299);
  assertLess(performance.now() - startedAt, 3_000);
  const { event, level, ms } = JSON.parse(lines.at(-1) ?? "");
  assertEquals([event, level, ms], ["drain-cut-off", "warn", 300]);
  // The process would end here.
  answer();
  await asked;
  await server.http.finished;
});

Deno.test("cutOff() lets requests in flight end, and then ends every connection", sanitized, async () => {
  const { server, address, answer, ask, hasStarted } = await open({ drainMs: 5_000 });
  const asked = ask();
  using idle = await Deno.connect(address);
  await hasStarted(1);
  const startedAt = performance.now();
  const cut = server.cutOff();
  assertEquals(await Promise.race([cut.then(() => "cut"), delay(200).then(() => "waits")]), "waits");
  answer();
  await cut;
  assertLess(performance.now() - startedAt, 3_000);
  assertEquals((await asked).body, "answered");
  assertEquals(await idle.read(new Uint8Array(1)), null);
  await server.http.finished;
});

Deno.test("cutOff() waits no longer than drainMs for a request", sanitized, async () => {
  const { server, answer, ask, hasStarted } = await open({ drainMs: 200 });
  const asked = ask().catch(() => undefined);
  await hasStarted(1);
  const startedAt = performance.now();
  await server.cutOff();
  assertGreaterOrEqual(performance.now() - startedAt, 199);
  assertLess(performance.now() - startedAt, 3_000);
  assertEquals((await asked)?.status ?? 0, 0);
  answer();
  await server.http.finished;
});

Deno.test(
  "keepServing() serves again at the same address, and leaves no listener of the server before",
  sanitized,
  async () => {
    const { server, app, stopping, answer, ask, lines } = await open({ drainMs: 100 });
    answer();
    const watched = watchSignal(app.stopping);
    const finished = Promise.reject(new Error("Too many open files"));
    const failed = { ...server, http: { addr: server.http.addr, shutdown: () => server.http.shutdown(), finished } };
    const serving = keepServing(failed);
    for (const endsAt = Date.now() + 5_000; lines.filter(isListening).length < 2 && Date.now() < endsAt;) {
      await delay(
        5,
      );
    }
    assertEquals((await ask()).status, 200);
    assert(lines.join().includes('"event":"accept-failed","problem":"Error: Too many open files"'));
    assertEquals(watched.openCount, 1);
    stopping.abort("SIGTERM");
    await drain(await serving, { log: app.log, lingerMs: 0 });
    assert(await hasRefused(ask()));
  },
);

function isListening(line: string): boolean {
  return line.includes('"event":"listening"');
}
