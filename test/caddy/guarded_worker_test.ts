/** Requests for the script of a service worker, behind real Caddy and nginx: which get the exit worker instead. */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { app, type Guarded, impatience, startGuarded, testProxies } from "../support/caddy/guarded.ts";
import { dead } from "../support/caddy/guard_scene.ts";

const worker = { "service-worker": "script", "sec-fetch-dest": "serviceworker", "sec-fetch-mode": "same-origin" };

const route = (path: string, demands: string, ...imports: string[]) => {
  const lines = [...imports, `guard ${demands}`].map((name) => `\t\timport ${name}\n`);
  return `\troute ${path} {\n${lines.join("")}\t\treverse_proxy {$APP}\n\t}\n`;
};
const others = route("/staff*", "staff") + route("/ledger*", "second-factor") +
  route("/plain*", "users", "guard-no-worker");
const everybody = "\troute {\n\t\timport guard users";
const noWorker = "if ($http_service_worker = script) { rewrite ^ /auth/exit-worker.js last; }";
const location = (path: string, line: string) =>
  `\tlocation ${path} {\n\t\t${line}\n\t\tproxy_pass http://127.0.0.1:3000;\n\t}\n`;
const inNginx = location("/ledger", "set $gatehouse_demands second-factor;") + location("/plain", noWorker);
const edits = {
  caddy: [app, impatience, [everybody, others + everybody]],
  nginx: [["\tlocation /staff {", `${inNginx}\tlocation /staff {`]],
} as const;

await testProxies("sends the exit worker instead of a refused worker, and to nothing else", async (proxy) => {
  await using site = await startGuarded({ proxy, edits: edits[proxy] });
  const cookie = await site.enter("alice");
  const exit = "200 exit";
  for (
    const [path, headers, outcome] of [
      ["/sw.js", worker, exit],
      ["/sw.js?v=2", { ...worker, cookie: `__Host-gatehouse=${dead}` }, exit],
      ["/sw.js", { ...worker, cookie }, "200 app"],
      ["/staff/sw.js", { ...worker, cookie }, exit],
      ["/ledger/sw.js", { ...worker, cookie }, exit],
      ["/plain/sw.js", worker, exit],
      ["/plain/sw.js", { ...worker, cookie }, exit],
      ["/plain/part.js", { cookie }, "200 app"],
      // Not a worker's script: what it imports, a page, and programs.
      ["/sw.js", { ...worker, "service-worker": "" }, "401 problem"],
      ["/sw.js", { ...worker, "service-worker": "scripts" }, "401 problem"],
      ["/part.js", { "sec-fetch-dest": "serviceworker", "sec-fetch-mode": "same-origin" }, "401 problem"],
      ["/staff/part.js", { cookie }, "403 problem"],
      ["/", {}, "401 problem"],
      ["/auth/metrics", worker, "404 problem"],
      ["/auth/session/", worker, "401 problem"],
    ] as const
  ) {
    assertEquals(await outcomeOf(site, path, { headers }), outcome, `${path} ${JSON.stringify(headers)}`);
  }
  for (const method of ["HEAD", "POST", "OPTIONS"]) {
    assertEquals(await site.statusOf("/sw.js", { method, headers: worker }), 401, method);
    // In nginx the script of a worker has no other methods.
    if (proxy === "nginx") continue;
    assertEquals(await site.statusOf("/plain/sw.js", { method, headers: { ...worker, cookie } }), 200, method);
  }
  const { headers, body } = await site.ask("/sw.js", { headers: worker });
  await body?.cancel();
  const names = ["content-type", "cache-control", "service-worker-allowed", "x-content-type-options", "etag"];
  const fields = ["text/javascript; charset=utf-8", "no-store", "/", "nosniff", null];
  assertEquals(names.map((name) => headers.get(name)), fields);
  const arrived = ["GET /sw.js", "GET /plain/part.js"];
  assertEquals(site.arrived.filter((request) => request.startsWith("GET ")), arrived);

  await site.service.kill();
  for (const path of ["/sw.js", "/plain/sw.js"]) assertEquals(await site.statusOf(path, { headers: worker }), 503);
  assertEquals(site.arrived.filter((request) => request.startsWith("GET ")), arrived);
});

/** The status, and whose response it is. */
async function outcomeOf(site: Guarded, path: string, init: RequestInit): Promise<string> {
  const response = await site.ask(path, init);
  const text = await response.text();
  if (response.headers.get("content-type") === "application/problem+json") return `${response.status} problem`;
  if (response.headers.get("content-type") === "application/json") return `${response.status} app`;
  assertStringIncludes(text, "registration.unregister()");
  return `${response.status} exit`;
}
