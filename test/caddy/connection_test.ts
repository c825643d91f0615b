/** Connections to Caddy that are idle or slow: it ends them itself, and they reach the service as nothing at all. */

import { assert, assertEquals, assertLess } from "@std/assert";
import { setTimeout as delay } from "node:timers/promises";
import { type RunningCaddy, startCaddy } from "../support/caddy/caddy.ts";
import { editCaddyfile } from "../support/caddy/edited_caddyfile.ts";
import { HeldConnections } from "../support/held_connections.ts";
import { ensureProgram } from "../support/packages.ts";
import { startService } from "../support/service.ts";

const ignore = !await ensureProgram("caddy", "caddy");
const password = "seven purple wombats sing";
/** `read_header` of the test's Caddyfile, with much to spare: connections are opened meanwhile. */
const maxHeadMs = 20_000;

Deno.test({
  name: "Caddyfile ends 500 slow heads, 250 handshakes and 250 connections that send nothing, and serves meanwhile",
  ignore,
  async fn() {
    await using service = await startService();
    await using impatient = await editCaddyfile("Caddyfile", [["read_header 10s", "read_header 5s"]]);
    await using caddy = await startCaddy({ upstream: new URL(service.url).host, config: impatient.path });
    const openedAt = Date.now();
    using silent = await HeldConnections.open(() => connect(caddy), { count: 250 });
    using secured = await HeldConnections.open(() => connectTls(caddy), { count: 250 });
    const sent = `GET /health/live HTTP/1.1\r\nHost: localhost:${caddy.port}\r\nX-Slow: `;
    using slow = await HeldConnections.open(() => connectTls(caddy), { count: 500, sent });
    slow.drip("a", 1_000);
    // None of them costs the service a connection.
    assertLess(await descriptorCount(service.pid), 100);

    let count = 0;
    while (silent.openCount + secured.openCount + slow.openCount > 0) {
      assertLess(Date.now() - openedAt, maxHeadMs, `${[silent, secured, slow].map((held) => held.openCount)}`);
      assertEquals(await registerAndLogIn(caddy, `user${count++}`), [201, 201]);
      await delay(200);
    }
    assert(count > 0);
    assertEquals(slow.replies.length, 500);
    await service.stop();
    const routes = new Set(Array.from(service.log().matchAll(/"route":"([^"]+)"/g), (match) => match[1]));
    assertEquals(routes, new Set(["/user/", "/session/"]), "no request of theirs");
  },
});

function connect({ port }: RunningCaddy): Promise<Deno.Conn> {
  return Deno.connect({ hostname: "127.0.0.1", port });
}

async function connectTls(caddy: RunningCaddy): Promise<Deno.Conn> {
  const options = { hostname: "localhost", caCerts: [caddy.rootCertificate] };
  const connection = await Deno.startTls(await Deno.connect({ hostname: "127.0.0.1", port: caddy.port }), options);
  await connection.handshake();
  return connection;
}

/** @returns both statuses */
async function registerAndLogIn({ url, client }: RunningCaddy, login: string): Promise<number[]> {
  const init = {
    client,
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ login, password }),
  };
  const statuses: number[] = [];
  for (const path of ["/user/", "/session/"]) {
    const response = await fetch(url + path, init);
    await response.body?.cancel();
    statuses.push(response.status);
  }
  return statuses;
}

/** 0 where there is no /proc. */
async function descriptorCount(pid: number): Promise<number> {
  if (Deno.build.os !== "linux") return 0;
  return (await Array.fromAsync(Deno.readDir(`/proc/${pid}/fd`))).length;
}
