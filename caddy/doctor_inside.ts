/**
 * What the doctor checks with a session: what arrives at the site, and that a session ends.
 *
 * What arrives is known as far as the page shows it. Forged values carry a marker: to see it is a fault wherever it
 * stands, but not to see it means something only on a page that shows what was not forged.
 */

import {
  ask,
  type Check,
  elsewhere,
  first,
  hasText,
  type Inside,
  isRefused,
  mount,
  noCredentials,
  noOtherNames,
  onlyWebsocket,
  type Sight,
  staysOnHost,
  type Unknown,
  type Verdict,
  visit,
} from "./doctor_check.ts";
import type { Reply } from "./doctor_client.ts";

const pageShowsNothing: Unknown = { unknown: "the page shows no headers", needsHeadersPage: true };
const pageShowsNoCookies: Unknown = { unknown: "the page shows no cookies", needsHeadersPage: true };
/** Where `next` might lead to; the last three cannot be asked for as paths. */
const nexts = [...elsewhere, "https://evil.example/", "/\t/evil.example/", "\\\\evil.example/"];
/** Nobody has it (RFC 5737). */
const forgedAddress = "203.0.113.77";

/** What the page shows of a request with these headers. */
export async function look(inside: Omit<Inside, "sight">, headers: readonly string[] = []): Promise<Sight> {
  const { marker, account } = inside;
  const reply = await visit(inside, [`Doctor-Probe: ${marker}`, ...headers]);
  const login = RegExp.escape(account.credentials.login.toLowerCase());
  return {
    status: reply.status,
    isAdmitted: isAdmitted(inside, reply),
    showsHeaders: hasText(reply, marker),
    showsLogin: new RegExp(`(?<![a-z0-9])${login}(?![a-z0-9])`).test(reply.body),
  };
}

/** Without it nothing can be told of the others. */
export const admitted: Check<Inside> = {
  id: "session",
  holds: "a session lets in",
  mend: ask,
  run({ path, sight: { isAdmitted, status } }) {
    if (isAdmitted) return "pass";
    const text = `with a session ${path} is answered with ${status}`;
    // 403 is the guard's right: a group that the account is not in.
    return status === 403 ? { unknown: `${text}; name a user that may by DOCTOR_LOGIN` } : { fault: text };
  },
};

const identity: Check<Inside> = {
  id: "identity",
  holds: "the site is told who asks, and the client cannot prevent it",
  mend: `copy_headers Remote-User Remote-Id Remote-Groups   # in forward_auth\n${onlyWebsocket}`,
  async run(inside) {
    const { showsHeaders, showsLogin } = inside.sight;
    if (!showsLogin) return showsHeaders ? { fault: "the login does not arrive" } : pageShowsNothing;
    // Caddy drops what Connection names from what it sends on, its own headers too.
    const dropping = await look(inside, ["Connection: close, Remote-User"]);
    return dropping.showsLogin ? "pass" : { fault: "`Connection: Remote-User` takes the login away" };
  },
};

const remote: Check<Inside> = {
  id: "remote",
  holds: "forged Remote-* headers do not arrive at the site",
  mend: `request_header -*Remote*${first}`,
  run: (inside) => neverArrive(inside, ["Remote-User", "Remote-Email", "Remote-Name", "Remote-Groups", "Remote-Id"]),
};

const underscores: Check<Inside> = {
  id: "underscores",
  holds: "forged names with _ or ., such as Remote_User, do not arrive at the site",
  mend: `request_header -*_*${first}\nrequest_header -*.*${first}`,
  run: (inside) => {
    const names = ["Remote_User", "REMOTE_EMAIL", "remote_groups", "Remote.User"];
    return neverArrive(inside, [...names, "X_Real_IP", "X_WebAuth_User", "X_Original_URL", "X.Real.IP"]);
  },
};

const forwarded: Check<Inside> = {
  id: "forwarded",
  holds: "forged X-Forwarded-* headers do not arrive at the site",
  mend: `request_header -*Forwarded*${first}`,
  run: (inside) => {
    const names = ["For", "Host", "Proto", "Uri", "User", "Email", "Groups", "Preferred-Username"];
    const dashed = names.map((name) => `X-Forwarded-${name}`);
    return neverArrive(inside, [...dashed, "X_Forwarded_For", "X_Forwarded_User", "Forwarded"]);
  },
};

const names: Check<Inside> = {
  id: "names",
  holds: "other forged names that apps trust for user, address or page do not arrive at the site",
  mend: noOtherNames,
  run: (inside) => {
    const identities = ["X-Remote-User", "X-WebAuth-User", "X-Auth-Request-User", "X-Authenticated-User", "X-User"];
    const others = ["X-authentik-username", "X-Auth-User", "X-Proxy-User", "X-Token-User-Name", "SSL-Client-Cert"];
    const addresses = ["X-Real-IP", "True-Client-IP", "CF-Connecting-IP", "X-Client-IP"];
    return neverArrive(inside, [...identities, ...others, ...addresses, "X-Original-URL", "X-Rewrite-URL"]);
  },
};

const upgrade: Check<Inside> = {
  id: "upgrade",
  holds: "a connection becomes a websocket or nothing else: past the guard, an app would take requests over h2c",
  mend: onlyWebsocket,
  async run(inside) {
    const { marker, sight } = inside;
    // What takes h2c away leaves it of `hh2c2c`. Of two lines Caddy passes the first on.
    const values = [["h2c"], ["hh2c2c"], [marker], [`h2c, ${marker}`], [`websocket, ${marker}`], [marker, "websocket"]];
    for (const lines of values) {
      const headers = ["Connection: close, Upgrade, HTTP2-Settings", "HTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA"];
      const reply = await visit(inside, [...headers, ...lines.map((value) => `Upgrade: ${value}`)]);
      const isSwitched = reply.status === 101 && !lines.includes("websocket");
      if (isSwitched || hasText(reply, marker)) return { fault: `\`Upgrade: ${lines.join()}\` arrives` };
    }
    if (hasText(await visit(inside, [`HTTP2-Settings: ${marker}`]), marker)) return { fault: "HTTP2-Settings arrives" };
    return sight.showsHeaders ? "pass" : pageShowsNothing;
  },
};

const address: Check<Inside> = {
  id: "address",
  holds: "whoever logs in cannot choose the address that it counts for",
  mend: `request_header -*Forwarded*${first}; and no trusted_proxies in handle_path /auth/*`,
  async run({ account }) {
    const forged = [`X-Forwarded-For: ${forgedAddress}`, `Forwarded: for=${forgedAddress}`];
    const session = await account.logIn(forged);
    if (typeof session === "string") return { unknown: session };
    const addresses = await account.addresses(session);
    if (addresses === undefined) return { unknown: "the sessions of the account are not shown" };
    return addresses.includes(forgedAddress) ? { fault: "a forged X-Forwarded-For is believed" } : "pass";
  },
};

const ended: Check<Inside> = {
  id: "ended",
  holds: "a session that was ended lets nobody in",
  mend: ask,
  async run(inside) {
    const { account } = inside;
    const session = await account.logIn();
    if (typeof session === "string") return { unknown: session };
    // Asked before, for who keeps the guard's answers.
    await visit({ ...inside, session });
    const fault = await account.logOut(session);
    if (fault !== undefined) return { unknown: fault };
    const reply = await visit({ ...inside, session });
    return isRefused(inside.site, reply) ? "pass" : { fault: `it is answered with ${reply.status}` };
  },
};

const credentials: Check<Inside> = {
  id: "credentials",
  holds: "neither session nor password arrive at the site",
  mend: noCredentials,
  async run(inside) {
    const { site, path, session, marker, sight } = inside;
    const secret = session.token.slice(session.token.indexOf(".") + 1);
    const byCookie = await site.send("GET", path, { headers: [`Cookie: a=${marker}; ${session.cookie}; b=c`] });
    if (hasText(byCookie, secret)) return { fault: "the session's cookie arrives" };
    // The cookie lets it pass, so that no password need be sent to a site that may get it.
    for (const scheme of ["Bearer", "Basic"]) {
      const headers = [`Cookie: ${session.cookie}`, `Authorization: ${scheme} ${marker}`];
      if (hasText(await site.send("GET", path, { headers }), marker)) {
        return { fault: `Authorization: ${scheme} arrives` };
      }
    }
    if (!sight.showsHeaders) return pageShowsNothing;
    return hasText(byCookie, marker) ? "pass" : pageShowsNoCookies;
  },
};

const next: Check<Inside> = {
  id: "next",
  holds: "after logging in nobody is led off the host",
  mend: mount,
  run({ site, session }) {
    const values = nexts.flatMap((url) => [encodeURIComponent(url), url.replace(/[\t\\]/g, encodeURIComponent)]);
    return staysOnHost(site, values.map((value) => `/auth/?next=${value}`), { headers: [`Cookie: ${session.cookie}`] });
  },
};

const query: Check<Inside> = {
  id: "query",
  holds: "the query of a page makes no difference to the guard",
  mend: "uri /guard/users   # in forward_auth: the demand is its path, and nothing of the page",
  async run(inside) {
    const { path, marker } = inside;
    // A group that nobody is in, of the form of a group; the others are of the guard's and the page's own.
    for (const query of [`group=${marker.slice(0, 32)}`, "next=//evil.example/", "second-factor"]) {
      const reply = await visit({ ...inside, path: `${path}${path.includes("?") ? "&" : "?"}${query}` });
      if (!isAdmitted(inside, reply)) {
        return { fault: `?${query.replace(marker.slice(0, 32), "…")} of a page is answered with ${reply.status}` };
      }
    }
    return "pass";
  },
};

/** In this order, as what is most wrong comes first. */
export const insideChecks: readonly Check<Inside>[] = [
  admitted,
  ended,
  identity,
  remote,
  underscores,
  forwarded,
  names,
  upgrade,
  address,
  credentials,
  next,
  query,
];

/** Whether headers of these names, forged, stay away from the site. */
async function neverArrive(inside: Inside, names: readonly string[]): Promise<Verdict> {
  const { marker, sight } = inside;
  for (const name of names) {
    if (hasText(await visit(inside, [`${name}: ${marker}`]), marker)) return { fault: `${name} arrives` };
  }
  return sight.showsHeaders ? "pass" : pageShowsNothing;
}

function isAdmitted({ site }: Pick<Inside, "site">, reply: Reply): boolean {
  return !isRefused(site, reply) && reply.status !== 403 && reply.status < 500;
}
