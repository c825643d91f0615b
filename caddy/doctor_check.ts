/** What the doctor's checks are made of: what they are given, what they find, and how a guard's replies are known. */

import type { Account, Session } from "./doctor_account.ts";
import type { Message, Reply, SiteClient } from "./doctor_client.ts";

/** What a check finds: all is well, what is wrong, or why that cannot be told. */
export type Verdict = "pass" | { readonly fault: string } | Unknown;

/** Why a check cannot tell. */
export interface Unknown {
  readonly unknown: string;
  /** Whether a page that prints its request headers would let it tell. */
  readonly needsHeadersPage?: true;
}

/** One thing that holds of a guarded site. */
export interface Check<Subject> {
  readonly id: string;
  /** What holds. */
  readonly holds: string;
  /** What belongs in the Caddyfile, and where, when it does not hold. */
  readonly mend: string;
  run(subject: Subject): Verdict | Promise<Verdict>;
}

/** A site, looked at by who has no session. */
export interface Outside {
  readonly site: SiteClient;
  /** Path and query of a page of the site. */
  readonly path: string;
  /** A text that is nowhere but where the doctor puts it. */
  readonly marker: string;
}

/** A site, looked at by who has a session. */
export interface Inside extends Outside {
  readonly account: Account;
  readonly session: Session;
  readonly sight: Sight;
}

/** What the page shows of the headers that arrive at it. */
export interface Sight {
  readonly status: number;
  /** Whether the guard lets the session pass. */
  readonly isAdmitted: boolean;
  readonly showsHeaders: boolean;
  readonly showsLogin: boolean;
}

/** What mends a guard that does not ask, or not always. */
export const ask = `forward_auth 127.0.0.1:8000 {   # in route, with no matcher before the address
	uri /guard/users
	copy_headers Remote-User Remote-Id Remote-Groups
}`;

/** What mends a page to log in that is not there. */
export const mount = `handle_path /auth/* {   # in route, before forward_auth
	reverse_proxy 127.0.0.1:8000
}`;

/** Where a line belongs that takes something from what the client says. */
export const first = "   # in route, before all else";
/** And one that takes away what the guard has read. */
const last = "   # in route, after forward_auth";
/** What mends hop-by-hop headers that arrive. */
export const onlyWebsocket = `@guard-not-websocket not {${first}
	header_regexp Connection (?i)upgrade
	header_regexp Upgrade (?i)^websocket$
}
request_header @guard-not-websocket -Upgrade
request_header @guard-not-websocket -Connection
@guard-websocket header Upgrade *
request_header @guard-websocket Upgrade websocket
request_header @guard-websocket Connection Upgrade
request_header -HTTP2-Settings`;
/** What mends names of other guards that arrive. */
export const noOtherNames = `request_header -*Remote*${first}\n` +
  ["*Proxy*", "*-IP*", "*WebAuth*", "*Auth-Request*", "*Auth-User*", "*Authenticated*", "*Authentik*"]
    .concat("*SSL-Client*", "*Client-Cert*", "X-Token-*", "X-User", "X-Username", "X-Original-*", "X-Rewrite-URL")
    .map((name) => `request_header -${name}`).join("\n");
/** What mends a session or a password that arrives. */
export const noCredentials = `request_header -Authorization${last}
request_header Cookie [;\\s]*$ ;
@guard-cookie header Cookie *
request_header @guard-cookie Cookie {header.Cookie}
request_header Cookie ;, "; "
request_header Cookie "(^|;)(\\s*(__Host-gatehouse[^=;]*=[^;]*)?;)+" $1
request_header Cookie ^\\s+|;$ $nothing
@guard-no-cookie header Cookie ""
request_header @guard-no-cookie -Cookie`;

/** What browsers send when a person goes to a page. */
export const navigation = ["Sec-Fetch-Mode: navigate", "Accept: text/html"];

/** What browsers take for another host, where a path is meant. */
export const elsewhere = ["//evil.example/", "///evil.example/", "/\\evil.example/"];

/** Requests the page by a session. */
export function visit(inside: Pick<Inside, "site" | "path" | "session">, headers: readonly string[] = []) {
  const { site, path, session } = inside;
  return site.send("GET", path, { headers: [`Cookie: ${session.cookie}`, ...headers] });
}

/** Where a reply redirects a browser to; `undefined` when it does not. */
export function redirectOf({ url }: SiteClient, { status, headers }: Reply): URL | undefined {
  const location = headers.get("location");
  if (status < 300 || status > 399 || location === null) return undefined;
  // To a browser two or more of these begin a host; Deno takes no more than two.
  return URL.parse(location.replace(/^[/\\]{2,}/, "//"), url) ?? undefined;
}

/** Whether no path of these leads a browser off the host. */
export async function staysOnHost(
  site: SiteClient,
  targets: readonly string[],
  { headers = [] }: Message = {},
): Promise<Verdict> {
  for (const target of targets) {
    const reply = await site.send("GET", target, { headers: [...headers, ...navigation] });
    const host = redirectOf(site, reply)?.host;
    if (host !== undefined && host !== site.url.host) return { fault: `${target} leads to ${host}` };
  }
  return "pass";
}

/** Whether a reply leads to the page to log in. */
export function isToLogin(site: SiteClient, reply: Reply): boolean {
  const target = redirectOf(site, reply);
  return target?.host === site.url.host && target.pathname === "/auth/";
}

/** Whether who asked has got nothing of the site: a guard's refusal, or that of a server that could not read it. */
export function isRefused(site: SiteClient, reply: Reply): boolean {
  return reply.status === 401 || reply.status === 400 || isToLogin(site, reply);
}

/** Whether a text stands anywhere in a reply. */
export function hasText({ headers, body }: Reply, text: string): boolean {
  return body.includes(text) || [...headers].some(([, value]) => value.includes(text));
}
