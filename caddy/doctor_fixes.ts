/** What to change in the configuration of the proxy that the doctor sees, as lines of the project's own. */

import type { SiteClient } from "./doctor_client.ts";

/** An excerpt has at most this many lines in full. */
const maxLines = 14;

/** Lines from the first that begins with `from` to the next of the same indentation that begins with `to`. */
interface Fix {
  readonly from: string;
  readonly to?: string;
  readonly where: string;
}

/** What ensures that checks pass. */
export type FixName =
  | "askGuard"
  | "loginPage"
  | "private"
  | "decision"
  | "identity"
  | "remote"
  | "forwarded"
  | "names"
  | "underscores"
  | "websocket"
  | "credentials"
  | "cache";

interface Proxy {
  readonly title: string;
  /** In this folder. */
  readonly file: string;
  readonly fixes: Readonly<Record<FixName, Fix>>;
}

const first = "in route, before everything else";
const forwarded = {
  from: "request_header -*Forwarded*",
  where: `${first}; no trusted_proxies in handle_path /auth/*`,
};
const askGuard = { from: "forward_auth ", to: "}", where: "in route, with no matcher before the address" };
const inherited = "in server: a location with a proxy_set_header of its own inherits no other";

export const proxies: Readonly<Record<"caddy" | "nginx", Proxy>> = {
  caddy: {
    title: "Caddy",
    file: "guarded.Caddyfile",
    fixes: {
      askGuard,
      loginPage: { from: "redir /auth ", to: "}", where: "in route, before forward_auth" },
      private: { from: "@private ", to: "error @private", where: "in route, before handle_path /auth/*" },
      decision: forwarded,
      identity: askGuard,
      remote: { from: "request_header -*Remote*", where: first },
      forwarded,
      names: { from: "request_header -*Proxy*", to: "request_header -X-Rewrite-URL", where: first },
      underscores: { from: "request_header -*_*", to: "request_header -*.*", where: first },
      websocket: { from: "@guard-not-websocket", to: "request_header -HTTP2-Settings", where: first },
      credentials: {
        from: "request_header -Auth",
        to: "request_header @guard-no-cookie",
        where: "after forward_auth",
      },
      cache: { from: "header ?Cache-Control", where: "in route, after forward_auth" },
    },
  },
  nginx: {
    title: "nginx",
    file: "nginx_guard.conf",
    fixes: {
      askGuard: {
        from: "auth_request ",
        to: "recursive_error_pages",
        where: "in server, with no `auth_request off`, `satisfy any` or `return` in a location of the site",
      },
      loginPage: { from: "location ^~ /auth/ ", to: "}", where: "in server" },
      private: { from: "location ~ ^/auth/", to: "}", where: "in location /auth/" },
      decision: {
        from: "proxy_set_header X-Forwarded-For ",
        to: "proxy_set_header Gatehouse-Subrequest ",
        where: "in location /auth/, not $proxy_add_x_forwarded_for; in @gatehouse_refused with the method and the path",
      },
      identity: { from: "proxy_set_header Remote-User ", to: "proxy_set_header Remote-Groups ", where: inherited },
      remote: { from: "proxy_set_header Remote-Addr ", to: "proxy_set_header X-Remote-User ", where: inherited },
      forwarded: { from: "proxy_set_header Forwarded ", to: "proxy_set_header X-Forwarded-User", where: inherited },
      names: { from: "proxy_set_header X-WebAuth-", to: "proxy_set_header X-Rewrite-URL ", where: inherited },
      underscores: {
        from: "underscores_in_headers ",
        to: "ignore_invalid_headers ",
        where: "in server, and in the first or default server of the same address",
      },
      websocket: {
        from: "proxy_set_header Connection $",
        to: "proxy_set_header HTTP2-Settings ",
        where: `${inherited}; not $http_upgrade`,
      },
      credentials: { from: "proxy_set_header Cookie ", to: "proxy_set_header Authorization ", where: inherited },
      cache: {
        from: "add_header Cache-Control $",
        where: "in server: a location with an add_header of its own inherits no other",
      },
    },
  },
};

export type ProxyName = keyof typeof proxies;

/** Recognizes the proxy by its own response to a path that is no path; `undefined` if it does not show its name. */
export async function proxyOf(site: SiteClient): Promise<ProxyName | undefined> {
  const { headers, body } = await site.get("/%");
  if (/nginx|openresty/i.test(headers.get("server") ?? body)) return "nginx";
  // The response of Go's HTTP server, which Traefik has too.
  return headers.get("server") === "Caddy" || body === "400 Bad Request" ? "caddy" : undefined;
}

/** The lines of the project's configuration that ensure something, as text for a terminal. */
export async function fixText(proxy: ProxyName, name: FixName): Promise<string> {
  const { file, fixes } = proxies[proxy];
  const lines = excerpt(await Deno.readTextFile(`${import.meta.dirname}/${file}`), fixes[name]);
  const shown = lines.length > maxLines ? [...lines.slice(0, 4), "…", ...lines.slice(-2)] : lines;
  return `From caddy/${file}, ${fixes[name].where}:\n${shown.join("\n")}`;
}

/** The lines that a fix names, without their common indentation. */
export function excerpt(text: string, { from, to = from }: Pick<Fix, "from" | "to">): string[] {
  const lines = text.split("\n");
  const start = lines.findIndex((line) => line.trimStart().startsWith(from));
  const [indentation = ""] = /^\t*/.exec(lines[start] ?? "") ?? [];
  const end = lines.findIndex((line, index) => index >= start && line.startsWith(indentation + to));
  return lines.slice(start, end + 1).map((line) => line.slice(indentation.length));
}
