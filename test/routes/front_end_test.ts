/** The recipes of routes/README.md for front ends work as they are written: a typed client, a back end, and Caddy. */
import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
// openapi-typescript and openapi-fetch: the most used generator of types from OpenAPI documents, and its client.
import openapiTS, { astToString } from "npm:openapi-typescript@7.13.0";
import "npm:openapi-fetch@0.17.0";
import type { App } from "../../lib/app.ts";
import { fieldCodes } from "../../lib/http/problem.ts";
import { createRouter } from "../../lib/router.ts";
import { routes } from "../../routes/mod.ts";
import { alice, openAppOfAlice, openTestApp } from "../support/app.ts";
import { startCaddy } from "../support/caddy/caddy.ts";
import { ensureProgram } from "../support/packages.ts";

const readme = await Deno.readTextFile(new URL("../../routes/README.md", import.meta.url));
const [caddyfile = "", client = "", backEnd = ""] = readme.matchAll(/^```(?:caddyfile|ts)\n(.*?)^```$/gms)
  .map(([, text]) => text).toArray();

function serve(app: App) {
  const router = createRouter(routes, app);
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    (request, info) => router(request, info),
  );
  return Object.assign(server, { url: `http://127.0.0.1:${server.addr.port}` });
}

/** Follows the client of the README: compiles only if these are all types of problems, and these the codes. */
const exhaustive = `
const again = await client.POST("/user/", { body: { login: "b:ob", password: "short" } });
type Problem = NonNullable<typeof again.error>;
type Registration = paths["/user/"]["post"]["requestBody"]["content"]["application/json"];
type Credentials = paths["/session/"]["post"]["requestBody"]["content"]["application/json"];
const optional: Credentials = body satisfies Registration;
// @ts-expect-error The password is required.
const missing: Credentials = { login: "alice" };
// @ts-expect-error There is no such purpose.
const invitation: paths["/ticket/"]["post"]["requestBody"]["content"]["application/json"] = { purpose: "invite" };
// @ts-expect-error There is no such problem.
const unknown: Problem["type"] = "/problem/unknown";

function explain(problem: Problem): string {
  switch (problem.type) {
    case "/problem/invalid-user":
      return problem.errors.map(({ code }) => code satisfies FieldCode).join();
    case "/problem/registration-closed":
    case "/problem/ticket-invalid":
    case "/problem/login-reserved":
    case "/problem/unknown-site":
    case "/problem/only-at-home":
      return String(problem.status satisfies 403);
    case "/problem/login-taken":
      return "taken";
    case "/problem/too-many-registrations":
      return "wait";
    case "/problem/overloaded":
    case "/problem/store-closed":
    case "/problem/store-unavailable":
    case "/problem/not-ready":
      return "retry";
    case "/problem/malformed-host":
    case "/problem/malformed-json":
    case "/problem/slow-body":
    case "/problem/body-too-large":
    case "/problem/not-json":
    case "/problem/store-full":
    case "/problem/internal-error":
      return problem.title;
    default:
      return problem satisfies never;
  }
}
console.log(again.error && explain(again.error), [optional, missing, invitation, unknown].length);
`;

Deno.test("a client that is generated from /openapi.json compiles, and registers, logs in and lists", async () => {
  const { app, send } = await openTestApp();
  await using service = serve(app);
  const folder = await Deno.makeTempDir({ prefix: "gatehouse-client-" });
  await using _ = { [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }) };
  const document = await send("GET", "/openapi.json");
  await Deno.writeTextFile(`${folder}/gatehouse.ts`, astToString(await openapiTS(document.text)));
  const codes = `type FieldCode = ${Object.keys(fieldCodes).map((code) => `"${code}"`).join(" | ")};\n`;
  const program = client.replace("http://127.0.0.1:8000", service.url) + codes + exhaustive;
  await Deno.writeTextFile(`${folder}/client.ts`, program);
  const imports = { "openapi-fetch": "npm:openapi-fetch@0.17.0" };
  await Deno.writeTextFile(`${folder}/deno.json`, JSON.stringify({ imports, lock: false }));
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--check", "--cached-only", "--allow-net", "client.ts"],
    cwd: folder,
    env: { NO_COLOR: "1" },
  }).output();
  const text = new TextDecoder();
  assertEquals([success, text.decode(stdout)], [
    true,
    `[ "Deno/${Deno.version.deno}" ]\ninvalid-characters,too-short 4\n`,
  ], text.decode(stderr));
});

Deno.test("the back end of the README finds the user of a session, and says if it cannot know", async () => {
  const { app, send, token } = await openAppOfAlice();
  const service = serve(app);
  const code = backEnd.replace("http://127.0.0.1:8000", service.url);
  const { userOf } = await import(`data:application/typescript,${encodeURIComponent(code)}`);
  const request = (token: string) => new Request("http://app.test/", { headers: { Authorization: `Bearer ${token}` } });
  const { login, groups } = await userOf(request(token));
  assertEquals([login, groups], ["alice", []]);
  assertEquals(await userOf(new Request("http://app.test/")), undefined);
  assertEquals((await send("DELETE", "/session/", { token })).status, 204);
  assertEquals(await userOf(request(token)), undefined);
  app.store.findSession = () => Promise.reject(new Error("gone"));
  await assertRejects(() => userOf(request(token)), Error, "Gatehouse responds 500");
  await service.shutdown();
  await assertRejects(() => userOf(request(token)), TypeError);
});

Deno.test({
  name: "the Caddyfile of the README serves an app with the API below /auth/",
  ignore: !await ensureProgram("caddy", "caddy"),
  async fn() {
    const folder = await Deno.makeTempDir({ prefix: "gatehouse-app-" });
    await using _ = { [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }) };
    await Deno.writeTextFile(`${folder}/index.html`, "The app");
    await Deno.writeTextFile(`${folder}/main.js`, "The script");
    const { app } = await openAppOfAlice();
    await using service = serve(app);
    // A certificate of Caddy's own, and no admin port and redirects, which need a machine of their own.
    const site = caddyfile.replace("app.example.org {", "{$SITE} {\n\ttls internal").replace("/srv/app", folder)
      .replace("127.0.0.1:8000", "{$UPSTREAM}");
    const global = "{\n\tadmin off\n\tskip_install_trust\n\tauto_https disable_redirects\n}\n";
    await Deno.writeTextFile(`${folder}/Caddyfile`, global + site);
    const config = `${folder}/Caddyfile`;
    await using caddy = await startCaddy({ upstream: new URL(service.url).host, config });
    const send = async (path: string, init: RequestInit = {}) => {
      const response = await fetch(caddy.url + path, { ...init, client: caddy.client });
      return { status: response.status, text: await response.text(), cookies: response.headers.getSetCookie() };
    };
    assertEquals((await send("/main.js")).text, "The script");
    assertEquals((await send("/any/view")).text, "The app");
    assertStringIncludes((await send("/auth/health/live")).text, "live");
    const headers = { "content-type": "application/json" };
    const body = JSON.stringify({ ...alice, cookie: true });
    const { status, cookies } = await send("/auth/session/", { method: "POST", headers, body });
    assertEquals(status, 201);
    const cookie = cookies.find((one) => one.startsWith("__Host-gatehouse="))?.split(";")[0] ?? "";
    assertStringIncludes((await send("/auth/session/", { headers: { cookie } })).text, '"login":"alice"');
    // Only for clients that reach the service directly.
    assertEquals((await send("/auth/metrics")).status, 404);
  },
});

Deno.test("the document of the API lists every field code, with its meaning", async () => {
  const { send } = await openTestApp();
  const { text } = await send("GET", "/docs/");
  const escape = (meaning: string) => meaning.replaceAll(/`(.*?)`/g, "<code>$1</code>");
  for (const [code, meaning] of Object.entries(fieldCodes)) {
    assertStringIncludes(readme.replaceAll(/ {2,}/g, " "), `| \`${code}\` | ${meaning} |`);
    assertStringIncludes(text, `<p><code>${code}</code>: ${escape(meaning)}</p>`);
  }
});
