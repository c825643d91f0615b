/**
 * Caddy or nginx before a home and guarded sites of two domains, with an app behind each site: the project's files with
 * other addresses. The hosts have no port, because the browser finds their port 443 at that of the proxy.
 */
import { assert } from "@std/assert";
import { type RunningCaddy, startCaddy } from "./caddy.ts";
import type { Edit } from "./edited_caddyfile.ts";
import { app, impatience, type Proxy } from "./guarded.ts";
import { startNginx } from "./nginx.ts";
import { freePort } from "../process.ts";
import { serveUpstream, type Upstream } from "../upstream.ts";

export const home = "https://login.example.test";
/** The first two are of the domain of the home. */
export const [wiki, files, shop] = [
  "https://wiki.example.test",
  "https://files.example.test",
  "https://shop.other.test",
];
export const sites = [wiki, files, shop] as const;

/** Pages of each site that demand more than an account. */
const demands = [["/staff", "staff"], ["/ledger", "users/second-factor"]] as const;

/** How to run it. */
export interface HomeProxyOptions {
  /** By default Caddy. */
  readonly proxy?: Proxy;
  /** The host of the service. */
  readonly upstream: string;
  /** By the origin of the site; by default all have the app that shows what arrives. */
  readonly apps?: Readonly<Record<string, Upstream>>;
}

/** What serves the home and the sites, and what the browser must know of it. */
export interface HomeProxy extends AsyncDisposable {
  readonly rootCertificate: string;
  readonly hostRules: string;
  /** What has arrived at the apps, as "GET https://…", followed by the cookies. */
  readonly arrived: readonly string[];
}

interface Place {
  readonly origin: string;
  /** The address of the app. */
  readonly address: string;
}

/** Starts the apps, and the proxy before them. */
export async function startHomeProxy({ proxy = "caddy", apps = {}, upstream }: HomeProxyOptions): Promise<HomeProxy> {
  await using cleanup = new AsyncDisposableStack();
  const arrived: string[] = [];
  const places = sites.map((origin) => {
    const app = apps[origin] ?? serveUpstream((request) => show(request, { origin, arrived }));
    return { origin, address: cleanup.use(app).address };
  });
  const start = proxy === "caddy" ? startHomeCaddy : startHomeNginx;
  const { port, rootCertificate } = cleanup.use(await start(places, upstream));
  const owned = cleanup.move();
  const hostRules = `MAP *.test:443 127.0.0.1:${port}`;
  return { rootCertificate, hostRules, arrived, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

/** The snippets and the site of one Caddyfile, and the site of the other for the home. */
async function startHomeCaddy(places: readonly Place[], upstream: string): Promise<RunningCaddy> {
  const port = freePort();
  const [, ofHome] = split(await read("Caddyfile"), "# Headers that the service does");
  const [snippets, ofSite] = split(await read("guarded.Caddyfile"), "{$SITE:");
  const first = "\troute {\n\t\timport guard users";
  const routes = demands.map(([path, names]) =>
    `\troute ${path}* {\n\t\timport guard ${names}\n\t\treverse_proxy {$APP}\n\t}\n`
  );
  const serve = (text: string, origin: string) => edit(text, [["{$SITE:https://localhost:8443}", `${origin}:${port}`]]);
  const blocks = places.map(({ origin, address }) =>
    serve(edit(ofSite, [app, [first, routes.join("") + first], ["{$APP}", address]]), origin)
  );
  const text = edit([snippets, ...blocks, serve(ofHome, home)].join("\n"), [impatience]);
  const config = await Deno.makeTempFile({ prefix: "gatehouse-", suffix: ".Caddyfile" });
  try {
    await Deno.writeTextFile(config, text);
    return await startCaddy({ upstream, config, port, hostname: new URL(home).hostname });
  } finally {
    await Deno.remove(config);
  }
}

/** The `server` of the project's file for each site, and for the home that of its README. */
async function startHomeNginx(places: readonly Place[], upstream: string): Promise<RunningCaddy> {
  const [above, rest] = split(await read("nginx.conf"), "server {\n\tlisten");
  const [server, below] = split(rest, "# The rest belongs");
  const locations = demands.map(([path, names]) =>
    `\tlocation ${path} {\n\t\tset $gatehouse_demands ${names};\n\t\tproxy_pass http://127.0.0.1:3000;\n\t}\n`
  );
  const name = "wiki.example.org;";
  const [staff] = /\tlocation \/staff \{.*?\n\t\}\n/s.exec(server) ?? [""];
  const blocks = places.map(({ origin, address }) =>
    edit(server, [[staff, locations.join("")], ["127.0.0.1:3000", address], [name, `${new URL(origin).hostname};`]])
  );
  const [, text = ""] = /```nginx\n(server \{\n\tlisten 443.*?)```/s.exec(await read("README.md")) ?? [];
  const certificates: Edit = ["/login.example.org.", "/wiki.example.org."];
  const ofHome = edit(text, [certificates, ["login.example.org", new URL(home).hostname]]);
  const config = [above, ...blocks, ofHome, below].join("\n");
  const hostnames = [home, ...sites].map((origin) => new URL(origin).hostname);
  return await startNginx({ upstream, config, snippet: await read("nginx_guard.conf"), hostnames });
}

function read(name: string): Promise<string> {
  return Deno.readTextFile(new URL(`../../../caddy/${name}`, import.meta.url));
}

function split(text: string, mark: string): [before: string, from: string] {
  const index = text.indexOf(mark);
  assert(index >= 0, `The text lacks ${mark}`);
  return [text.slice(0, index), text.slice(index)];
}

function edit(text: string, edits: readonly Edit[]): string {
  return edits.reduce((edited, [from, to]) => {
    assert(from !== "" && edited.includes(from), `The text lacks ${from}`);
    return edited.replaceAll(from, () => to);
  }, text);
}

/** The app of a site: its page has the host as the heading, then what arrived, and a form. */
async function show(
  request: Request,
  { origin, arrived }: { readonly origin: string; readonly arrived: string[] },
): Promise<Response> {
  const { method, headers, url } = request;
  const { pathname, search } = new URL(url);
  arrived.push(`${method} ${origin}${pathname}${search} ${headers.get("cookie") ?? ""}`);
  const shown = `${headers.get("remote-user")} ${method} ${await request.text()}`;
  return new Response(
    `<!DOCTYPE html><link rel="icon" href="data:,"><h1>${new URL(origin).host}</h1><p>${shown}</p>
<form method="post" action="/form"><input name="text"><button>Send</button></form>`,
    { headers: { "content-type": "text/html", ...pathname === "/stored" && { "cache-control": "max-age=60" } } },
  );
}
