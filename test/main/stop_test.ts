/** The end of the service by a signal: what is in flight is answered, and nothing that was acknowledged is lost. */
import { assert, assertEquals, assertGreater, assertLess, assertStringIncludes } from "@std/assert";
import { setTimeout as delay } from "node:timers/promises";
import { inspect } from "../../lib/tasks/inspect.ts";
import { addressOf, rawPost, sendRaw } from "../support/raw_request.ts";
import { type RunningService, startService } from "../support/service.ts";

const password = "seven purple wombats sing";
/** Some 80 ms a hash: five for each core are under way when the first is done, and all well before 5 s are over. */
const slow = { GATEHOUSE_PBKDF2_ITERATIONS: "500000" };
const slowCount = 5 * navigator.hardwareConcurrency;

/** Registers a login. @returns the status, 0 when nobody answered */
async function register({ url }: RunningService, login: string): Promise<number> {
  try {
    return (await sendRaw(addressOf(url), [rawPost("/user/", JSON.stringify({ login, password }))])).status;
  } catch {
    return 0;
  }
}

async function loginsIn(folder: string): Promise<Set<string>> {
  return new Set(await Array.fromAsync(inspect(folder), (line) => JSON.parse(line).login));
}

/** Stops it by `signal`. @returns the status, and how long it took in milliseconds */
async function stopAndMeasure(service: RunningService, signal: Deno.Signal): Promise<{ code: number; ms: number }> {
  const startedAt = performance.now();
  const { code } = await service.stop(signal);
  return { code, ms: performance.now() - startedAt };
}

async function waitForRefusal({ url }: RunningService): Promise<void> {
  for (const startedAt = performance.now(); performance.now() - startedAt < 2_000;) {
    try {
      (await Deno.connect(addressOf(url))).close();
      await delay(20);
    } catch (error) {
      assert(error instanceof Deno.errors.ConnectionRefused, String(error));
      return;
    }
  }
  throw new Error("Connections are still accepted");
}

/** A connection on which a request has begun, of which a byte a second comes, and never the last. */
async function drip({ url }: RunningService, beginning: string): Promise<{ reply(): string; close(): void }> {
  const connection = await Deno.connect(addressOf(url));
  const write = (text: string) => connection.write(new TextEncoder().encode(text)).catch(() => clearInterval(timer));
  const timer = setInterval(() => write("a"), 1_000);
  await write(beginning);
  const reading = readAll(connection);
  const close = () => {
    clearInterval(timer);
    connection.close();
  };
  return { reply: () => reading.text, close };
}

function readAll(connection: Deno.Conn): { text: string } {
  const read = { text: "" };
  const buffer = new Uint8Array(4_096);
  (async () => {
    while (true) {
      const count = await connection.read(buffer);
      if (count === null) return;
      read.text += new TextDecoder().decode(buffer.subarray(0, count));
    }
  })().catch(() => {});
  return read;
}

for (const signals of [["SIGTERM"], ["SIGINT", "SIGINT"], ["SIGHUP"]] as const) {
  Deno.test(`${signals.join(" and ")} lets what is in flight end, and soon takes nothing new`, async () => {
    await using service = await startService({ env: slow });
    const logins = Array.from({ length: slowCount }, (_, index) => `user${index}`);
    const inFlight = Promise.all(logins.map((login) => register(service, login)));
    await waitForLog(service, '"status":201');
    for (const signal of signals) {
      Deno.kill(service.pid, signal);
      await delay(50);
    }
    await waitForLog(service, '"event":"stopping"');
    const answeredBefore = service.log().split('"status":201').length - 1;
    assertGreater(logins.length - answeredBefore, 0, "some were in flight");
    // What is on its way is taken for a moment, see the restarts in test/caddy/Caddyfile_test.ts.
    await waitForRefusal(service);

    // A signal that does nothing: it is stopping already.
    const { code, ms } = await stopAndMeasure(service, "SIGCONT");
    assertEquals(code, 0);
    assertLess(ms, 10_000);
    assertEquals(await inFlight, logins.map(() => 201), service.log());
    const kept = await loginsIn(service.folder);
    assertEquals(logins.filter((login) => !kept.has(login)), []);
    assertEquals(service.log().split('"event":"stopping"').length - 1, 1);
  });
}

Deno.test("SIGTERM under load loses no registration that was acknowledged", async () => {
  await using service = await startService();
  const acknowledged: string[] = [];
  const statuses = new Set<number>();
  let isStopping = false;
  const worker = async (name: number) => {
    for (let count = 0; !isStopping; count++) {
      const login = `user-${name}-${count}`;
      const status = await register(service, login);
      statuses.add(status);
      if (status === 201) acknowledged.push(login);
    }
  };
  const workers = Array.from({ length: 32 }, (_, name) => worker(name));
  await delay(1_000);
  const { code, ms } = await stopAndMeasure(service, "SIGTERM");
  isStopping = true;
  await Promise.all(workers);
  assertEquals(code, 0);
  assertLess(ms, 10_000);
  assertEquals([...statuses].sort(), [0, 201], "answered, or not let in");
  assertGreater(acknowledged.length, 32);
  const kept = await loginsIn(service.folder);
  assertEquals(acknowledged.filter((login) => !kept.has(login)), []);

  await using again = await startService({ env: { GATEHOUSE_STORE: service.folder } });
  const body = JSON.stringify({ login: acknowledged.at(-1), password });
  assertEquals((await sendRaw(addressOf(again.url), [rawPost("/session/", body)])).status, 201);
});

Deno.test("SIGTERM ends a service that nothing keeps at once, though clients hold connections", async () => {
  await using service = await startService();
  using connection = await Deno.connect(addressOf(service.url));
  await fetch(`${service.url}/health/live`).then((response) => response.body?.cancel());
  await connection.write(new TextEncoder().encode("GET /health/live HTTP/1.1\r\n"));
  const { code, ms } = await stopAndMeasure(service, "SIGTERM");
  assertEquals(code, 0);
  assertLess(ms, 4_000);
});

Deno.test("SIGTERM ends within 10 s although a client drips its body, and answers that the service stops", async () => {
  await using service = await startService();
  const head = rawPost("/user/", "x".repeat(100)).slice(0, -99);
  const dripping = await drip(service, head);
  await delay(300);
  const { code, ms } = await stopAndMeasure(service, "SIGTERM");
  dripping.close();
  assertEquals(code, 0);
  assertLess(ms, 10_000);
  assertStringIncludes(dripping.reply(), "HTTP/1.1 503 ");
  assertStringIncludes(dripping.reply(), '"/problem/not-ready"');
  assert(!service.log().includes('"level":"error"'));
});

/** Waits until it has said so. */
async function waitForLog(service: RunningService, text: string): Promise<void> {
  const deadline = Date.now() + 10_000;
  while (!service.log().includes(text)) {
    if (Date.now() > deadline) throw new Error(`Waited for ${text} in vain:\n${service.log()}`);
    await delay(5);
  }
}
