/** The tasks `ticket` and `recover` as they are run, beside the service and without it. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { TestProcess } from "../support/process.ts";
import { type RunningService, startService } from "../support/service.ts";

const password = "mellow-otter-41-lantern";
const forgotten = { login: "grace", password: "copper-meadow-77-violin" };
const nobody = { uid: 65_534, gid: 65_534 };

/** Runs a task on a folder. */
async function runTask(folder: string, args: string[]) {
  // With these proxy settings, which are common, `fetch` would ask port 80 in place of the socket.
  const env = { GATEHOUSE_STORE: folder, NO_COLOR: "1", NO_PROXY: "localhost,127.0.0.1" };
  const command = ["run", "-A", "lib/tasks/ticket.ts", ...args];
  await using task = new TestProcess(Deno.execPath(), { args: command, env });
  const { code } = await task.status;
  return { code, output: task.output, ticket: /: ([\w-]{43})$/m.exec(task.output)?.[1] ?? "" };
}

async function send({ url }: RunningService, [method, path]: [string, string], json: unknown): Promise<number> {
  const headers = { "content-type": "application/json" };
  const response = await fetch(`${url}${path}`, { method, headers, body: JSON.stringify(json) });
  await response.body?.cancel();
  return response.status;
}

Deno.test("the last administrator gets back in by a ticket, made beside the service or after its end", async () => {
  const folder = await Deno.makeTempDir({ prefix: "gatehouse-" });
  const env = { GATEHOUSE_STORE: `${folder}/data`, GATEHOUSE_LISTEN: "127.0.0.1:0" };
  await using first = await startService({ env });
  const admin = await runTask(env.GATEHOUSE_STORE, ["admin", "grace"]);
  assertEquals([admin.code, await send(first, ["POST", "/user/"], { ...forgotten, ticket: admin.ticket })], [0, 201]);
  const reset = await runTask(env.GATEHOUSE_STORE, ["reset", "grace"]);
  assertEquals(reset.code, 0, reset.output);
  const unknown = await runTask(env.GATEHOUSE_STORE, ["reset", "heidi"]);
  assertEquals([unknown.code, unknown.output], [1, 'There is no user "heidi"\n']);
  await first.logged(/("event":"ticket-made","audit":true,"onMachine":true,.*"purpose":"reset","user":"grace")/);
  await first.kill();
  for (const { ticket } of [admin, reset]) assert(ticket !== "" && !first.log().includes(ticket));

  const offline = await runTask(env.GATEHOUSE_STORE, ["reset", "grace"]);
  assertEquals(offline.code, 0, offline.output);
  assertMatch(offline.output, /^\{.*"event":"ticket-made","audit":true,"onMachine":true,.*"user":"grace"\}$/m);
  await using second = await startService({ env });
  for (const [ticket, status] of [[reset.ticket, 204], [reset.ticket, 403], [offline.ticket, 403]] as const) {
    const body = { ticket, password };
    assertEquals(await send(second, ["PUT", "/user/grace/password"], body), status);
  }
  assertEquals(await send(second, ["POST", "/session/"], { login: "grace", password }), 201);
});

Deno.test({
  name: "another user of the machine cannot connect to the socket",
  ignore: Deno.uid() !== 0,
  async fn() {
    await using service = await startService();
    const parent = await Deno.makeTempDir();
    await Deno.chmod(parent, 0o755);
    const connect = `Deno.connect({ transport: "unix", path: "${service.folder}/socket" })`;
    const source = `console.log(await ${connect}.then(() => "connected", (error) => error.name))`;
    // The original may be where only root can enter.
    const deno = `${parent}/deno`;
    await Deno.copyFile(Deno.execPath(), deno);
    const env = { DENO_DIR: `${parent}/none`, HOME: parent };
    await using stranger = new TestProcess(deno, {
      args: ["eval", "--no-config", source],
      env,
      user: nobody,
      cwd: parent,
    });
    await stranger.status;
    assertStringIncludes(stranger.output, "PermissionDenied");
  },
});

Deno.test("a service on a folder that others can enter does not listen there, and says so", async () => {
  const folder = await Deno.makeTempDir({ prefix: "gatehouse-" });
  await Deno.chmod(folder, 0o755);
  await Deno.writeTextFile(`${folder}/notes.txt`, "");
  await using service = await startService({ env: { GATEHOUSE_STORE: folder } });
  await service.logged(
    /("event":"operator-not-served","problem":"Other users can enter the folder: it contains other)/,
  );
  assert(Array.from(Deno.readDirSync(folder)).every(({ name }) => name !== "socket"));
});
