/**
 * Several instances on one database behind a real Caddy, while some are killed and restarted: registrations, sessions,
 * failed requests. Upstreams of this file show which requests Caddy repeats.
 */
import { assert, assertEquals } from "@std/assert";
import { type RunningCaddy, startCaddy } from "../support/caddy/caddy.ts";
import { editCaddyfile } from "../support/caddy/edited_caddyfile.ts";
import { assertRepeatable, clientCount, lostOf, password, post, send, underLoad } from "../support/caddy/caddy_load.ts";
import { ensureProgram } from "../support/packages.ts";
import { ensurePostgres, sharedPostgres } from "../support/postgres.ts";
import { freePort } from "../support/process.ts";
import { type RunningService, startService } from "../support/service.ts";
import { breakConnections, serveUpstream, type Upstream } from "../support/upstream.ts";

const ignore = !await ensureProgram("caddy", "caddy") || !await ensurePostgres();
const config = new URL("../../caddy/cluster.Caddyfile", import.meta.url).pathname;
const instanceCount = 3;
const postgres = sharedPostgres();

function test(name: string, fn: () => Promise<void>): void {
  Deno.test({ name: `cluster.Caddyfile ${name}`, ignore, fn });
}

/** Instances on one database. Each can be restarted at its address, which Caddy knows. */
class Cluster implements AsyncDisposable {
  readonly caddy: RunningCaddy;
  readonly instances: RunningService[];
  readonly #envs: readonly Readonly<Record<string, string>>[];
  readonly #cleanup: AsyncDisposableStack;

  private constructor(caddy: RunningCaddy, instances: RunningService[], rest: {
    envs: readonly Readonly<Record<string, string>>[];
    cleanup: AsyncDisposableStack;
  }) {
    this.caddy = caddy;
    this.instances = instances;
    this.#envs = rest.envs;
    this.#cleanup = rest.cleanup;
  }

  static async open(): Promise<Cluster> {
    await using cleanup = new AsyncDisposableStack();
    const store = await (await postgres()).createDatabase();
    const envs = Array.from({ length: instanceCount }, () => ({
      GATEHOUSE_LISTEN: `127.0.0.1:${freePort()}`,
      GATEHOUSE_STORE: store,
    }));
    const instances = await Promise.all(envs.map((env) => startService({ env })));
    const upstream = envs.map((env) => env.GATEHOUSE_LISTEN).join(" ");
    const caddy = cleanup.use(await startCaddy({ upstream, config }));
    return new Cluster(caddy, instances, { envs, cleanup: cleanup.move() });
  }

  /** Ends an instance by `end`, and starts it again. */
  async restart(index: number, end: (instance: RunningService) => Promise<unknown>): Promise<void> {
    const instance = this.instances[index];
    assert(instance !== undefined);
    await end(instance);
    this.instances[index] = await startService({ env: this.#envs[index] ?? {} });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.instances.map((instance) => instance[Symbol.asyncDispose]()));
    await this.#cleanup.disposeAsync();
  }
}

test("lets one of 200 parallel registrations of a login win", async () => {
  await using cluster = await Cluster.open();
  const replies = await Promise.all(
    Array.from({ length: 200 }, () => post(cluster.caddy, "/user/", { login: "alice", password })),
  );
  const counts = Object.groupBy(replies, ({ status }) => status);
  assertEquals([counts[201]?.length, counts[409]?.length], [1, 199]);
});

test("loses no acknowledged change when an instance is killed under load: only requests in flight fail", async () => {
  await using cluster = await Cluster.open();
  const { caddy } = cluster;
  const { registered, failures } = await underLoad(caddy, () => cluster.restart(1, (instance) => instance.kill()));
  assertEquals(failures.filter(({ status }) => status !== 502), []);
  assert(failures.length <= clientCount, JSON.stringify(failures));
  assertEquals(await lostOf(caddy, registered), []);
});

test("fails few requests while all instances are restarted under load, and none that cannot be repeated", async () => {
  await using cluster = await Cluster.open();
  const { caddy } = cluster;
  const { registered, failures } = await underLoad(caddy, async () => {
    for (const index of cluster.instances.keys()) await cluster.restart(index, (instance) => instance.stop());
  });
  assertRepeatable(failures);
  assertEquals(await lostOf(caddy, registered), []);
});

test("ends a session for all instances at once", async () => {
  await using cluster = await Cluster.open();
  const { caddy, instances } = cluster;
  await post(caddy, "/user/", { login: "alice", password });
  const { token } = JSON.parse((await post(caddy, "/session/", { login: "alice", password })).text);
  const headers = { authorization: `Bearer ${token}` };
  const statuses = () =>
    Promise.all(instances.flatMap(({ url }) =>
      ["/session/", "/guard/"].map(async (path) => {
        const reply = await fetch(url + path, { headers });
        await reply.body?.cancel();
        return reply.status;
      })
    ));
  assertEquals(await statuses(), [200, 200, 200, 200, 200, 200]);
  assertEquals((await send(caddy, "/session/", { method: "DELETE", headers })).status, 204);
  assertEquals(await statuses(), [401, 401, 401, 401, 401, 401]);
});

/** An upstream that records its requests, in the order of Caddy. */
function serveNoting(requests: string[], { isReady }: { isReady: boolean }): Upstream {
  return serveUpstream(async (request) => {
    const { pathname } = new URL(request.url);
    if (pathname === "/health/ready") return new Response(null, { status: isReady ? 200 : 503 });
    requests.push(`${request.method} ${pathname} ${await request.text()}`);
    return new Response("{}", { headers: { "content-type": "application/json" } });
  });
}

test("sends a change with its body to a ready instance", async () => {
  const [ofReady, ofOther]: [string[], string[]] = [[], []];
  await using ready = serveNoting(ofReady, { isReady: true });
  await using other = serveNoting(ofOther, { isReady: false });
  const upstream = `127.0.0.1:${freePort()} ${other.address} ${ready.address}`;
  await using caddy = await startCaddy({ upstream, config });
  for (const method of ["POST", "PUT", "PATCH", "DELETE", "POST", "POST"]) {
    assertEquals((await send(caddy, "/user/alice?x", { method, body: "text" })).status, 200);
  }
  assertEquals(
    ofReady,
    ["POST", "PUT", "PATCH", "DELETE", "POST", "POST"].map((method) => `${method} /user/alice text`),
  );
  assertEquals(ofOther, []);
});

test("never repeats a change, and repeats a GET", async () => {
  await using first = breakConnections({ times: 1 });
  await using caddy = await startCaddy({ upstream: first.address, config });
  const { status } = await post(caddy, "/user/", { login: "alice", password });
  assertEquals([status, first.requests], [502, ["POST /user/"]]);
  await using second = breakConnections({ times: 2 });
  await using another = await startCaddy({ upstream: second.address, config });
  assertEquals((await send(another, "/user/")).status, 200);
  assertEquals(second.requests, ["GET /user/", "GET /user/", "GET /user/"]);
});

test("asks another instance when one accepts a connection and never responds", async () => {
  const requests: string[] = [];
  await using ready = serveNoting(requests, { isReady: true });
  // The kernel accepts connections.
  using silent = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const upstream = `127.0.0.1:${silent.addr.port} ${ready.address}`;
  await using impatient = await editCaddyfile("cluster.Caddyfile", [
    ["response_header_timeout 8s", "response_header_timeout 200ms"],
  ]);
  await using caddy = await startCaddy({ upstream, config: impatient.path });
  const replies = await Promise.all(Array.from({ length: 8 }, (_, index) => {
    return send(caddy, "/user/alice", index % 2 === 0 ? {} : { method: "PUT", body: "text" });
  }));
  assertEquals(replies.map(({ status }) => status), Array(8).fill(200));
  assertEquals(requests.length, 8);
});

test("responds 503 when no instance is ready, and hides the metrics", async () => {
  await using impatient = await editCaddyfile("cluster.Caddyfile", [["lb_try_duration 10s", "lb_try_duration 500ms"]]);
  await using caddy = await startCaddy({ upstream: `127.0.0.1:${freePort()}`, config: impatient.path });
  assertEquals((await send(caddy, "/metrics")).status, 404);
  const { status, text } = await post(caddy, "/user/", { login: "alice", password });
  assertEquals([status, JSON.parse(text).status], [503, 503]);
});
