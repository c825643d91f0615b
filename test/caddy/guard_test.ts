/** The task `guard`: what it prints guards a site in real Caddy and nginx, and passes the doctor. */
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { examine } from "../../caddy/doctor.ts";
import { impatience, type Proxy, startGuarded, testProxies } from "../support/caddy/guarded.ts";
import { TestProcess } from "../support/process.ts";
import { startService } from "../support/service.ts";

const site = "wiki.example.org";
/** Makes the printed configuration fit this machine. nginx is started with other texts anyway. */
const here: Readonly<Record<Proxy, (text: string) => string>> = {
  caddy: (text) =>
    text.replace("{\n", "{\n\tskip_install_trust\n\tauto_https disable_redirects\n").replaceAll(...impatience)
      .replace(`\n${site} {`, "\n{$SITE} {\n\tbind 127.0.0.1\n\ttls internal").replaceAll("127.0.0.1:3000", "{$APP}"),
  nginx: (text) => text,
};

await testProxies("guards a site with what the task guard prints", async (proxy) => {
  await using cleanup = new AsyncDisposableStack();
  const service = cleanup.use(await startService());
  const env = { GATEHOUSE_LISTEN: new URL(service.url).host };
  const start = async (args: string[]) => {
    const { code, output } = await runGuard([site, "3000", "--proxy", proxy, ...args], env);
    assertEquals(code, 0, output);
    const config = await Deno.makeTempFile();
    cleanup.defer(() => Deno.remove(config));
    await Deno.writeTextFile(config, here[proxy](output));
    return cleanup.use(await startGuarded({ proxy, config, service }));
  };
  const guarded = await start([]);
  const findings = await Array.fromAsync(examine({ site: guarded.client }, { path: "/" }));
  assertEquals(findings.filter(({ failure }) => failure !== undefined), []);
  const cookie = await guarded.enter("alice");
  const { client } = await start(["--groups", "users,staff", "--second-factor"]);
  const { status, body } = await client.get("/", [`Cookie: ${cookie}`]);
  assertEquals([status, JSON.parse(body).type], [403, "/problem/not-in-group"]);
  const strict = await start(["--second-factor"]);
  const second = await strict.client.get("/", [`Cookie: ${cookie}`]);
  assertEquals([second.status, JSON.parse(second.body).type], [401, "/problem/second-factor-required"]);
});

await testProxies("serves a folder with what the task guard prints", async (proxy) => {
  const folder = new URL("../../routes/page/", import.meta.url).pathname;
  await using service = await startService();
  const env = { GATEHOUSE_LISTEN: new URL(service.url).host };
  const { output } = await runGuard([site, folder, "--proxy", proxy], env);
  const config = await Deno.makeTempFile();
  await Deno.writeTextFile(config, here[proxy](output));
  await using guarded = await startGuarded({ proxy, config, service });
  await Deno.remove(config);
  assertEquals(await guarded.statusOf("/index.html"), 401);
  assertEquals(await guarded.statusOf("/index.html", { headers: { cookie: await guarded.enter("alice") } }), 200);
});

await testProxies("is attacked by the task guard --check", async (proxy) => {
  await using cleanup = new AsyncDisposableStack();
  const data = await Deno.makeTempDir();
  cleanup.defer(() => Deno.remove(data, { recursive: true }));
  const { caddy } = cleanup.use(await startGuarded({ proxy }));
  await Deno.mkdir(`${data}/caddy/pki/authorities/local`, { recursive: true });
  await Deno.writeTextFile(`${data}/caddy/pki/authorities/local/root.crt`, caddy.rootCertificate);
  const { code, output } = await runGuard([new URL(caddy.url).host, "3000", "--check"], { XDG_DATA_HOME: data });
  assertEquals(code, 0, output);
  assertMatch(output, /^The proxy is (Caddy|nginx)\n(?:pass .*\n)+21 pass, 0 fail, 0 unknown\n$/);
});

Deno.test("guard connects to Gatehouse on a unix socket", async () => {
  const env = { GATEHOUSE_LISTEN: "unix:/run/gatehouse/gatehouse.sock" };
  assertStringIncludes(
    (await runGuard([site, "3000"], env)).output,
    "reverse_proxy unix//run/gatehouse/gatehouse.sock\n",
  );
  const nginx = await runGuard([site, "3000", "--proxy", "nginx"], env);
  assertStringIncludes(nginx.output, "server unix:/run/gatehouse/gatehouse.sock;\n");
});

Deno.test("guard tells that a home does not list the site", async () => {
  const env = { GATEHOUSE_HOME: "https://login.example.org", GATEHOUSE_SITES: "https://files.example.org" };
  const comment = "# Add https://wiki.example.org to GATEHOUSE_SITES, and restart Gatehouse: until then";
  for (const proxy of ["caddy", "nginx"]) {
    const { code, output } = await runGuard([site, "3000", "--proxy", proxy], env);
    assertEquals([code, output.slice(0, comment.length)], [0, comment]);
    const listed = await runGuard(["FILES.example.org:443", "3000", "--proxy", proxy], env);
    assertEquals([listed.code, listed.output.includes("GATEHOUSE_SITES")], [0, false], listed.output);
  }
  const { code, output } = await runGuard(["login.example.org", "3000"], env);
  assertEquals([code, output.includes('Cannot guard "login.example.org" as it is GATEHOUSE_HOME')], [1, true], output);
});

Deno.test("guard refuses what it cannot put into a configuration", async () => {
  for (
    const [args, message] of [
      [["wiki.example.org; {", "3000"], 'Cannot guard "wiki.example.org; {": use a name'],
      [["wiki.example.org:99999", "3000"], 'Cannot guard "wiki.example.org:99999": use a name'],
      [[site, "3000 }"], 'Cannot guard "3000 }": use a port'],
      [[site, "/srv/a b"], 'Cannot guard "/srv/a b": use a port'],
      [[site, "3000", "--groups", "a/b"], '--groups cannot be "a/b"'],
      [[site, "3000", "--proxy", "apache"], '--proxy cannot be "apache": use caddy or nginx'],
      [[site], "Usage: deno task guard HOST APP"],
    ] as const
  ) {
    const { code, output } = await runGuard([...args], {});
    assertEquals(code, 1);
    assertStringIncludes(output, message);
  }
});

async function runGuard(args: string[], env: Readonly<Record<string, string>>) {
  await using task = new TestProcess(Deno.execPath(), { args: ["run", "-A", "caddy/guard.ts", ...args], env });
  const { code } = await task.status;
  return { code, output: task.output };
}
