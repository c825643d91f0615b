/**
 * The table of the doctor's checks with a session: what arrives at the site, and that a session ends.
 *
 * What arrives is known as far as the page shows it. Forged values contain a marker: seeing it anywhere is a failure,
 * but not seeing it only counts on a page that shows headers that were not forged.
 */

import { type Check, elsewhere, type Failure, fixes, type Member, type Observation } from "./doctor_checks.ts";
import type { SiteResponse } from "./doctor_client.ts";

const pageShowsNothing: Failure = { unknown: "the page shows no headers", needsHeadersPage: true };
/** An address that is reserved for documentation (RFC 5737). */
const forgedAddress = "203.0.113.77";

/** Checks with a session, in this order. Without the first, the others cannot tell. */
export const memberChecks: Readonly<Record<string, Check<Member>>> = {
  session: {
    holds: "a session is admitted",
    fixes: [fixes.askGuard],
    run({ path, observation: { response } }) {
      if (response.isAdmitted) return undefined;
      const text = `with a session the response to ${path} is ${response.status}`;
      // A guard may require a group that the account is not in.
      return response.status === 403 ? { unknown: `${text}; set DOCTOR_LOGIN to a user that may see it` } : text;
    },
  },
  ended: {
    holds: "a session that has ended is refused",
    fixes: [fixes.askGuard],
    async run(member) {
      const session = await member.account.logIn();
      if (typeof session === "string") return { unknown: session };
      // Requested before, in case something caches the guard's responses.
      await visit({ ...member, session });
      const failure = await member.account.logOut(session);
      if (failure !== undefined) return { unknown: failure };
      const { isRefused, status } = await visit({ ...member, session });
      return isRefused ? undefined : `the response is ${status}`;
    },
  },
  identity: {
    holds: "the site receives the login, and the client cannot prevent it",
    fixes: [fixes.askGuard, fixes.websocket],
    async run(member) {
      const { showsHeaders, showsLogin } = member.observation;
      if (!showsLogin) return showsHeaders ? "the login does not arrive" : pageShowsNothing;
      // Caddy drops the headers that Connection names, including its own.
      const dropping = await observe(member, ["Connection: close, Remote-User"]);
      return dropping.showsLogin ? undefined : "`Connection: Remote-User` removes the login";
    },
  },
  remote: {
    holds: "forged Remote-* headers do not arrive at the site",
    fixes: [fixes.remote],
    run: neverArrive("Remote-User Remote-Email Remote-Name Remote-Groups Remote-Id"),
  },
  underscores: {
    holds: "forged names with _ or ., such as Remote_User, do not arrive at the site",
    fixes: [fixes.underscores],
    run: neverArrive(
      "Remote_User REMOTE_EMAIL remote_groups Remote.User X_Real_IP X_WebAuth_User X_Original_URL X.Real.IP",
    ),
  },
  forwarded: {
    holds: "forged X-Forwarded-* headers do not arrive at the site",
    fixes: [fixes.forwarded],
    run: neverArrive(
      "X-Forwarded-For X-Forwarded-Host X-Forwarded-Proto X-Forwarded-Uri X-Forwarded-User X-Forwarded-Email " +
        "X-Forwarded-Groups X-Forwarded-Preferred-Username X_Forwarded_For X_Forwarded_User Forwarded",
    ),
  },
  names: {
    holds: "other forged names that apps trust for user, address or page do not arrive at the site",
    fixes: [fixes.remote, fixes.names],
    run: neverArrive(
      "X-Remote-User X-WebAuth-User X-Auth-Request-User X-Authenticated-User X-User X-authentik-username " +
        "X-Auth-User X-Proxy-User X-Token-User-Name SSL-Client-Cert X-Real-IP True-Client-IP CF-Connecting-IP " +
        "X-Client-IP X-Original-URL X-Rewrite-URL",
    ),
  },
  upgrade: {
    holds: "a connection can only become a websocket: over h2c an app would take requests past the guard",
    fixes: [fixes.websocket],
    async run(member) {
      const { marker, observation } = member;
      // Removing "h2c" leaves it in `hh2c2c`. Of two lines Caddy passes on the first.
      const values = [["h2c"], ["hh2c2c"], [marker], [`h2c, ${marker}`], [`websocket, ${marker}`]];
      for (const lines of [...values, [marker, "websocket"]]) {
        const headers = ["Connection: close, Upgrade, HTTP2-Settings", "HTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA"];
        const upgrades = lines.map((value) => `Upgrade: ${value}`);
        const response = await visit(member, [...headers, ...upgrades]);
        const isSwitched = response.status === 101 && !lines.includes("websocket");
        if (isSwitched || response.includes(marker)) return `\`Upgrade: ${lines.join()}\` arrives`;
      }
      const settings = await visit(member, [`HTTP2-Settings: ${marker}`]);
      if (settings.includes(marker)) return "HTTP2-Settings arrives";
      return observation.showsHeaders ? undefined : pageShowsNothing;
    },
  },
  address: {
    holds: "a client cannot choose the address that its login counts for",
    fixes: [fixes.forwarded],
    async run({ account }) {
      const session = await account.logIn([`X-Forwarded-For: ${forgedAddress}`, `Forwarded: for=${forgedAddress}`]);
      if (typeof session === "string") return { unknown: session };
      const addresses = await account.addresses(session);
      if (addresses === undefined) return { unknown: "the sessions of the account are not shown" };
      return addresses.includes(forgedAddress) ? "a forged X-Forwarded-For is trusted" : undefined;
    },
  },
  credentials: {
    holds: "neither session nor password arrives at the site",
    fixes: [fixes.credentials],
    async run(member) {
      const { site, path, session, marker, observation } = member;
      const cookies = await site.get(path, [`Cookie: a=${marker}; ${session.cookie}; b=c`]);
      if (cookies.includes(session.secret)) return "the session's cookie arrives";
      // The cookie is admitted, so no password need be sent to a site that may receive it.
      for (const scheme of ["Bearer", "Basic"]) {
        const response = await visit(member, [`Authorization: ${scheme} ${marker}`]);
        if (response.includes(marker)) return `Authorization: ${scheme} arrives`;
      }
      if (!observation.showsHeaders) return pageShowsNothing;
      return cookies.includes(marker) ? undefined : { unknown: "the page shows no cookies", needsHeadersPage: true };
    },
  },
  next: {
    holds: "after login nobody is redirected to another host",
    fixes: [fixes.loginPage],
    async run({ site, session }) {
      const urls = [...elsewhere, "https://evil.example/", "/\t/evil.example/", "\\\\evil.example/"];
      const values = urls.flatMap((url) => [encodeURIComponent(url), url.replace(/[\t\\]/g, encodeURIComponent)]);
      for (const next of values) {
        const { otherHost } = await site.navigate(`/auth/?next=${next}`, [`Cookie: ${session.cookie}`]);
        if (otherHost !== undefined) return `/auth/?next=${next} redirects to ${otherHost}`;
      }
      return undefined;
    },
  },
  query: {
    holds: "the query of a page does not change the guard's decision",
    fixes: [fixes.askGuard],
    async run(member) {
      const { path, marker } = member;
      // A valid group without members; the others belong to the guard and to the page.
      for (const query of [`group=${marker.slice(0, 32)}`, "next=//evil.example/", "second-factor"]) {
        const target = `${path}${path.includes("?") ? "&" : "?"}${query}`;
        const { isAdmitted, status } = await visit({ ...member, path: target });
        if (!isAdmitted) return `the response with ?${query} is ${status}`;
      }
      return undefined;
    },
  },
};

/** What the page shows of a request with these headers. */
export async function observe(
  member: Omit<Member, "observation">,
  headers: readonly string[] = [],
): Promise<Observation> {
  const { marker, account } = member;
  const response = await visit(member, [`Doctor-Probe: ${marker}`, ...headers]);
  const login = new RegExp(`(?<![a-z0-9])${RegExp.escape(account.login.toLowerCase())}(?![a-z0-9])`);
  return { response, showsHeaders: response.includes(marker), showsLogin: login.test(response.body) };
}

/** Requests the page with the session. */
function visit(member: Omit<Member, "observation">, headers: readonly string[] = []): Promise<SiteResponse> {
  const { site, path, session } = member;
  return site.get(path, [`Cookie: ${session.cookie}`, ...headers]);
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
