/**
 * A guarded site as it is run: the service, Caddy or nginx before it, and an app that answers with what arrives at it.
 *
 * Users register and log in through the proxy, as everybody does.
 */
import { assert, assertEquals } from "@std/assert";
import { setTimeout as delay } from "node:timers/promises";
import { SiteClient } from "../../../caddy/doctor_client.ts";
import { type RunningCaddy, startCaddy } from "./caddy.ts";
import { type Edit, editCaddyfile } from "./edited_caddyfile.ts";
import { editNginx, startNginx } from "./nginx.ts";
import { ensureProgram } from "../packages.ts";
import { freePort } from "../process.ts";
import { type RunningService, startService } from "../service.ts";
import { serveUpstream } from "../upstream.ts";

/** An app in place of the folder. */
export const app: Edit = ["root * {$ROOT:/var/www/html}\n\t\tfile_server", "reverse_proxy {$APP}"];
/** Not the 10 s for which requests wait for the service. */
export const impatience: Edit = ["lb_try_duration 10s", "lb_try_duration 300ms"];

const password = "mellow-otter-41-lantern";

/** What stands in front. */
export type Proxy = "caddy" | "nginx";

const packages = { caddy: "caddy", nginx: "nginx-light" } as const;

/** Defines a test for each proxy that is installed. The name of the proxy is put before that of the test. */
export async function testProxies(
  name: string,
  fn: (proxy: Proxy) => Promise<void>,
  { proxies = ["caddy", "nginx"] }: { readonly proxies?: readonly Proxy[] } = {},
): Promise<void> {
  for (const proxy of proxies) {
    const ignore = !await ensureProgram(proxy, packages[proxy]);
    Deno.test({ name: `${proxy} ${name}`, ignore, fn: () => fn(proxy) });
  }
}

/** How to run it. */
export interface GuardedOptions {
  /** By default Caddy. */
  readonly proxy?: Proxy;
  /** To the project's Caddyfile; by default it is for an app. */
  readonly edits?: readonly Edit[];
  /** This folder in place of the app. */
  readonly folder?: string;
  /** The path of another configuration in place of the project's. */
  readonly config?: string;
  /** The port of the proxy; by default any free one. */
  readonly port?: number;
  /** A service that is there already, and stays. */
  readonly service?: RunningService;
  /** Settings of the service that is started else. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Settings of the Caddyfile beside UPSTREAM, and APP for the app. */
  readonly env?: Readonly<Record<string, string>>;
}

/** What runs. */
export interface Guarded extends AsyncDisposable {
  readonly caddy: RunningCaddy;
  readonly service: RunningService;
  /** The file of Caddy's root certificate. */
  readonly rootPath: string;
  /** What has arrived at the app, as "GET /path". */
  readonly arrived: readonly string[];
  /** For requests as they are written. */
  readonly client: SiteClient;
  /** Asks the site; no redirect is followed. */
  ask(path: string, init?: RequestInit): Promise<Response>;
  /** The status of the answer. */
  statusOf(path: string, init?: RequestInit): Promise<number>;
  /** What arrives at the app of a request with these lines as headers, by names in lower case. */
  headersAtApp(lines: readonly string[]): Promise<Record<string, string | undefined>>;
  /** Registers a user and logs in. @returns the cookie of the session */
  enter(login: string): Promise<string>;
  /** The same, for the first administrator. */
  enterAsAdmin(login: string): Promise<string>;
}

/** Starts all of it. */
export async function startGuarded(options: GuardedOptions = {}): Promise<Guarded> {
  const { settings = {} } = options;
  await using cleanup = new AsyncDisposableStack();
  const arrived: string[] = [];
  const upstream = cleanup.use(serveUpstream((request) => echo(request, arrived)));
  const service = options.service ?? cleanup.use(await startService({ env: settings }));
  const env = { APP: upstream.address, ...options.env };
  const caddy = cleanup.use(await startProxy(cleanup, { ...options, env, upstream: new URL(service.url).host }));
  const rootPath = await writeTemporary(caddy.rootCertificate, cleanup);
  const client = new SiteClient(new URL(caddy.url), { caCerts: [caddy.rootCertificate] });
  const owned = cleanup.move();

  function ask(path: string, init: RequestInit = {}): Promise<Response> {
    return fetch(`${caddy.url}${path}`, { redirect: "manual", ...init, client: caddy.client });
  }

  async function statusOf(path: string, init?: RequestInit): Promise<number> {
    const response = await ask(path, init);
    await response.body?.cancel();
    return response.status;
  }

  async function headersAtApp(headers: readonly string[]): Promise<Record<string, string | undefined>> {
    const { status, body } = await client.get("/", headers);
    assertEquals(status, 200, body);
    return JSON.parse(body).headers;
  }

  async function post(path: string, value: unknown): Promise<Response> {
    const headers = { "content-type": "application/json" };
    const response = await ask(path, { method: "POST", headers, body: JSON.stringify(value) });
    assertEquals([path, response.status], [path, 201], await response.text());
    return response;
  }

  async function enterAsAdmin(login: string): Promise<string> {
    const find = () => /ticket to become the administrator: (\S+)/.exec(service.log())?.[1];
    // Standard error, which it is printed to, may be read later than standard output, which tells of the start.
    for (let tries = 0; find() === undefined && tries < 200; tries++) await delay(20);
    return await enter(login, find());
  }

  async function enter(login: string, ticket?: string): Promise<string> {
    await post("/auth/user/", { login, password, ticket });
    const { headers } = await post("/auth/session/", { login, password, cookie: true });
    const cookie = headers.getSetCookie().find((text) => text.startsWith("__Host-gatehouse="));
    assert(cookie !== undefined);
    return cookie.split(";", 1).join();
  }

  const dispose = () => owned.disposeAsync();
  const asking = { client, ask, statusOf, headersAtApp, enter, enterAsAdmin };
  return { caddy, service, rootPath, arrived, ...asking, [Symbol.asyncDispose]: dispose };
}

async function startProxy(
  cleanup: AsyncDisposableStack,
  { proxy, edits, folder, config, env = {}, upstream, port = freePort() }: GuardedOptions & {
    readonly upstream: string;
  },
): Promise<RunningCaddy> {
  if (proxy === "nginx") {
    const inFolder: Edit[] = folder === undefined ? [] : [["proxy_pass http://127.0.0.1:3000;", `root ${folder};`]];
    const files = config === undefined
      ? await editNginx([...edits ?? [], ...inFolder])
      : { config: await Deno.readTextFile(config), snippet: "" };
    return startNginx({ upstream, port, ...files, env });
  }
  const all = edits ?? (folder === undefined ? [app, impatience] : [impatience]);
  const file = config ?? cleanup.use(await editCaddyfile("guarded.Caddyfile", all)).path;
  return startCaddy({ upstream, port, config: file, env: folder === undefined ? env : { ...env, ROOT: folder } });
}

/** @returns the path */
async function writeTemporary(text: string, cleanup: AsyncDisposableStack): Promise<string> {
  const path = await Deno.makeTempFile({ prefix: "gatehouse-" });
  cleanup.defer(() => Deno.remove(path));
  await Deno.writeTextFile(path, text);
  return path;
}

async function echo(request: Request, arrived: string[]): Promise<Response> {
  const { method, headers, url } = request;
  arrived.push(`${method} ${url.replace(/^https?:\/\/[^/]*/, "")}`);
  if (headers.has("sec-websocket-key")) {
    const { socket, response } = Deno.upgradeWebSocket(request);
    socket.onmessage = ({ data }) => socket.send(`${headers.get("remote-user")}: ${data}`);
    return response;
  }
  const { length } = await request.bytes();
  return Response.json({ method, length, headers: Object.fromEntries(headers) });
}
