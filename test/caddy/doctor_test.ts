/**
 * The task `doctor`: the project's Caddyfile passes, and each wrong one in `doctor/` fails exactly the checks that its
 * comment begins with. Nothing is left behind.
 */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { setTimeout as delay } from "node:timers/promises";
import { checks, examine, type Finding } from "../../caddy/doctor.ts";
import { visitorChecks } from "../../caddy/doctor_checks.ts";
import { excerpt, proxies } from "../../caddy/doctor_fixes.ts";
import { memberChecks } from "../../caddy/doctor_member_checks.ts";
import { app, type Guarded, impatience, startGuarded } from "../support/caddy/guarded.ts";
import { ensureProgram } from "../support/packages.ts";
import { freePort } from "../support/process.ts";
import { startService } from "../support/service.ts";
import { serveUpstream, switchProtocols } from "../support/upstream.ts";
import { runDoctor, runTask, startDoctor } from "../support/caddy/run_doctor.ts";

const ignore = !await ensureProgram("caddy", "caddy");
const wrongFolder = new URL("./doctor/", import.meta.url);
const wrongFiles = [...Deno.readDirSync(wrongFolder)].filter(({ name }) => name.endsWith(".Caddyfile"))
  .map(({ name }) => ({ name, checks: checksOf(Deno.readTextFileSync(new URL(name, wrongFolder))) }));
/** Checks that need a page that prints its request headers. */
const invisible = ["identity", "remote", "underscores", "forwarded", "names", "upgrade", "credentials"];
const password = "mellow-otter-41-lantern";

test("examine() finds what is wrong in each wrong Caddyfile, and nothing else", async (context) => {
  await using service = await startService();
  const kept = new Map<string, Response>();
  await using cache = serveUpstream((request) => keep(request, kept, service.url));
  for (const { name, checks } of wrongFiles) {
    await context.step(name, async () => {
      const config = new URL(name, wrongFolder).pathname;
      await using guarded = await startGuarded({ service, config, env: { CACHE: cache.address } });
      assertEquals(idsOf(await examineAll(guarded), "fail"), checks);
    });
  }
});

test("there is a wrong Caddyfile for every check", async () => {
  const found = new Set(wrongFiles.flatMap(({ checks }) => checks));
  await using guarded = await startGuarded();
  const findings = await examineAll(guarded);
  assertEquals(idsOf(findings, "pass").filter((id) => !found.has(id)), []);
  assertEquals(findings.length, idsOf(findings, "pass").length);
});

test("examine() reports a switch to h2c, although the page shows nothing", async () => {
  await using willing = switchProtocols();
  const env = { APP: willing.address };
  for (const [name, faults] of [["upgrade.Caddyfile", ["upgrade"]], [undefined, []]] as const) {
    const config = name && new URL(name, wrongFolder).pathname;
    await using guarded = await startGuarded({ env, ...config && { config } });
    const findings = await examineAll(guarded);
    assertEquals([idsOf(findings, "fail"), idsOf(findings, "pass").includes("upgrade")], [faults, false]);
  }
});

for (const [proxy, { file, fixes }] of Object.entries(proxies)) {
  test(`every fix for ${proxy} is an excerpt of ${file}`, async () => {
    const text = await Deno.readTextFile(new URL(`../../caddy/${file}`, import.meta.url));
    for (const [name, { from, to = from }] of Object.entries(fixes)) {
      const written = excerpt(text, { from, to });
      assertStringIncludes(text.replace(/^\t+/gm, ""), written.join("\n").replace(/^\t+/gm, ""), name);
      assert(written[0]?.startsWith(from) && written.at(-1)?.startsWith(to), name);
    }
  });
}

Deno.test("every check has a fix", () => {
  assertEquals(Object.keys(checks), [...Object.keys(visitorChecks), ...Object.keys(memberChecks)]);
  assertEquals(Object.values(checks).filter(([_, ...names]) => names.length === 0), []);
  const used = new Set(Object.values(checks).flatMap(([_, ...names]) => names));
  for (const { fixes } of Object.values(proxies)) assertEquals(new Set(Object.keys(fixes)), used as Set<string>);
});

test("doctor passes an app, and deletes its temporary user", async () => {
  await using guarded = await startGuarded();
  const { code, output } = await runDoctor(guarded);
  assertEquals(code, 0, output);
  assertMatch(output, /^The proxy is Caddy\npass {5}no-session /);
  assertMatch(output, /\n21 pass, 0 fail, 0 unknown\n$/);
  await assertUserDeleted(guarded);
});

test("doctor lists the checks that a folder leaves open", async () => {
  await using guarded = await startGuarded({
    edits: [impatience],
    env: { ROOT: new URL("../../routes/page/", import.meta.url).pathname },
  });
  const { code, output } = await runDoctor(guarded);
  assertEquals(code, 0, output);
  assertEquals([...output.matchAll(/^unknown {2}(\S+)/gm)].map(([, id]) => id), invisible);
  assertMatch(output, /\n14 pass, 0 fail, 7 unknown \(7 not tried: add --path with the page of caddy\/README\.md\)\n$/);
});

test("doctor tries everything with the page of caddy/README.md", async () => {
  const [, page = ""] =
    /^```caddyfile\n(route \/headers .*?)\n```$/ms.exec(await Deno.readTextFile("caddy/README.md")) ?? [];
  assert(page !== "");
  const route = `${page.replace(/^/gm, "\t")}\n\troute {\n\t\timport guard users`;
  await using guarded = await startGuarded({
    edits: [impatience, ["\troute {\n\t\timport guard users", route]],
    env: { ROOT: new URL("../../routes/page/", import.meta.url).pathname },
  });
  await using task = runTask([guarded.caddy.url, "--ca", guarded.rootPath, "--path", "/headers"], {});
  assertEquals((await task.status).code, 0, task.output);
  assertMatch(task.output, /\n21 pass, 0 fail, 0 unknown\n$/);
});

test("doctor fails on a wrong Caddyfile, and prints the line that fixes it, as caddy/README.md shows", async () => {
  const config = new URL("underscores.Caddyfile", wrongFolder).pathname;
  await using guarded = await startGuarded({ config });
  const { code, output } = await runDoctor(guarded);
  assertEquals(code, 1, output);
  const [, printed = ""] = /^FAIL +underscores .*\n((?: {11}.*\n)+)/m.exec(output) ?? [];
  assertStringIncludes(printed, "Remote_User arrives.\n");
  assertMatch(printed, /caddy\/guarded\.Caddyfile, in route, before everything else:\n +request_header -\*_\*\n/);
  const [, shown = ""] = /^```text\n(The proxy is .*?)\n```$/ms.exec(await Deno.readTextFile("caddy/README.md")) ?? [];
  assert(shown.includes("FAIL"));
  for (const part of shown.split("\n…\n")) assertStringIncludes(output, `${part}\n`);
});

test("doctor names the check that got no response, and continues", async () => {
  const first = "\n\t\timport guard users\n";
  const odd = `\n\t\t@odd header Remote_User *\n\t\tabort @odd${first}`;
  await using guarded = await startGuarded({ edits: [app, [first, odd]] });
  const { code, output } = await runDoctor(guarded);
  assertEquals(code, 2, output);
  assertMatch(output, /^unknown {2}underscores .*\n {11}The site does not respond to GET \/: the connection ended/m);
  assertStringIncludes(output, "\n19 pass, 0 fail, 2 unknown\n");
});

test("doctor deletes its user even if the site fails", async () => {
  await using guarded = await startGuarded({ edits: [[app[0], "abort"]] });
  const { code, output } = await runDoctor(guarded);
  assertEquals(code, 2, output);
  assertStringIncludes(output, "The site does not respond to GET /: ");
  await assertUserDeleted(guarded);
});

test("doctor deletes its user even if it is stopped", async () => {
  await using slow = serveUpstream(() => delay(50).then(() => new Response("slow")));
  await using guarded = await startGuarded({ env: { APP: slow.address } });
  await using task = startDoctor(guarded);
  await task.until(() => task.output.includes("pass     session") || undefined, { what: "the user" });
  assertEquals((await task.stop("SIGINT")).code, 2, task.output);
  assert(!task.output.includes("query"), task.output);
  await assertUserDeleted(guarded);
});

test("doctor fails when it cannot delete its user", async () => {
  const kept = "@kept {\n\t\tmethod DELETE\n\t\tpath /auth/user/*\n\t}\n\trespond @kept 405\n\thandle_path /auth/* {";
  await using guarded = await startGuarded({ edits: [app, ["handle_path /auth/* {", kept]] });
  const { code, output } = await runDoctor(guarded);
  assertEquals(code, 1, output);
  assertMatch(output, /^The temporary user doctor-\S+ still exists: DELETE \S+: 405$/m);
});

test("doctor ends with 2 when it cannot try", async () => {
  const login = { DOCTOR_LOGIN: "root" };
  const rows = [
    [[], "Usage: deno task doctor https://SITE"],
    [["http://localhost"], 'Cannot try "http://localhost": use an https:// address'],
    [["https://localhost", "--nonsense"], "'--nonsense'"],
    [["https://localhost", "--path", "x"], '--path cannot be "x"'],
    [["https://localhost", "--ca", "/nowhere"], 'Cannot read --ca "/nowhere"'],
    [[`https://localhost:${freePort()}`], "The site does not respond"],
  ] as const;
  for (const [args, expected] of rows) {
    await using task = runTask([...args], { DOCTOR_PASSWORD: password, ...login });
    assertEquals((await task.status).code, 2, task.output);
    assertStringIncludes(task.output, expected);
    assert(!task.output.includes(password));
  }
});

test("doctor trusts Caddy on this machine, and no unknown CA", async () => {
  await using cleanup = new AsyncDisposableStack();
  const data = await Deno.makeTempDir();
  cleanup.defer(() => Deno.remove(data, { recursive: true }));
  await using guarded = await startGuarded();
  const { url, rootCertificate } = guarded.caddy;
  await using unknown = runTask([url], { XDG_DATA_HOME: data });
  assertEquals((await unknown.status).code, 2, unknown.output);
  assertStringIncludes(unknown.output, "UnknownIssuer");
  await Deno.mkdir(`${data}/caddy/pki/authorities/local`, { recursive: true });
  await Deno.writeTextFile(`${data}/caddy/pki/authorities/local/root.crt`, rootCertificate);
  await using known = runTask([url], { XDG_DATA_HOME: data });
  assertEquals((await known.status).code, 0, known.output);
});

function test(name: string, fn: (context: Deno.TestContext) => Promise<void>): void {
  Deno.test({ name, ignore, fn });
}

/** The checks that a wrong Caddyfile fails, by its comment. */
function checksOf(text: string): string[] {
  return /^# ([a-z -]+): /m.exec(text)?.[1]?.split(" ") ?? [];
}

async function examineAll({ client }: Guarded): Promise<Finding[]> {
  return await Array.fromAsync(examine({ site: client }, { path: "/", credentials: undefined }));
}

type Outcome = "pass" | "fail" | "unknown";

function outcomeOf({ failure }: Finding): Outcome {
  return failure === undefined ? "pass" : typeof failure === "string" ? "fail" : "unknown";
}

function idsOf(findings: readonly Finding[], outcome: Outcome): string[] {
  return findings.filter((finding) => outcomeOf(finding) === outcome).map(({ id }) => id);
}

/** Caches the guard's response for each session. */
async function keep(request: Request, kept: Map<string, Response>, service: string): Promise<Response> {
  const { pathname, search } = new URL(request.url);
  const cookie = request.headers.get("cookie") ?? "";
  const answer = kept.get(cookie) ??
    await fetch(`${service}${pathname}${search}`, { headers: request.headers, redirect: "manual" });
  if (answer.ok) kept.set(cookie, answer.clone());
  return answer;
}

async function assertUserDeleted({ service }: Guarded): Promise<void> {
  await service.stop();
  const [, login = ""] = /"event":"user-registered".*"user":"(doctor-[^"]+)"/.exec(service.log()) ?? [];
  assertMatch(service.log(), new RegExp(`"event":"user-deleted".*"user":"${login}"`));
}
