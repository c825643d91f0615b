/**
 * The guarded sites of `caddy/guarded.Caddyfile` in a real Caddy and of `caddy/nginx.conf` in a real nginx, before the
 * real service: who gets what of them.
 */
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { setTimeout as delay } from "node:timers/promises";
import { app, impatience, type Proxy, startGuarded, testProxies } from "../support/caddy/guarded.ts";
import type { Edit } from "../support/caddy/edited_caddyfile.ts";
import { ensureProgram } from "../support/packages.ts";
import { startService } from "../support/service.ts";

const ignore = !await ensureProgram("caddy", "caddy");
const caddyfile = new URL("../../caddy/guarded.Caddyfile", import.meta.url).pathname;
const navigation = { "sec-fetch-mode": "navigate", accept: "text/html" };
const everybody = "\troute {\n\t\timport guard users";
const staff = "\troute /staff* {\n\t\timport guard staff\n\t\treverse_proxy {$APP}\n\t}\n";
const both = "\troute /both* {\n\t\timport guard staff/night\n\t\treverse_proxy {$APP}\n\t}\n";
const bothInNginx =
  "\tlocation /both {\n\t\tset $gatehouse_demands staff/night;\n\t\tproxy_pass http://127.0.0.1:3000;\n\t}\n";
/** The pages of the group staff, and of the groups staff and night. */
const groupEdits: Readonly<Record<Proxy, readonly Edit[]>> = {
  caddy: [app, [everybody, staff + both + everybody]],
  nginx: [["\tlocation /staff {", `${bothInNginx}\tlocation /staff {`]],
};
/** A folder with an index.html. */
const folder = new URL("../../routes/page/", import.meta.url).pathname;

test("guarded.Caddyfile is valid and formatted", async () => {
  const validated = await runCaddy(["validate", "--config", caddyfile, "--adapter", "caddyfile"]);
  assertEquals(validated.code, 0, validated.stderr);
  assertEquals((await runCaddy(["fmt", caddyfile])).stdout, await Deno.readTextFile(caddyfile));
});

test("guarded.Caddyfile takes its settings from the environment", async () => {
  const env = { SITE: "https://wiki.example.org", BIND: "0.0.0.0", TLS: "you@example.org", ROOT: "/srv/wiki" };
  const { stdout } = await runCaddy(["adapt", "--config", caddyfile, "--adapter", "caddyfile"], {
    ...env,
    UPSTREAM: "unix//run/gatehouse.sock",
  });
  for (
    const text of [
      '"0.0.0.0:443"',
      '"email":"you@example.org"',
      '"root":"/srv/wiki"',
      "unix//run/gatehouse.sock",
      "max-age=31536000",
    ]
  ) {
    assertStringIncludes(stdout, text);
  }
});

for (const name of ["Caddyfile", "cluster.Caddyfile", "guarded.Caddyfile"]) {
  test(`${name} speaks HTTP/2 as long as it is not told otherwise`, async () => {
    const args = ["adapt", "--config", `caddy/${name}`, "--adapter", "caddyfile"];
    assertStringIncludes((await runCaddy(args)).stdout, '"protocols":["h1","h2"]');
    assertStringIncludes((await runCaddy(args, { PROTOCOLS: "h1" })).stdout, '"protocols":["h1"]');
  });
}

for (const [kind, options] of [["a folder", { folder }], ["an app", {}]] as const) {
  await testProxies(`shows ${kind} to who has logged in, as long as they are`, async (proxy) => {
    await using site = await startGuarded({ proxy, ...options });
    const path = `/index.html?tab=2&file=C:%5Cx&text=${"t".repeat(5_000)}`;
    const refused = await site.ask(path, { headers: navigation });
    const page = refused.headers.get("location") ?? "";
    assertEquals([refused.status, page], [302, `/auth/?next=${encodeURIComponent(path)}`]);
    const shown = await site.ask(page, { headers: navigation });
    assertEquals([shown.status, shown.headers.get("content-type")], [200, "text/html; charset=utf-8"]);
    assertStringIncludes(await shown.text(), "Log in");
    const program = await site.ask(path);
    assertEquals([program.status, program.headers.get("content-type")], [401, "application/problem+json"]);
    assertStringIncludes(program.headers.get("www-authenticate") ?? "", "Basic");
    await program.body?.cancel();

    const cookie = await site.enter("alice");
    const led = await site.ask(page, { headers: { ...navigation, cookie } });
    assertEquals([led.status, led.headers.get("location")], [302, path]);
    const asked = await site.ask(path, { headers: { ...navigation, cookie } });
    // Else a browser would show it again, without asking, to who logs in next.
    assertEquals([asked.status, asked.headers.get("cache-control")], [200, "private, no-cache"]);
    await asked.body?.cancel();

    const headers = { cookie, "sec-fetch-site": "same-origin" };
    assertEquals((await site.ask("/auth/session/", { method: "DELETE", headers })).status, 204);
    assertEquals((await site.ask(path, { headers: { ...navigation, cookie } })).status, 302);
    assertEquals(await site.statusOf(path, { headers: { cookie } }), 401);
  });

  await testProxies(`lets nobody see ${kind} while the service is away`, async (proxy) => {
    await using site = await startGuarded({ proxy, ...options });
    const cookie = await site.enter("alice");
    await site.service.kill();
    for (const path of ["/index.html", "/auth/"]) {
      const shown = await site.ask(path, { headers: { cookie, ...navigation } });
      assertEquals([shown.status, shown.headers.get("content-type")], [503, "text/html; charset=utf-8"]);
      assertEquals([shown.headers.get("retry-after"), shown.headers.get("cache-control")], ["5", "no-store"]);
      assertMatch(await shown.text(), /<h1>Service Unavailable<.*Try again.*попробуйте/);
    }
    for (const headers of [{ cookie }, { authorization: "Basic eDp5" }]) {
      for (const path of ["/index.html", "/auth/", "/auth/session/"]) {
        const response = await site.ask(path, { headers });
        assertEquals([response.status, response.headers.get("content-type")], [503, "application/problem+json"]);
        assertEquals(await response.json(), { type: "about:blank", title: "Service Unavailable", status: 503 });
      }
    }
    assertEquals(site.arrived, []);
  });
}

test("README's complete Caddyfile guards a site, and answers while the service is away", async () => {
  await using cleanup = new AsyncDisposableStack();
  const config = await writeReadmeSite(cleanup);
  await using site = await startGuarded({ config });
  const cookie = await site.enter("alice");
  const headers = { cookie, ...navigation };
  assertEquals(await site.statusOf("/", { headers }), 200);
  assertEquals(await site.statusOf("/"), 401);
  assertEquals(await site.statusOf("/staff/", { headers }), 403);
  const arrived = [...site.arrived];
  await site.service.kill();
  for (const path of ["/", "/staff/", "/auth/"]) {
    const page = await site.ask(path, { headers });
    assertEquals([page.status, page.headers.get("retry-after")], [503, "5"]);
    assertMatch(await page.text(), /<h1>Service Unavailable</);
    const problem = await site.ask(path, { headers: { cookie } });
    assertEquals([problem.status, problem.headers.get("retry-after")], [503, "5"]);
    assertEquals(await problem.json(), { type: "about:blank", title: "Service Unavailable", status: 503 });
  }
  assertEquals(site.arrived, arrived);
  const env = { SITE: "https://wiki.example.org", APP: "127.0.0.1:3000" };
  const { stdout } = await runCaddy(["adapt", "--config", config, "--adapter", "caddyfile"], env);
  for (const text of ['"admin":{"disabled":true}', '"protocols":["h1","h2"]']) assertStringIncludes(stdout, text);
});

test("guarded.Caddyfile keeps requests waiting over a restart of the service", async () => {
  await using cleanup = new AsyncDisposableStack();
  const store = await Deno.makeTempDir();
  cleanup.defer(() => Deno.remove(store, { recursive: true }));
  await using site = await startGuarded({ edits: [app], settings: { GATEHOUSE_STORE: store } });
  const cookie = await site.enter("alice");
  const { url } = site.service;
  await site.service.stop();
  const posting = site.ask("/upload", { method: "POST", body: "x".repeat(100_000), headers: { cookie } });
  await delay(500);
  const env = { GATEHOUSE_LISTEN: new URL(url).host, GATEHOUSE_STORE: store };
  await using restarted = await startService({ env });
  assertEquals(restarted.url, url);
  assertEquals((await (await posting).json()).length, 100_000);
});

await testProxies("leaves no path but /auth/ unguarded", async (proxy) => {
  await using site = await startGuarded({ proxy });
  const { client } = site;
  const expected = {
    401: ["/authx", "/auth../", "//", "/%2e/", "/auth/../secret", "/auth/%2e%2e/secret", "//auth/../x", "/x/../authx"],
    200: ["/auth/", "//auth/", "/%61uth/", "/x/../auth/"],
    404: ["/auth/metrics", "/auth/metrics/x", "/auth/%6detrics", "//auth//metrics", "/auth%2fmetrics", "/auth/guard"]
      .concat(["/auth/guard/", "/auth/guard/users", "/auth/%67uard/", "//auth//guard/", "/auth/x/../guard/"])
      .concat(["/auth/guard/ask", "/auth/guard/refused"]),
  };
  // nginx distinguishes upper case.
  const [page, metrics, guard] = proxy === "caddy" ? [200, 404, 404] as const : [401, 401, 401] as const;
  expected[page].push("/AUTH/");
  expected[metrics].push("/AUTH/METRICS");
  expected[guard].push("/AUTH/Guard/");
  for (const [status, paths] of Object.entries(expected)) {
    for (const path of paths) {
      const reply = await client.get(path);
      assertEquals(`${path} ${reply.status}`, `${path} ${status}`);
      // The proxy's own, not that of the service.
      if (reply.status === 404) assertStringIncludes(reply.body, "about:blank", path);
    }
  }
  const bare = await client.get("/auth");
  assertEquals([bare.status, bare.headers.get("location")], [proxy === "caddy" ? 302 : 301, "/auth/"]);
  const next = `?next=%2Fa%3Fb%5C${"c".repeat(6_000)}&d`;
  assertEquals((await client.get(`/auth${next}`)).headers.get("location"), `/auth/${next}`);
  for (const method of ["HEAD", "OPTIONS", "POST", "PUT", "DELETE", "PATCH", "PROPFIND", "TRACE", "BREW"]) {
    // nginx itself refuses TRACE.
    const status = proxy === "nginx" && method === "TRACE" ? 405 : 401;
    assertEquals(`${method} ${(await client.send(`${method} /`)).status}`, `${method} ${status}`);
  }
  assertEquals(site.arrived, []);
});

await testProxies("demands a group where it is told to", async (proxy) => {
  await using site = await startGuarded({
    proxy,
    edits: groupEdits[proxy],
    settings: { GATEHOUSE_LOG_LEVEL: "debug" },
  });
  const root = await site.enterAsAdmin("root");
  const cookie = await site.enter("alice");
  const people = await site.ask("/staff/?group=users", { headers: { ...navigation, cookie } });
  assertEquals([people.status, people.headers.get("content-type")], [403, "text/html; charset=utf-8"]);
  assertMatch(await people.text(), /<b>alice<.*<b>staff</);
  await site.service.logged(/"event":"guard-decided","isAllowed":false,"reason":"(not-in-group)","user":"alice"/);
  for (const path of ["/staff", "/staff/x", proxy === "caddy" ? "//STAFF/x" : "//staff/x", "/a/../%73taff"]) {
    const programs = await site.client.get(path, [`Cookie: ${cookie}`]);
    assertEquals([programs.status, JSON.parse(programs.body).type], [403, "/problem/not-in-group"], path);
  }
  assertEquals(await site.statusOf("/staff/"), 401);
  assertEquals(site.arrived, []);
  assertEquals(await site.statusOf("/", { headers: { cookie } }), 200);

  const changed = await site.ask("/auth/user/alice", {
    method: "PATCH",
    headers: { cookie: root, "content-type": "application/json", "sec-fetch-site": "same-origin" },
    body: JSON.stringify({ groups: ["staff"] }),
  });
  assertEquals(changed.status, 200, await changed.text());
  for (const query of ["", "?group=night", "?next=//evil.example", "?%zz", `?${"a&".repeat(2_000)}`]) {
    assertEquals(await site.statusOf(`/staff/${query}`, { headers: { cookie } }), 200, query);
    assertEquals(await site.statusOf(`/both/${query}`, { headers: { cookie } }), 403, query);
  }
  assertEquals((await site.headersAtApp([`Cookie: ${cookie}`]))["remote-groups"], "users,staff");
});

function test(name: string, fn: () => Promise<void>): void {
  Deno.test({ name, ignore, fn });
}

/** README's complete Caddyfile as a reader makes it, for this machine. @returns its path */
async function writeReadmeSite(cleanup: AsyncDisposableStack): Promise<string> {
  const readme = await Deno.readTextFile(new URL("../../README.md", import.meta.url));
  const [, command = ""] = /^(sed -n .+) >\/etc\/caddy\/guard\.snippets$/m.exec(readme) ?? [];
  const [, site = ""] = /^```caddyfile\n(\{\n.*?)^```$/ms.exec(readme) ?? [];
  const { stdout } = await new Deno.Command("sh", { args: ["-c", command] }).output();
  const snippets = new TextDecoder().decode(stdout).replaceAll(...impatience);
  const local = site.replace("{\n", "{\n\tskip_install_trust\n\tauto_https disable_redirects\n")
    .replace("wiki.example.org {", "{$SITE} {\n\tbind 127.0.0.1\n\ttls internal").replaceAll(
      "127.0.0.1:3000",
      "{$APP}",
    );
  const folder = await Deno.makeTempDir({ prefix: "gatehouse-" });
  cleanup.defer(() => Deno.remove(folder, { recursive: true }));
  await Deno.writeTextFile(`${folder}/guard.snippets`, snippets);
  await Deno.writeTextFile(`${folder}/Caddyfile`, local);
  return `${folder}/Caddyfile`;
}

async function runCaddy(args: string[], env: Record<string, string> = {}) {
  const { code, stdout, stderr } = await new Deno.Command("caddy", { args, env }).output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}
