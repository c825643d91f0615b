/**
 * The promises of the guard, by real Caddy and nginx before three kinds of sites at once: a folder, a WSGI app and an
 * app with a service worker. A site without the guard tells how each responds by itself.
 */
import { assertEquals, assertLess } from "@std/assert";
import { createHash } from "node:crypto";
import type { Edit } from "../support/caddy/edited_caddyfile.ts";
import { trustedNames, trustedNameSpellings } from "../support/caddy/forged_headers.ts";
import { type Guarded, impatience, type Proxy, startGuarded, testProxies } from "../support/caddy/guarded.ts";
import { serveWorkerApp } from "../support/caddy/worker_app.ts";
import { startWsgiApp } from "../support/caddy/wsgi_app.ts";
import { ensureProgram } from "../support/packages.ts";
import { freePort } from "../support/process.ts";

const kinds = ["folder", "wsgi", "worker"] as const;
const navigation = { "sec-fetch-mode": "navigate" };
const preflight = { origin: "https://shop.example", "access-control-request-method": "PUT" };
const uploadBytes = 100 * 1024 * 1024;
/** Caddy's pool of buffers and nginx's are far below the upload. */
const maxGrowthBytes = 48 * 1024 * 1024;

/** Requests that a guarded site answers as the site alone does. */
const requests: readonly RequestInit[] = [
  {},
  { method: "HEAD" },
  { method: "OPTIONS" },
  { method: "OPTIONS", headers: preflight },
  { method: "POST", body: "a=b", headers: { "content-type": "application/x-www-form-urlencoded" } },
  { method: "DELETE" },
  { headers: { range: "bytes=2-8" } },
  { headers: { range: "bytes=9999999-" } },
  { headers: { "if-none-match": "*" } },
  { headers: { "if-modified-since": "Fri, 01 Jan 2100 00:00:00 GMT" } },
];

if (await ensureProgram("python3", "python3")) {
  await testProxies("guards a folder, a WSGI app and an app with a worker alike", guardKinds);
}

async function guardKinds(proxy: Proxy): Promise<void> {
  await using cleanup = new AsyncDisposableStack();
  const folder = await Deno.makeTempDir({ prefix: "gatehouse-" });
  cleanup.defer(() => Deno.remove(folder, { recursive: true }));
  await Deno.mkdir(`${folder}/folder/staff`, { recursive: true });
  for (const name of ["index.html", "staff/index.html"]) {
    await Deno.writeTextFile(`${folder}/folder/${name}`, "<h1>A page");
  }
  const [wsgi, worker] = [cleanup.use(await startWsgiApp()), cleanup.use(serveWorkerApp())];
  const openPort = freePort();
  const edits = editsOf[proxy]({ folder, wsgi: wsgi.address, worker: worker.address, openPort });
  await using site = await startGuarded({ proxy, edits });

  await refuseAll(site, {}, { next: "" });
  const cookie = await site.enter("alice");
  for (const kind of kinds) {
    for (const init of requests) {
      const headers = { ...init.headers };
      const alone = await outcomeOf(await fetch(`http://localhost:${openPort}/${kind}/index.html?a=%2F`, init));
      const guarded = await outcomeOf(
        await site.ask(`/${kind}/index.html?a=%2F`, { ...init, headers: { ...headers, cookie } }),
      );
      assertEquals(guarded, alone, `${kind} ${JSON.stringify(init)}`);
    }
    assertEquals(await site.statusOf(`/${kind}/staff/`, { headers: { cookie } }), 403, kind);
    const factor = await site.ask(`/${kind}/factor/`, { headers: { cookie } });
    assertEquals([factor.status, (await factor.json()).type], [401, "/problem/second-factor-required"], kind);
  }
  await forge(site, cookie);
  await upload(site, cookie);

  const headers = { cookie, "sec-fetch-site": "same-origin" };
  assertEquals(await site.statusOf("/auth/session/", { method: "DELETE", headers }), 204);
  await refuseAll(site, { cookie }, { next: "why=ended&" });
  const again = await site.enter("bob");
  await site.service.kill();
  for (const kind of kinds) assertEquals(await site.statusOf(`/${kind}/`, { headers: { cookie: again } }), 503, kind);
}

/** No kind is shown: browsers are led to the login and back, and programs are refused. */
async function refuseAll(site: Guarded, headers: Record<string, string>, { next }: { next: string }): Promise<void> {
  for (const kind of kinds) {
    const path = `/${kind}/index.html?tab=2&text=%D1%8F`;
    const page = await site.ask(path, { headers: { ...navigation, ...headers } });
    const location = `/auth/?${next}next=${encodeURIComponent(path)}`;
    assertEquals([page.status, page.headers.get("location")], [302, location]);
    for (const init of requests) {
      assertEquals(await site.statusOf(path, { ...init, headers: { ...init.headers, ...headers } }), 401, kind);
    }
  }
}

/** No forged name arrives in the environment of the WSGI app, and neither session nor password. */
async function forge(site: Guarded, cookie: string): Promise<void> {
  const basic = `Authorization: Basic ${btoa("alice:mellow-otter-41-lantern")}`;
  for (const credentials of [`Cookie: a=1; ${cookie}`, basic]) {
    for (const spell of trustedNameSpellings) {
      const forged = trustedNames.map((name) => `${spell(name)}: forged`);
      const { body } = await site.client.get("/wsgi/", [credentials, ...forged]);
      const environ: Record<string, string> = JSON.parse(body);
      assertEquals(Object.entries(environ).filter(([, value]) => value.includes("forged")), []);
      const { HTTP_REMOTE_USER, HTTP_REMOTE_GROUPS, HTTP_COOKIE, HTTP_AUTHORIZATION } = environ;
      const seen = [HTTP_REMOTE_USER, HTTP_REMOTE_GROUPS, HTTP_COOKIE, HTTP_AUTHORIZATION];
      assertEquals(seen, ["alice", "users", credentials === basic ? undefined : "a=1", undefined]);
    }
  }
}

/** 100 MB arrive as they are sent, and neither the proxy nor the service holds them. */
async function upload(site: Guarded, cookie: string): Promise<void> {
  const pids = [site.caddy.pid, site.service.pid];
  const before = await Promise.all(pids.map(peakBytes));
  const body = new Uint8Array(uploadBytes).map((_, index) => index * 7 + (index >> 10));
  const uploaded = await site.ask("/wsgi/upload", { method: "PUT", headers: { cookie }, body });
  assertEquals((await uploaded.json()).sha256, createHash("sha256").update(body).digest("hex"));
  const after = await Promise.all(pids.map(peakBytes));
  for (const [index, bytes] of after.entries()) assertLess(bytes - (before[index] ?? 0), maxGrowthBytes);
}

/** The most memory that a process ever had. */
async function peakBytes(pid: number): Promise<number> {
  const [, kilobytes] = /^VmHWM:\s+(\d+) kB$/m.exec(await Deno.readTextFile(`/proc/${pid}/status`)) ?? [];
  return Number(kilobytes) * 1024;
}

/** What a client can tell apart, but the identity that only a guarded app is told. */
async function outcomeOf(response: Response) {
  const names = ["content-type", "content-length", "content-range", "accept-ranges", "etag", "last-modified", "allow"];
  const cors = ["access-control-allow-origin", "access-control-allow-methods"];
  const text = await response.text();
  const isEnviron = response.headers.get("content-type") === "application/json";
  const headers = [...names, ...cors].filter((name) => !isEnviron || name !== "content-length");
  return [
    response.status,
    ...headers.map((name) => `${name}: ${response.headers.get(name)}`),
    isEnviron && text !== "" ? [JSON.parse(text).PATH_INFO, JSON.parse(text).sha256] : text,
  ];
}

interface Places {
  readonly folder: string;
  readonly wsgi: string;
  readonly worker: string;
  readonly openPort: number;
}

/** The sites below a path each, with parts for a group and for a second factor, and the same without the guard. */
const editsOf: Readonly<Record<Proxy, (places: Places) => readonly Edit[]>> = {
  caddy({ folder, wsgi, worker, openPort }) {
    const site = (demands: string | undefined, path = "") => {
      const guard = demands === undefined ? "" : `\t\timport guard ${demands}\n`;
      const lines = [
        `reverse_proxy /wsgi/* ${wsgi}`,
        `reverse_proxy /worker/* ${worker}`,
        `root * ${folder}`,
        "file_server",
      ];
      return `\troute ${path} {\n${guard}${lines.map((line) => `\t\t${line}\n`).join("")}\t}\n`;
    };
    const open = `http://localhost:${openPort} {\n\tbind 127.0.0.1\n${site(undefined)}}\n`;
    return [
      impatience,
      [
        "\troute {\n\t\timport guard users",
        `${site("staff", "/*/staff/*")}${site("second-factor", "/*/factor/*")}${
          site("users")
        }\troute {\n\t\timport guard users`,
      ],
      ["{$SITE:https", `${open}{$SITE:https`],
    ];
  },
  nginx({ folder, wsgi, worker, openPort }) {
    const apps = {
      folder: `root ${folder};`,
      wsgi: `proxy_pass http://${wsgi};`,
      worker: `proxy_pass http://${worker};`,
    };
    const locations = (demands: readonly (readonly [path: string, line: string])[]) =>
      Object.entries(apps).flatMap(([kind, app]) =>
        demands.map(([path, line]) => `\tlocation /${kind}/${path} {\n\t\t${line}\n\t\t${app}\n\t}\n`)
      ).join("");
    const guarded = locations([
      ["", ""],
      ["staff/", "set $gatehouse_demands staff;"],
      ["factor/", "set $gatehouse_demands second-factor;"],
    ]);
    const open = `server {\n\tlisten 127.0.0.1:${openPort};\n\tserver_tokens off;\n${locations([["", ""]])}}\n`;
    return [["\tlocation /staff {", `${guarded}\tlocation /staff {`], [
      "# The rest belongs",
      `${open}# The rest belongs`,
    ]];
  },
};
