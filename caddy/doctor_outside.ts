/** What the doctor checks without a session: that nothing of the site is to be had. */

import {
  ask,
  type Check,
  elsewhere,
  isRefused,
  isToLogin,
  mount,
  navigation,
  type Outside,
  redirectOf,
  staysOnHost,
  type Verdict,
} from "./doctor_check.ts";
import type { Message } from "./doctor_client.ts";

/** What a careless redirect leads off the host from; the last two only when it decodes or shortens a path. */
const leadingOff = [...elsewhere, "/%2fevil.example/", "//evil.example/%2e%2e"];

/** What mends paths of Gatehouse that are for the machine alone. */
const mendPrivate = "@private path /auth/metrics /auth/metrics/* /auth/guard /auth/guard/*   # in route, before " +
  "handle_path\nerror @private 404";

const noSession: Check<Outside> = {
  id: "no-session",
  holds: "without a session people are led to the page to log in, and programs get 401",
  mend: ask,
  async run({ site, path }) {
    const shown = await site.send("GET", path, { headers: navigation });
    const target = isToLogin(site, shown) ? redirectOf(site, shown) : undefined;
    if (target === undefined) return { fault: `a browser that navigates gets ${shown.status}` };
    const next = target.searchParams.get("next");
    if (next !== path) return { fault: `after logging in the browser goes to ${next} instead of ${path}` };
    const program = await site.send("GET", path);
    if (program.status !== 401) return { fault: `a program gets ${program.status}` };
    return program.headers.has("www-authenticate") ? "pass" : { fault: "the 401 lacks WWW-Authenticate" };
  },
};

const page: Check<Outside> = {
  id: "page",
  holds: "the page to log in is there, at /auth/ and /auth",
  mend: `redir /auth /auth/\n${mount}`,
  async run({ site }) {
    const shown = await site.send("GET", "/auth/", { headers: navigation });
    const isPage = shown.status === 200 && shown.headers.get("content-type")?.startsWith("text/html");
    if (!isPage) return { fault: `/auth/ is answered with ${shown.status}` };
    const bare = await site.send("GET", "/auth");
    return isToLogin(site, bare) ? "pass" : { fault: `/auth is answered with ${bare.status}` };
  },
};

const methods: Check<Outside> = {
  id: "methods",
  holds: "no method passes without a session",
  mend: ask,
  run: (outside) => {
    const names = ["HEAD", "OPTIONS", "POST", "PUT", "DELETE", "PATCH", "PROPFIND", "TRACE", "DOCTOR"];
    return allRefused(outside, names.map((method) => ({ method, target: nowhere(outside) })));
  },
};

const paths: Check<Outside> = {
  id: "paths",
  holds: "no path that looks like /auth/ passes without a session",
  mend: ask,
  run: (outside) => {
    const { path } = outside;
    const roots = ["/auth/..", "/auth/%2e%2e", "//auth/..", "/%61uth/..", "/AUTH/..", "/auth/x/../..", "/%2e", "/"];
    const targets = ["/authx", "/auth..", "/auth../", "/auth%2f..%2f", "/auth;/", "/auth%00/"];
    return allRefused(outside, [...roots.map((root) => root + path), ...targets].map((target) => ({ target })));
  },
};

const forged: Check<Outside> = {
  id: "forged",
  holds: "neither forged Remote-* headers nor a made-up session let in",
  mend: ask,
  run: (outside) => {
    const token = `01ARZ3NDEKTSV4RRFFQ69G5FAV.${"A".repeat(43)}`;
    const identity = ["User: admin", "Id: 01ARZ3NDEKTSV4RRFFQ69G5FAV", "Groups: users,admin"];
    return allRefused(outside, [
      { headers: identity.map((line) => `Remote-${line}`) },
      { headers: identity.map((line) => `Remote_${line}`) },
      { headers: [`Cookie: __Host-gatehouse=${token}`] },
      { headers: [`Authorization: Bearer ${token}`] },
    ]);
  },
};

const decision: Check<Outside> = {
  id: "decision",
  holds: "forged X-Forwarded-* headers do not change what the guard decides",
  mend: "request_header -*Forwarded*   # in route, before all else; forward_auth says method and path by itself",
  async run(outside) {
    const { site, path, marker } = outside;
    const uri = await site.send("GET", path, { headers: [...navigation, `X-Forwarded-Uri: /${marker}`] });
    if (redirectOf(site, uri)?.search.includes(marker)) return { fault: "the guard believes a forged X-Forwarded-Uri" };
    const honest = await site.send("POST", nowhere(outside), { headers: navigation });
    const method = await site.send("POST", nowhere(outside), { headers: [...navigation, "X-Forwarded-Method: GET"] });
    return method.status === honest.status ? "pass" : { fault: "the guard believes a forged X-Forwarded-Method" };
  },
};

const redirect: Check<Outside> = {
  id: "redirect",
  holds: "without a session no path leads off the host",
  mend: ask,
  run: ({ site }) => staysOnHost(site, leadingOff),
};

const metrics: Check<Outside> = {
  id: "metrics",
  holds: "/auth/metrics is not to be had",
  mend: mendPrivate,
  async run({ site }) {
    const spellings = ["metrics", "metrics/", "/metrics", "./metrics", "METRICS", "%6detrics", "x/../metrics"];
    for (const target of spellings.map((spelling) => `/auth/${spelling}`)) {
      const { status } = await site.send("GET", target);
      if (status < 400) return { fault: `${target} is answered with ${status}` };
    }
    return "pass";
  },
};

const guard: Check<Outside> = {
  id: "guard",
  holds: "/auth/guard/ is not to be had: only the proxy asks the guard",
  mend: mendPrivate,
  async run({ site }) {
    for (const spelling of ["guard/", "guard/users", "/guard/", "./guard/", "%67uard/", "x/../guard/"]) {
      const target = `/auth/${spelling}`;
      const reply = await site.send("GET", target, { headers: navigation });
      // Asked by a proxy for a page, the guard would name it in `next`.
      const isAsked = isToLogin(site, reply) && !redirectOf(site, reply)?.searchParams.has("next");
      if (isAsked || reply.headers.has("remote-user")) return { fault: `${target} is answered by the guard` };
    }
    return "pass";
  },
};

/** In this order, as what is most wrong comes first. */
export const outsideChecks: readonly Check<Outside>[] = [
  noSession,
  page,
  methods,
  paths,
  forged,
  decision,
  redirect,
  metrics,
  guard,
];

/** Beside the page, where nothing is: a site that is not guarded is not to be harmed by a DELETE. */
function nowhere({ site, path, marker }: Outside): string {
  return new URL(marker, new URL(path, site.url)).pathname;
}

interface Request extends Message {
  readonly method?: string;
  readonly target?: string;
}

async function allRefused({ site, path }: Outside, requests: readonly Request[]): Promise<Verdict> {
  for (const { method = "GET", target = path, headers = [] } of requests) {
    const reply = await site.send(method, target, { headers });
    const [forged] = headers.map((line) => ` with a forged ${line.split(":", 1).join()}`);
    if (!isRefused(site, reply)) {
      return { fault: `${method} ${target}${forged ?? ""} is answered with ${reply.status}` };
    }
  }
  return "pass";
}
