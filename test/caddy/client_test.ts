/**
 * Whom a request counts for, through real Caddy and from real addresses: whatever a client says of itself, it is the
 * address that it comes from.
 *
 * Clients come from 127.0.0.5, ::1 and the machine's own addresses, if it has any: Linux lets all of them reach what
 * listens on loopback.
 */

import { assertEquals } from "@std/assert";
import { setTimeout as delay } from "node:timers/promises";
import { type RunningCaddy, startCaddy } from "../support/caddy/caddy.ts";
import { ensureProgram } from "../support/packages.ts";
import { startService } from "../support/service.ts";
import { startSocketService } from "../support/socket_service.ts";

const hasPrograms = await ensureProgram("caddy", "caddy") && await ensureProgram("curl", "curl");
const ignore = !hasPrograms || Deno.build.os !== "linux";
const password = "mellow-otter-41-lantern";

/** The machine's own addresses, which are no loopback: of these alone the service believes nothing. */
const own = Deno.networkInterfaces().filter(({ name, address }) => name !== "lo" && !address.startsWith("fe80:"));
const ownIpv4 = own.find(({ family }) => family === "IPv4")?.address;
const ownIpv6 = own.find(({ family }) => family === "IPv6")?.address;

/** What a client says of itself, as options of curl. */
const forgeries: readonly (readonly string[])[] = [
  [],
  ["X-Forwarded-For: 203.0.113.7"],
  ["x-forwarded-for: 203.0.113.7, 198.51.100.1"],
  ["X-Forwarded-For: 203.0.113.7", "X-Forwarded-For: 198.51.100.1"],
  ["X-Forwarded-For: 127.0.0.1"],
  ["X-Forwarded-For: 203.0.113.7, , ::zz, unknown, 1.2.3.4:5"],
  ["X-Forwarded-For;"],
  ["X_Forwarded_For: 203.0.113.7"],
  ["X-Forwarded_For: 203.0.113.7", "X_FORWARDED-FOR: 203.0.113.7"],
  [
    "X-Real-IP: 203.0.113.7",
    "X-Client-IP: 203.0.113.7",
    "True-Client-IP: 203.0.113.7",
    "CF-Connecting-IP: 203.0.113.7",
  ],
  ["Forwarded: for=203.0.113.7;by=203.0.113.7", "Via: 1.1 203.0.113.7"],
  // What "Connection" names is for the next hop alone, and is taken away by it.
  ["Connection: X-Forwarded-For", "X-Forwarded-For: 203.0.113.7"],
].map((headers) => headers.flatMap((header) => ["--header", header]));

for (
  const { name, upstream } of [{ name: "an address", upstream: "tcp" }, { name: "a unix socket", upstream: "unix" }]
) {
  test(`Caddyfile tells a service on ${name} the client's own address, whatever the client says`, async () => {
    await using service = upstream === "tcp" ? await startTcp() : await startUnix();
    await using caddy = await startCaddy({ upstream: service.upstream });
    for (const from of ["127.0.0.5", ...ownIpv4 === undefined ? [] : [ownIpv4]]) {
      await assertEveryForgeryFails(service, { caddy, from });
      assertEquals(await sessionAddress({ caddy, from }), from);
    }
  });
}

test("Caddyfile tells the address of a client over IPv6, whatever the client says", async () => {
  await using service = await startTcp();
  await using caddy = await startCaddy({ upstream: service.upstream, env: { BIND: "127.0.0.1 ::1" } });
  for (const from of ["::1", ...ownIpv6 === undefined ? [] : [ownIpv6]]) {
    await assertEveryForgeryFails(service, { caddy, from });
    assertEquals(await sessionAddress({ caddy, from }), from);
  }
});

test("the service believes no client that connects by itself, unless its address is trusted", async () => {
  if (ownIpv4 === undefined) return;
  const rows = [
    { proxies: {}, client: ownIpv4 },
    { proxies: { GATEHOUSE_TRUSTED_PROXIES: "10.255.255.1" }, client: ownIpv4 },
    { proxies: { GATEHOUSE_TRUSTED_PROXIES: `10.255.255.1,${ownIpv4}/32` }, client: "203.0.113.7" },
  ];
  for (const { proxies, client } of rows) {
    await using service = await startService({ env: proxies });
    const forged = ["--interface", ownIpv4, "--header", "X-Forwarded-For: 198.51.100.1, 203.0.113.7"];
    await curl([[...forged, `${service.url}/session/`]]);
    await service.stop();
    assertEquals(clientsIn(service.log()), [client]);
  }
});

test("addresses of one /64 share the registrations of an hour, those of different ones do not", async () => {
  await using service = await startService({ env: { GATEHOUSE_REGISTRATIONS_PER_HOUR: "1" } });
  const rows: readonly (readonly [client: string, status: number])[] = [
    ["2001:db8:1:2::1", 201],
    ["2001:db8:1:2::2", 429],
    ["2001:DB8:1:2:ffff:ffff:ffff:ffff", 429],
    ["2001:db8:1:3::1", 201],
    ["203.0.113.7", 201],
    ["::ffff:203.0.113.7", 429],
    // What stands further left is the client's own word, on either side.
    ["2001:db8:1:4::1, 2001:db8:1:2::3", 429],
    ["2001:db8:1:2::3, 2001:db8:1:4::1", 201],
  ];
  for (const [index, [client, status]] of rows.entries()) {
    const response = await fetch(`${service.url}/user/`, {
      method: "POST",
      // As a proxy on this machine would.
      headers: { "content-type": "application/json", "x-forwarded-for": client },
      body: JSON.stringify({ login: `user${index}`, password }),
    });
    await response.body?.cancel();
    assertEquals(response.status, status, client);
  }
});

test("clients behind Caddy have a registration each, however they call themselves", async () => {
  await using service = await startTcp({ GATEHOUSE_REGISTRATIONS_PER_HOUR: "1" });
  await using caddy = await startCaddy({ upstream: service.upstream });
  for (const [index, from] of ["127.0.0.5", "127.0.0.6"].entries()) {
    const replies = await curlCaddy(
      { caddy, from },
      [1, 2, 3].map((count) => {
        const forged = ["--header", `X-Forwarded-For: 203.0.113.${count}`];
        return [...forged, ...json({ login: `user${index}-${count}`, password }), "/user/"];
      }),
    );
    assertEquals(replies.map(({ status }) => status), [201, 429, 429], from);
  }
});

function test(name: string, fn: () => Promise<void>): void {
  Deno.test({ name, ignore, fn });
}

/** A service behind Caddy. */
interface Behind extends AsyncDisposable {
  /** As Caddy is told. */
  readonly upstream: string;
  log(): string;
}

async function startTcp(env: Record<string, string> = {}): Promise<Behind> {
  const service = await startService({ env });
  return { ...service, upstream: new URL(service.url).host };
}

async function startUnix(): Promise<Behind> {
  const service = await startSocketService();
  return { ...service, upstream: `unix/${service.path}` };
}

async function assertEveryForgeryFails(service: Behind, client: Client): Promise<void> {
  const before = clientsIn(service.log()).length;
  const requests = ["--http1.1", "--http2"].flatMap((version) =>
    forgeries
      // There is no such header in HTTP/2.
      .filter((forged) => version === "--http1.1" || !forged.some((text) => text.startsWith("Connection:")))
      .map((forged) => [version, ...forged, "/session/"])
  );
  await curlCaddy(client, requests);
  const expected = requests.map(() => client.from);
  const found = () => clientsIn(service.log()).slice(before);
  // The log is up to 10 ms late.
  for (let waits = 0; found().length < expected.length && waits < 100; waits++) await delay(20);
  assertEquals(found(), expected);
}

/** The clients of requests for /session/. */
function clientsIn(log: string): string[] {
  return Array.from(log.matchAll(/"route":"\/session\/".*"clientAddress":"([^"]+)"/g), (match) => match[1] ?? "");
}

/** The address that is kept of a session, which was begun with forged headers. */
async function sessionAddress(client: Client): Promise<unknown> {
  const login = `user-${client.from.replaceAll(":", ".")}`;
  const forged = ["--header", "X-Forwarded-For: 203.0.113.7", "--header", "Forwarded: for=203.0.113.7"];
  const credentials = [...forged, ...json({ login, password })];
  const [, session] = await curlCaddy(client, [[...credentials, "/user/"], [...credentials, "/session/"]]);
  const authorization = ["--header", `Authorization: Bearer ${session?.body.token}`];
  const [reply] = await curlCaddy(client, [[...authorization, `/user/${login}/session/`]]);
  return reply?.body.sessions[0].address;
}

interface Reply {
  readonly status: number;
  // deno-lint-ignore no-explicit-any -- any JSON.
  readonly body: any;
}

/** A client of Caddy. */
interface Client {
  readonly caddy: RunningCaddy;
  /** Its address, one of this machine's. */
  readonly from: string;
}

/** Sends requests, each as options of curl and at last a path, from an address that `fetch` could not choose. */
async function curlCaddy({ caddy, from }: Client, requests: readonly (readonly string[])[]): Promise<Reply[]> {
  const root = await Deno.makeTempFile();
  try {
    await Deno.writeTextFile(root, caddy.rootCertificate);
    const to = from.includes(":") ? "[::1]" : "127.0.0.1";
    const common = ["--resolve", `localhost:${caddy.port}:${to}`, "--cacert", root, "--interface", from];
    return await curl(requests.map((request) => {
      return [...common, ...request.slice(0, -1), `${caddy.url}${request.at(-1)}`];
    }));
  } finally {
    await Deno.remove(root);
  }
}

function json(value: unknown): string[] {
  return ["--header", "Content-Type: application/json", "--data", JSON.stringify(value)];
}

/** Sends one request after another, by one curl. */
async function curl(requests: readonly (readonly string[])[]): Promise<Reply[]> {
  const common = ["--silent", "--show-error", "--noproxy", "*", "--write-out", "\\n%{http_code}\\n"];
  const args = requests.flatMap((request) => ["--next", ...common, ...request]).slice(1);
  const { code, stdout, stderr } = await new Deno.Command("curl", { args }).output();
  const decoder = new TextDecoder();
  assertEquals(code, 0, decoder.decode(stderr));
  return Array.from(decoder.decode(stdout).matchAll(/^(.*)\n(\d{3})\n/gm), ([, text = "", status]) => {
    return { status: Number(status), body: JSON.parse(text) };
  });
}
