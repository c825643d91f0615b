/** The service as a process, with its users in PostgreSQL. */

import { assert, assertEquals, assertFalse, assertMatch, assertStringIncludes } from "@std/assert";
import { setTimeout as delay } from "node:timers/promises";
import { ensurePostgres, sharedPostgres } from "../support/postgres.ts";
import { TestProcess } from "../support/process.ts";
import { type RunningService, startService } from "../support/service.ts";

const ignore = !await ensurePostgres();
const postgres = sharedPostgres();
const alice = { login: "alice", password: "velvet-harbor-93-piano" };

function send(service: RunningService, path: string, json: unknown): Promise<Response> {
  const headers = { "content-type": "application/json" };
  return fetch(service.url + path, { method: "POST", headers, body: JSON.stringify(json) });
}

async function logIn(service: RunningService): Promise<string> {
  const response = await send(service, "/session/", alice);
  assertEquals(response.status, 201);
  return (await response.json()).token;
}

async function showSession(service: RunningService, token: string): Promise<number> {
  const response = await fetch(`${service.url}/session/`, { headers: { authorization: `Bearer ${token}` } });
  await response.body?.cancel();
  return response.status;
}

Deno.test({
  name: "the service keeps users and sessions in PostgreSQL when it and the database are killed",
  ignore,
  async fn() {
    const server = await postgres();
    const env = { GATEHOUSE_STORE: await server.createDatabase() };
    let token: string;
    {
      await using service = await startService({ env });
      assertMatch(service.log(), /"event":"store-opened","store":"postgres:\/\/\/test1 at \/[^"]+","users":0/);
      const registered = await send(service, "/user/", alice);
      assertEquals([registered.status, (await registered.json()).login], [201, "alice"]);
      token = await logIn(service);
      await service.kill();
    }
    await server.kill();
    await server.start();
    await using service = await startService({ env });
    assertMatch(service.log(), /"event":"store-opened",[^\n]*"users":1,"sessions":1/);
    assertEquals(await showSession(service, token), 200);
    await logIn(service);
    assertEquals((await send(service, "/user/", alice)).status, 409);
    assertEquals((await service.stop()).code, 0);
  },
});

Deno.test({
  name: "two services share a database: a session of one is valid in the other, and ends in both",
  ignore,
  async fn() {
    const env = { GATEHOUSE_STORE: await (await postgres()).createDatabase() };
    await using first = await startService({ env });
    await using second = await startService({ env });
    assertEquals((await send(first, "/user/", alice)).status, 201);
    const token = await logIn(second);
    assertEquals([await showSession(first, token), await showSession(second, token)], [200, 200]);
    const headers = { authorization: `Bearer ${token}` };
    assertEquals((await fetch(`${first.url}/session/`, { method: "DELETE", headers })).status, 204);
    assertEquals([await showSession(first, token), await showSession(second, token)], [401, 401]);
  },
});

Deno.test({
  name: "the service reports a database that is away, is not ready meanwhile, and recovers by itself",
  ignore,
  async fn() {
    const server = await postgres();
    const env = { GATEHOUSE_STORE: await server.createDatabase(), GATEHOUSE_INSTANCE: "auth-1" };
    await using service = await startService({ env });
    assertEquals((await send(service, "/user/", alice)).status, 201);
    const token = await logIn(service);
    const figure = async (name: string) => {
      const text = await (await fetch(`${service.url}/metrics`)).text();
      return Number(new RegExp(`^${name} (.+)$`, "m").exec(text)?.[1]);
    };
    assertEquals(await figure("gatehouse_store_up"), 1);
    const readiness = async () => {
      const response = await fetch(`${service.url}/health/ready`);
      return `${response.status} ${(await response.json()).detail ?? ""}`;
    };
    await server.stop();
    const refused = await send(service, "/session/", alice);
    assertEquals([refused.status, refused.headers.get("retry-after")], [503, "5"]);
    assertEquals(await refused.json(), {
      type: "/problem/store-unavailable",
      title: "Database not available",
      status: 503,
    });
    const until = async (expected: string) => {
      for (const startedAt = Date.now(); await readiness() !== expected;) {
        assert(Date.now() - startedAt < 20_000);
        await delay(20);
      }
    };
    await until("503 The store cannot keep changes");
    const failures = Array.from({ length: 100 }, async (_, index) => {
      if (index % 2 === 0) return await showSession(service, token);
      return (await send(service, "/user/", { ...alice, login: `user${index}` })).status;
    });
    assertEquals(new Set(await Promise.all(failures)), new Set([503]));
    assertEquals(await figure("gatehouse_store_up"), 0);
    assert(await figure("gatehouse_database_call_duration_seconds_count") > 100);
    await server.start();
    await until("200 ");
    await logIn(service);
    assertEquals(await figure("gatehouse_store_up"), 1);
    await service.logged(/"event":"(store-ready)"/);
    // Only the log has the reason, once, however many requests failed.
    const lines = service.log().split("\n").filter((line) => /store-|"(warn|error)"|stack/.test(line));
    const events = lines.filter((line) => !line.includes("weak-setting")).map((line) => JSON.parse(line));
    assertEquals(events.map(({ level, instance, event }) => [level, instance, event]), [
      ["info", "auth-1", "store-opened"],
      ["error", "auth-1", "store-not-ready"],
      ["info", "auth-1", "store-ready"],
    ]);
    assertMatch(events[1].reason, /^Cannot use postgres:\/\/.+/);
    assert(events[2].failureCount > 100, `${events[2].failureCount}`);
  },
});

Deno.test({
  name: "the service runs with the permissions that its database needs, and never shows its password",
  ignore,
  async fn() {
    const server = await postgres();
    const store = (await server.createDatabase()).replace("gatehouse@", "gatehouse:hunter2@");
    const env = { GATEHOUSE_LISTEN: "127.0.0.1:0", GATEHOUSE_PBKDF2_ITERATIONS: "1000", GATEHOUSE_STORE: store };
    await using service = new TestProcess(Deno.execPath(), { args: ["task", "start"], env, detached: true });
    try {
      const found = await service.until(
        () => /"event":"listening","at":"(http:[^"]+)"/.exec(service.output)?.[1],
        { what: "the service to listen" },
      );
      const response = await fetch(`${found}/user/`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(alice),
      });
      assertEquals([response.status, (await response.json()).login], [201, "alice"]);
      assertFalse(service.output.includes("hunter2"));
    } finally {
      // To the whole group, as `deno task` forwards no signal.
      Deno.kill(-service.pid, "SIGTERM");
      await service.status;
    }
  },
});

Deno.test({
  name: "the service fails at start on an unusable database, with the reason in one line",
  ignore,
  async fn() {
    const server = await postgres();
    await server.createDatabase("newer");
    const sql = server.sql("newer");
    await sql`CREATE TABLE gatehouse_schema (version bigint PRIMARY KEY)`;
    await sql`INSERT INTO gatehouse_schema VALUES (99)`;
    await sql`GRANT SELECT ON gatehouse_schema TO gatehouse`;
    const rows: readonly (readonly [url: string, reason: string])[] = [
      [server.url("nowhere"), 'database "nowhere" does not exist'],
      [server.url("newer"), "a newer version of Gatehouse has migrated them"],
    ];
    for (const [url, reason] of rows) {
      const env = { GATEHOUSE_LISTEN: "127.0.0.1:0", GATEHOUSE_STORE: url.replace("@", ":hunter2@") };
      await using service = new TestProcess(Deno.execPath(), { args: ["run", "-A", "main.ts"], env });
      assertEquals((await service.status).code, 1);
      const [line = "", ...rest] = service.output.trim().split("\n").filter((text) => !text.startsWith("{"));
      assertStringIncludes(line, reason);
      assertEquals(rest, []);
      assertFalse(service.output.includes("hunter2"));
    }
  },
});
