/** The service as one file and as an npm package, in folders that have nothing of this repository. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { keepsFreedMemory } from "../../../lib/config/malloc.ts";
import { version } from "../../../lib/config/version.ts";
import { TestProcess } from "../../support/process.ts";
import { makeForeignFolder } from "../../support/store/foreign_folder.ts";

const alice = { login: "alice", password: "seven purple wombats sing" };
/** A hash that a Worker computes, by mkpasswd of whois 5.5. */
const bob = { login: "bob", password: "secret of mkpasswd" };
const bobHash = "$2b$05$dAZz.MEhFq.TQeZHCmh/k.UEFfvvCLDG6mBwxMWCzH.BJWzht8rzy";

async function run(program: string, args: string[], cwd = "."): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(program, { args, cwd, stdin: "null" }).output();
  const output = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
  assert(success, `${program} ${args.join(" ")}: ${output}`);
  return output;
}

/** Starts the service in a folder with nothing but bob, without packages of Deno. */
async function start(program: string, { args = [] as string[], detached = false, more = {} } = {}) {
  const cwd = await Deno.makeTempDir();
  await makeForeignFolder(`${cwd}/data`, { bob: bobHash });
  const env = {
    DENO_DIR: await Deno.makeTempDir(),
    GATEHOUSE_LISTEN: "127.0.0.1:0",
    GATEHOUSE_PASSWORD_HASH: "argon2id",
    GATEHOUSE_TITLE: "Bundled house",
    ...more,
  };
  const process = new TestProcess(program, { args, env, cwd, detached });
  const pattern = /"event":"listening","at":"(http:[^"]+)"/;
  const url = await process.until(() => pattern.exec(process.output)?.[1], { what: "the service" });
  return { process, url, cwd, [Symbol.asyncDispose]: () => process[Symbol.asyncDispose]() };
}

async function assertServes(url: string): Promise<void> {
  const page = await (await fetch(url)).text();
  assertStringIncludes(page, "Bundled house");
  const names = ["page/main.js", "page/zxcvbn.js", "page/style.css", "docs/", "openapi.json"];
  for (const name of names) {
    const response = await fetch(`${url}/${name}`);
    assertEquals([name, response.status, (await response.text()).length > 1_000], [name, 200, true]);
  }
  const headers = { "Content-Type": "application/json" };
  const registered = await fetch(`${url}/user/`, { method: "POST", headers, body: JSON.stringify(alice) });
  assertEquals((await registered.json()).login, "alice");
  for (const [password, status] of [[`!${bob.password}`, 401], [bob.password, 201]] as const) {
    const body = JSON.stringify({ ...bob, password });
    const signal = AbortSignal.timeout(10_000);
    const response = await fetch(`${url}/session/`, { method: "POST", headers, body, signal });
    await response.body?.cancel();
    assertEquals(response.status, status);
  }
}

Deno.test("deno task bundle makes one file and a package, which serve in an empty folder and drain", async (t) => {
  const folder = await Deno.makeTempDir();
  const printed = await run(Deno.execPath(), ["task", "--quiet", "bundle", folder]);
  assertMatch(printed, /^Bundled Gatehouse \d+\.\d+\.\d+ to "/);

  await t.step("gatehouse.js alone", async () => {
    const file = `${folder}/alone/gatehouse.js`;
    await Deno.mkdir(`${folder}/alone`);
    await Deno.rename(`${folder}/gatehouse.js`, file);
    const args = ["run", "-A", "--unstable-no-legacy-abort", "--no-config", "--no-npm", "--no-remote", file];
    await using service = await start(Deno.execPath(), { args });
    await assertServes(service.url);
    assertEquals((await service.process.stop("SIGTERM")).code, 0);
    // Without the variable that the package sets.
    assertEquals(service.process.output.split("freed-memory-kept").length - 1, Number(keepsFreedMemory({})));
    await Deno.rename(file, `${folder}/gatehouse.js`);
  });

  const installed = await Deno.makeTempDir();
  await run("npm", ["pack", "--pack-destination", installed, folder]);
  const archive = `gatehouse-${version}.tgz`;
  await run("npm", ["install", "--no-audit", "--no-fund", "--prefer-offline", `./${archive}`], installed);
  const command = `${installed}/node_modules/.bin/gatehouse`;

  await t.step("the package, stopped by SIGTERM to its command", async () => {
    await using service = await start(command);
    await assertServes(service.url);
    const { code } = await service.process.stop("SIGTERM");
    assertEquals(code, 0, service.process.output);
    assertMatch(service.process.output, /"event":"stopping","signal":"SIGTERM"/);
    assert(!service.process.output.includes("freed-memory-kept"), service.process.output);
    assertEquals(Array.from(Deno.readDirSync(service.cwd), ({ name }) => name), ["data"]);
  });

  await t.step("the package, stopped by Ctrl-C", async () => {
    await using service = await start(command, { detached: true });
    // As a terminal does: to every process of the group.
    await run("kill", ["-INT", "--", `-${service.process.pid}`]);
    assertEquals((await service.process.status).code, 0, service.process.output);
    assertMatch(service.process.output, /"event":"stopping","signal":"SIGINT"/);
  });

  await t.step("the package, asked for its version", async () => {
    assertEquals(await run(command, ["--version"]), `Gatehouse ${version}\n`);
  });

  await t.step("the package, when npx gets SIGTERM and its shell ends", async () => {
    // As npx does. The shell stays between them as there is a second command.
    const args = ["-c", `"${command}"; true`];
    await using service = await start("sh", { args, more: { npm_command: "exec" } });
    // Fails if the service outlives the shell.
    assertEquals((await service.process.stop("SIGTERM")).signal, "SIGTERM");
    assertMatch(service.process.output, /"event":"stopping","signal":"SIGTERM"/);
  });

  await t.step("the package, with a setting that is wrong", async () => {
    const env = { GATEHOUSE_LISTEN: "nowhere" };
    await using failing = new TestProcess(command, { args: [], env, cwd: installed });
    assertEquals((await failing.status).code, 1);
    assertStringIncludes(failing.output, "Cannot start with these settings:");
  });
});
