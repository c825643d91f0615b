/** The task `doctor` before nginx: the project's files pass, and each mistake in them fails exactly its checks. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { checks, examine } from "../../caddy/doctor.ts";
import { proxyOf } from "../../caddy/doctor_fixes.ts";
import { startGuarded } from "../support/caddy/guarded.ts";
import type { Edit } from "../support/caddy/edited_caddyfile.ts";
import { runDoctor } from "../support/caddy/run_doctor.ts";
import { ensureProgram } from "../support/packages.ts";
import { startService } from "../support/service.ts";

const ignore = !await ensureProgram("nginx", "nginx-light");
const app = "\t\tproxy_pass http://127.0.0.1:3000;\n";
const authLocation = "location ^~ /auth/ {\n";
const asked = "\t\tclient_max_body_size 0;\n";
const cacheKey = "\t\tproxy_cache_key $http_cookie$http_authorization;\n\t\tproxy_cache_valid 200 1m;\n";
const redirectToNext = "\tif ($http_cookie ~ __Host-gatehouse=) {\n\t\treturn 302 $arg_next;\n\t}\n";
const end = "add_header Cache-Control $gatehouse_cache_control always;\n";
const forwardedFor = "proxy_set_header X-Forwarded-For $remote_addr;";

/** Mistakes, with the checks that fail and edits of the project's files. */
const mistakes: readonly (readonly [mistake: string, checks: string, ...edits: Edit[]])[] = [
  [
    "the redirect to the login page is not passed on, which a subrequest cannot be",
    "no-session",
    ["proxy_set_header Gatehouse-Subrequest 1;\n", ""],
  ],
  ["/auth, as people type it, is a page of the site", "page", [
    authLocation,
    `location = /auth {\n${app}}\n${authLocation}`,
  ]],
  [
    "preflights are answered before the guard is asked",
    "methods",
    [app, `\t\tif ($request_method = OPTIONS) {\n\t\t\treturn 204;\n\t\t}\n${app}`],
  ],
  [
    "without its last slash, /auth leaves other paths unguarded",
    "page paths",
    [authLocation, `location /auth {\n\tauth_request off;\n${app}}\n${authLocation}`],
  ],
  [
    "a request that another proxy has checked passes, and anyone can pretend to be that proxy",
    "forged",
    [app, `\t\tif ($http_remote_user) {\n\t\t\trewrite ^ /checked last;\n\t\t}\n${app}`],
    [authLocation, `location = /checked {\n\tinternal;\n\tauth_request off;\n${app}}\n${authLocation}`],
  ],
  [
    "the client can choose the path that the guard sees",
    "decision",
    ["proxy_set_header X-Forwarded-Uri $request_uri;", "proxy_set_header X-Forwarded-Uri $sent_uri;"],
    [
      "# The rest belongs",
      'map $http_x_forwarded_uri $sent_uri { default $http_x_forwarded_uri; "" $request_uri; }\n# The rest belongs',
    ],
  ],
  [
    "a redirect without the last slash puts the client's text in the place of a host",
    "paths redirect",
    [app, `\t\trewrite ^(.+)/$ $1 redirect;\n${app}`],
    [end, `${end}merge_slashes off;\n`],
  ],
  [
    "anyone can see the metrics",
    "metrics",
    [authLocation, `location = /auth/metrics {\n\tauth_request off;\n\tstub_status;\n}\n${authLocation}`],
  ],
  ["anyone can ask the guard", "guard", ["location ~ ^/auth/(guard|metrics)(/|$)", "location ~ ^/auth/metrics(/|$)"]],
  [
    "the guard does not receive the session",
    "session",
    ['proxy_set_header Content-Length "";', 'proxy_set_header Content-Length ""; proxy_set_header Cookie "";'],
  ],
  [
    "decisions are cached for a while",
    "ended",
    [asked, `${asked}\t\tproxy_buffering on;\n\t\tproxy_cache guard;\n${cacheKey}`],
    ["# The rest belongs", "proxy_cache_path cache keys_zone=guard:1m;\n# The rest belongs"],
  ],
  [
    "with a response header of the location's own, pages are shown from the cache after the logout",
    "ended",
    [app, `\t\tadd_header X-Frame-Options DENY;\n${app}`],
  ],
  [
    "a header of the location's own",
    "identity remote forwarded names upgrade credentials",
    [app, `\t\tproxy_set_header Host $host;\n${app}`],
  ],
  ["Remote-Email, which this guard does not set, is the client's", "remote", [
    'proxy_set_header Remote-Email "";\n',
    "",
  ]],
  [
    "Remote_User is Remote-User to CGI, WSGI and PHP",
    "underscores forwarded",
    ["underscores_in_headers off;", "underscores_in_headers on;"],
  ],
  [
    "the address that the client sends is passed on",
    "forwarded address",
    [forwardedFor, "proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;"],
  ],
  [
    "X-Forwarded-User, which other guards set, is the client's",
    "forwarded",
    ['proxy_set_header X-Forwarded-User "";\n', ""],
  ],
  [
    "headers of other guards are the client's",
    "names",
    ['proxy_set_header X-WebAuth-User "";\n', ""],
  ],
  [
    "every upgrade passes, as in most examples",
    "upgrade",
    ["proxy_set_header Upgrade $gatehouse_upgrade;", "proxy_set_header Upgrade $http_upgrade;"],
    ["proxy_set_header Connection $gatehouse_connection;", "proxy_set_header Connection upgrade;"],
  ],
  ["the site receives passwords", "credentials", ['proxy_set_header Authorization "";\n', ""]],
  ["the site receives sessions", "credentials", ["proxy_set_header Cookie $gatehouse_cookies;\n", ""]],
  [
    "nginx redirects to wherever `next` says",
    "next",
    [
      authLocation,
      `location = /auth/ {\n\tauth_request off;\n${redirectToNext}\tproxy_pass http://gatehouse/;\n}\n${authLocation}`,
    ],
  ],
  [
    "the query of the page names the group",
    "query",
    [app, `\t\tset $gatehouse_demands $arg_group;\n${app}`],
  ],
];

test("examine() finds each mistake before nginx, and nothing else", async (context) => {
  await using service = await startService();
  for (const [mistake, failing, ...edits] of mistakes) {
    await context.step(mistake, async () => {
      await using site = await startGuarded({ proxy: "nginx", service, edits });
      const findings = await Array.fromAsync(examine({ site: site.client }, { path: "/" }));
      assertEquals(
        findings.filter(({ failure }) => typeof failure === "string").map(({ id }) => id).join(" "),
        failing,
      );
    });
  }
});

test("there is a mistake for every check", () => {
  assertEquals(new Set(mistakes.flatMap(([_, failing]) => failing.split(" "))), new Set(Object.keys(checks)));
});

test("doctor names nginx, and prints lines of its configuration", async () => {
  await using right = await startGuarded({ proxy: "nginx" });
  const passed = await runDoctor(right);
  assertEquals(passed.code, 0, passed.output);
  assertMatch(passed.output, /^The proxy is nginx\npass {5}no-session /);
  assertMatch(passed.output, /\n21 pass, 0 fail, 0 unknown\n$/);
  await using wrong = await startGuarded({
    proxy: "nginx",
    edits: [["underscores_in_headers off;", "underscores_in_headers on;"]],
  });
  const { code, output } = await runDoctor(wrong);
  assertEquals(code, 1, output);
  assertMatch(
    output,
    /From caddy\/nginx_guard\.conf, in server.*:\n +underscores_in_headers off;\n +ignore_invalid_headers on;\n/,
  );
  assert(!output.includes("Caddyfile"), output);
});

test("proxyOf() does not guess", async () => {
  for (
    const [server, body, proxy] of [["nginx/1.22.1", "", "nginx"], ["", "<center>openresty</center>", "nginx"]] as const
  ) {
    const site = { get: () => Promise.resolve({ headers: new Headers(server === "" ? {} : { server }), body }) };
    assertEquals(await proxyOf(site as never), proxy);
  }
  const site = { get: () => Promise.resolve({ headers: new Headers({ server: "cloudflare" }), body: "x" }) };
  assertEquals(await proxyOf(site as never), undefined);
});

function test(name: string, fn: (context: Deno.TestContext) => Promise<void> | void): void {
  Deno.test({ name, ignore, fn });
}
