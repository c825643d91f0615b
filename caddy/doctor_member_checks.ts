/**
 * The doctor's checks with a session, in the order of the table in `doctor.ts`, which says what each of them ensures.
 * What arrives at the site is known as far as the page shows it. Forged values contain a marker: seeing it anywhere is
 * a failure, but not seeing it only counts on a page that shows headers that were not forged.
 */

import type { Account } from "./doctor_account.ts";
import { type Check, elsewhere, type Failure, type Visitor } from "./doctor_checks.ts";
import type { SiteResponse } from "./doctor_client.ts";

/** A visitor who has logged in. */
export interface Entered extends Visitor {
  readonly account: Account;
  /** The cookie of the session, as `name=value`. */
  readonly cookie: string;
}

/** What a check with a session works with. */
export interface Member extends Entered {
  readonly observation: Awaited<ReturnType<typeof observe>>;
}

/** Checks that need a page that prints its request headers cannot tell. */
export const pageShowsNothing: Failure = { unknown: "the page shows no headers" };

/** An address that is reserved for documentation (RFC 5737). */
const forgedAddress = "203.0.113.77";

/** Checks with a session, in this order. Without the first, the others cannot tell. */
export const memberChecks: Readonly<Record<string, Check<Member>>> = {
  session({ path, observation: { response } }) {
    if (response.isAdmitted) return undefined;
    const text = `with a session the response to ${path} is ${response.status}`;
    // A guard may require a group that the account is not in.
    return response.status === 403 ? { unknown: `${text}; set DOCTOR_LOGIN to a user that may see it` } : text;
  },
  async ended(member) {
    const cookie = await member.account.logIn();
    // Requested before, in case something caches the guard's responses.
    const { isAdmitted, headers } = await visit({ ...member, cookie });
    await member.account.logOut(cookie);
    const { isRefused, status } = await visit({ ...member, cookie });
    if (!isRefused) return `the response is ${status}`;
    return isAdmitted && !headers.has("cache-control") ? "browsers keep pages, without Cache-Control" : undefined;
  },
  async identity(member) {
    const { showsHeaders, showsLogin } = member.observation;
    if (!showsLogin) return showsHeaders ? "the login does not arrive" : pageShowsNothing;
    // Caddy drops the headers that Connection names, including its own.
    const dropping = await observe(member, ["Connection: close, Remote-User"]);
    return dropping.showsLogin ? undefined : "`Connection: Remote-User` removes the login";
  },
  remote: neverArrive("Remote-User Remote-Email Remote-Name Remote-Groups Remote-Id"),
  underscores: neverArrive(
    "Remote_User REMOTE_EMAIL remote_groups Remote.User X_Real_IP X_WebAuth_User X_Original_URL X.Real.IP",
  ),
  forwarded: neverArrive(
    "X-Forwarded-For X-Forwarded-Host X-Forwarded-Proto X-Forwarded-Uri X-Forwarded-User X-Forwarded-Email " +
      "X-Forwarded-Groups X-Forwarded-Preferred-Username X_Forwarded_For X_Forwarded_User Forwarded",
  ),
  names: neverArrive(
    "X-Remote-User X-WebAuth-User X-Auth-Request-User X-Authenticated-User X-User X-authentik-username " +
      "X-Auth-User X-Proxy-User X-Token-User-Name SSL-Client-Cert X-Real-IP True-Client-IP CF-Connecting-IP " +
      "X-Client-IP X-Original-URL X-Rewrite-URL",
  ),
  async upgrade(member) {
    const { marker, observation } = member;
    // Removing "h2c" leaves it in `hh2c2c`. Of two lines Caddy passes on the first.
    const values = [["h2c"], ["hh2c2c"], [marker], [`h2c, ${marker}`], [`websocket, ${marker}`]];
    for (const lines of [...values, [marker, "websocket"]]) {
      const headers = ["Connection: close, Upgrade, HTTP2-Settings", "HTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA"];
      const response = await visit(member, [...headers, ...lines.map((value) => `Upgrade: ${value}`)]);
      const isSwitched = response.status === 101 && !lines.includes("websocket");
      if (isSwitched || response.includes(marker)) return `\`Upgrade: ${lines.join()}\` arrives`;
    }
    if ((await visit(member, [`HTTP2-Settings: ${marker}`])).includes(marker)) return "HTTP2-Settings arrives";
    return observation.showsHeaders ? undefined : pageShowsNothing;
  },
  async address({ account }) {
    const cookie = await account.logIn([`X-Forwarded-For: ${forgedAddress}`, `Forwarded: for=${forgedAddress}`]);
    const sessions = await account.listSessions(cookie);
    if (sessions.status !== 200) return { unknown: "the sessions of the account are not shown" };
    return sessions.includes(forgedAddress) ? "a forged X-Forwarded-For is trusted" : undefined;
  },
  async credentials(member) {
    const { site, path, cookie, marker, observation } = member;
    const cookies = await site.get(path, [`Cookie: a=${marker}; ${cookie}; b=c`]);
    // The secret half of the token.
    if (cookies.includes(cookie.slice(cookie.indexOf(".") + 1))) return "the session's cookie arrives";
    // The cookie is admitted, so no password need be sent to a site that may receive it.
    for (const scheme of ["Bearer", "Basic"]) {
      const header = `Authorization: ${scheme}`;
      if ((await visit(member, [`${header} ${marker}`])).includes(marker)) return `${header} arrives`;
    }
    return observation.showsHeaders && cookies.includes(marker) ? undefined : pageShowsNothing;
  },
  async next({ account, cookie }) {
    const urls = [...elsewhere, "https://evil.example/", "/\t/evil.example/", "\\\\evil.example/"];
    const values = urls.flatMap((url) => [encodeURIComponent(url), url.replace(/[\t\\]/g, encodeURIComponent)]);
    for (const next of values) {
      const { otherHost } = await account.follow(next, cookie);
      if (otherHost !== undefined) return `/auth/?next=${next} redirects to ${otherHost}`;
    }
    return undefined;
  },
  async query(member) {
    const { path, marker } = member;
    // A valid group without members; the others belong to the guard and to the page.
    for (const query of [`group=${marker.slice(0, 32)}`, "next=//evil.example/", "second-factor"]) {
      const target = `${path}${path.includes("?") ? "&" : "?"}${query}`;
      const { isAdmitted, status } = await visit({ ...member, path: target });
      if (!isAdmitted) return `the response with ?${query} is ${status}`;
    }
    return undefined;
  },
};

/** What the page shows of a request with these headers. */
export async function observe(member: Entered, headers: readonly string[] = []) {
  const { marker, account } = member;
  const response = await visit(member, [`Doctor-Probe: ${marker}`, ...headers]);
  const login = new RegExp(`(?<![a-z0-9])${RegExp.escape(account.user.login.toLowerCase())}(?![a-z0-9])`);
  return { response, showsHeaders: response.includes(marker), showsLogin: login.test(response.body) };
}

/** Requests the page with the session. */
function visit({ site, path, cookie }: Entered, headers: readonly string[] = []): Promise<SiteResponse> {
  return site.get(path, [`Cookie: ${cookie}`, ...headers]);
}

/** Checks that forged headers of these names do not arrive at the site. @param names separated by spaces */
function neverArrive(names: string): (member: Member) => Promise<Failure> {
  return async (member) => {
    const { marker, observation } = member;
    for (const name of names.split(" ")) {
      if ((await visit(member, [`${name}: ${marker}`])).includes(marker)) return `${name} arrives`;
    }
    return observation.showsHeaders ? undefined : pageShowsNothing;
  };
}
