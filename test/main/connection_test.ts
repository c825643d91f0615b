/**
 * Connections that are idle or slow, without Caddy before the service: they cost memory and descriptors, and nobody
 * else's time; and when all descriptors are taken, they are cut off.
 */

import { assert, assertEquals, assertLess, assertStringIncludes } from "@std/assert";
import { setTimeout as delay } from "node:timers/promises";
import { inspect } from "../../lib/tasks/inspect.ts";
import { HeldConnections, type HoldOptions } from "../support/held_connections.ts";
import { ensureProgram } from "../support/packages.ts";
import { type Address, addressOf, rawPost, sendRaw } from "../support/raw_request.ts";
import { startService } from "../support/service.ts";
import { startSocketService } from "../support/socket_service.ts";

const hasPrlimit = await ensureProgram("prlimit", "util-linux");
const password = "seven purple wombats sing";

/** Half a head. */
const slowHead = "GET /health/live HTTP/1.1\r\nHost: gatehouse.test\r\nX-Slow: ";
const jsonHeaders = "Host: gatehouse.test\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n";
/** A head, and the first byte of a body. */
const slowBody = `POST /user/ HTTP/1.1\r\n${jsonHeaders}{`;
/** What is answered at once, though its body has not come. */
const unsentBodies = [`POST /nowhere HTTP/1.1\r\n${jsonHeaders}`, `GET /health/live HTTP/1.1\r\n${jsonHeaders}`];
/** HTTP/2 without TLS, which Deno speaks, up to its first and empty settings (RFC 9113, 3.4). */
const idleHttp2 = new Uint8Array([
  ...new TextEncoder().encode("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
  ...[0, 0, 0, 4, 0, 0, 0, 0, 0],
]);

Deno.test("2,000 idle, 500 slow and 200 dripping connections keep nobody else from the service", async () => {
  await using service = await startService();
  const address = addressOf(service.url);
  const before = await residentBytes(service.pid);
  using dripping = await hold(address, { count: 200, sent: slowBody });
  dripping.drip(" ", 500);
  using idle = await hold(address, { count: 2_000 });
  using slow = await hold(address, { count: 500, sent: slowHead });
  slow.drip("a", 500);
  using unread = await hold(address, { count: 50, sent: docsRequests(100), isRead: false });
  assertEquals([dripping.openCount, idle.openCount, slow.openCount, unread.openCount], [200, 2_000, 500, 50]);

  for (let count = 0; count < 20; count++) assertEquals(await registerAndLogIn(address, `user${count}`), [201, 201]);
  assertEquals(await ready(address), 200);
  const perConnection = (await residentBytes(service.pid) - before) / 2_750;
  assertLess(perConnection, 100_000);

  // A body has 10 s, of which this one takes 3.
  assertEquals(
    (await sendRaw(address, inPieces(rawPost("/user/", JSON.stringify({ login: "alice", password }))))).status,
    201,
  );
  // Then its connection ends, even as more comes.
  await until(() => dripping.openCount === 0);
  assertEquals(dripping.replies.length, 200);
  for (const reply of dripping.replies) {
    assertStringIncludes(reply, "HTTP/1.1 408 ");
    assertStringIncludes(reply.toLowerCase(), "\r\nconnection: close\r\n");
    assertStringIncludes(reply, '"/problem/slow-body"');
  }
  assertEquals(await registerAndLogIn(address, "late"), [201, 201]);
  unread[Symbol.dispose]();
  // Nor do they keep it from its end.
  assertEquals((await service.stop()).code, 0);
  assert(!/drain-cut-off|"level":"error"/.test(service.log()), service.log());
});

Deno.test({
  name: "the service whose descriptors run out answers what is in flight, cuts off all connections, and serves on",
  ignore: !hasPrlimit,
  async fn() {
    await using service = await startService({ env: { GATEHOUSE_PBKDF2_ITERATIONS: "500000" } });
    const address = addressOf(service.url);
    await limitDescriptors(service.pid, 200);
    const kept: string[] = [];
    for (const [index, sent] of ["", slowHead, slowBody, ...unsentBodies, idleHttp2].entries()) {
      const inFlight = Array.from({ length: 4 }, (_, count) => `user${index}-${count}`);
      const registering = inFlight.map((login) => register(address, login));
      // Some 80 ms a hash, for as many at once as there are cores: the others wait for it.
      await Promise.race(registering);
      using held = await hold(address, { count: 300, sent });
      assertEquals(await Promise.all(registering), inFlight.map(() => 201), `${sent}`);
      // They do not go away by themselves, and more may have come than one time was enough for.
      assertEquals(await registerSoon(address, `while${index}`), 201, `${sent}`);
      assertLess(held.openCount, 200);
      if (sent === slowBody) assert(held.replies.some((reply) => reply.startsWith("HTTP/1.1 503 ")));
      kept.push(...inFlight, `while${index}`);
    }
    assertStringIncludes(service.log(), '"event":"accept-failed"');
    assertEquals(await ready(address), 200);
    await service.kill();
    const found = new Set(await Array.fromAsync(inspect(service.folder), (line) => JSON.parse(line).login));
    assertEquals(kept.filter((login) => !found.has(login)), []);
  },
});

Deno.test({
  name: "the service whose descriptors are held by clients that do not read serves again when they are gone",
  ignore: !hasPrlimit,
  async fn() {
    await using service = await startService();
    const address = addressOf(service.url);
    await limitDescriptors(service.pid, 200);
    {
      using held = await hold(address, { count: 300, sent: docsRequests(100), isRead: false });
      assertLess(100, held.openCount);
      await until(() => service.log().includes('"event":"accept-failed"'));
      // Deno cannot end them; the service waits.
      await delay(500);
    }
    assertEquals(await registerSoon(address, "alice"), 201);
    assertEquals((await service.stop()).code, 0);
  },
});

Deno.test({
  name: "the service on a unix socket whose descriptors run out serves there again",
  ignore: !hasPrlimit,
  async fn() {
    await using service = await startSocketService();
    await limitDescriptors(service.pid, 200);
    const address: Address = { transport: "unix", path: service.path };
    using _held = await hold(address, { count: 300 });
    assertEquals(await registerSoon(address, "alice"), 201, service.log());
    assertStringIncludes(service.log(), '"event":"accept-failed"');
    assertEquals((await service.stop()).code, 0);
  },
});

function hold(address: Address, options: HoldOptions): Promise<HeldConnections> {
  return HeldConnections.open(() => "path" in address ? Deno.connect(address) : Deno.connect(address), options);
}

/** So much to answer on one connection that the buffers of the system do not take it. */
function docsRequests(count: number): string {
  return "GET /docs/ HTTP/1.1\r\nHost: gatehouse.test\r\n\r\n".repeat(count);
}

/** The head with the first of four pieces of the body, and each other a second later. */
async function* inPieces(request: string): AsyncGenerator<string> {
  const bodyAt = request.indexOf("{");
  const pieceLength = Math.ceil((request.length - bodyAt) / 4);
  for (let at = 0, end = bodyAt + pieceLength; at < request.length; at = end, end += pieceLength) {
    if (at > 0) await delay(1_000);
    yield request.slice(at, end);
  }
}

/** @returns the status */
async function register(address: Address, login: string): Promise<number> {
  return (await sendRaw(address, [rawPost("/user/", JSON.stringify({ login, password }))])).status;
}

/** Waits until `isSo`, 20 s at most: what comes next tells what is not. */
async function until(isSo: () => boolean): Promise<void> {
  for (const endsAt = Date.now() + 20_000; !isSo() && Date.now() < endsAt;) await delay(20);
}

/** Tries until somebody answers, 15 s at most. @returns the status, 0 when nobody did */
async function registerSoon(address: Address, login: string): Promise<number> {
  for (const endsAt = Date.now() + 15_000; Date.now() < endsAt;) {
    const status = await register(address, login).catch(() => 0);
    if (status !== 0) return status;
    await delay(20);
  }
  return 0;
}

/** @returns both statuses */
async function registerAndLogIn(address: Address, login: string): Promise<number[]> {
  const registered = await register(address, login);
  const { status } = await sendRaw(address, [rawPost("/session/", JSON.stringify({ login, password }))]);
  return [registered, status];
}

/** @returns the status */
async function ready(address: Address): Promise<number> {
  return (await sendRaw(address, ["GET /health/ready HTTP/1.1\r\nHost: gatehouse.test\r\n\r\n"])).status;
}

/** As many as the process may have, of files and connections. */
async function limitDescriptors(pid: number, count: number): Promise<void> {
  const args = ["--pid", String(pid), `--nofile=${count}:${count}`];
  const { success, stderr } = await new Deno.Command("prlimit", { args }).output();
  assert(success, new TextDecoder().decode(stderr));
}

/** 0 where there is no /proc. */
async function residentBytes(pid: number): Promise<number> {
  if (Deno.build.os !== "linux") return 0;
  const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(await Deno.readTextFile(`/proc/${pid}/status`))?.[1];
  return Number(kilobytes) * 1_024;
}
