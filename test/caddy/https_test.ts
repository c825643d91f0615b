/**
 * The task `https` as a process: what it prints, and that it leaves nothing behind.
 *
 * It runs in its own process group, so a signal to the group does what Ctrl-C does in a terminal.
 */
import { X509Certificate } from "node:crypto";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { setTimeout as delay } from "node:timers/promises";
import { upstreamOf } from "../../caddy/https.ts";
import { ensureProgram } from "../support/packages.ts";
import { fillPipe, openPipe } from "../support/pipe.ts";
import { freePort, TestProcess } from "../support/process.ts";
import { fakeCaddy } from "../support/caddy/fake_caddy.ts";

const hasPrograms = await ensureProgram("caddy", "caddy") && await ensureProgram("curl", "curl");
// Processes are looked for in /proc.
const ignore = !hasPrograms || Deno.build.os !== "linux";

Deno.test("upstreamOf() spells addresses as Caddy does", () => {
  assertEquals(upstreamOf({ hostname: "127.0.0.1", port: 8000 }), "127.0.0.1:8000");
  assertEquals(upstreamOf({ hostname: "::1", port: 8000 }), "[::1]:8000");
  assertEquals(upstreamOf({ hostname: "0.0.0.0", port: 8000 }), "127.0.0.1:8000");
  assertEquals(upstreamOf({ hostname: "::", port: 8000 }), "[::1]:8000");
  assertEquals(upstreamOf({ path: "/run/gatehouse.sock" }), "unix//run/gatehouse.sock");
});

Deno.test({ name: "https prints how to reach and trust it, and ends after one Ctrl-C", ignore }, async () => {
  await using task = await startTask();
  await task.untilReady();
  assertStringIncludes(task.output, `Gatehouse is ready at ${task.url}\n`);
  const rootPath = /^Its root certificate: (.+)$/m.exec(task.output)?.[1] ?? "";
  const { fingerprint256 } = new X509Certificate(await Deno.readTextFile(rootPath));
  assertStringIncludes(task.output, `The root's SHA-256: ${fingerprint256}\n`);
  const command = /^To try it: (curl .+)$/m.exec(task.output)?.[1] ?? "";
  assertStringIncludes(command, `--cacert "${rootPath}"`);
  const tried = await new Deno.Command("sh", { args: ["-c", `${command} --silent --fail`] }).output();
  assertEquals(tried.code, 0, new TextDecoder().decode(tried.stderr));

  const pids = await descendants(task.pid);
  Deno.kill(-task.pid, "SIGINT");
  assertEquals(await task.ended(), 0, task.output);
  assertEquals(pids.filter(isAlive), []);
  // Caddy's own log is JSON too, and is not printed unless something is wrong.
  assert(!task.output.includes('{"level":'), task.output);
});

Deno.test({ name: "https serves over a unix socket, and a second Ctrl-C does no harm", ignore }, async () => {
  await using task = await startTask((folder) => ({ GATEHOUSE_LISTEN: `unix:${folder}/gatehouse.sock` }));
  await task.untilReady();
  const pids = await descendants(task.pid);
  Deno.kill(-task.pid, "SIGINT");
  await delay(5);
  // On a busy machine it may have ended already.
  if (isAlive(task.pid)) Deno.kill(-task.pid, "SIGINT");
  assertEquals(await task.ended(), 0, task.output);
  assertEquals(pids.filter(isAlive), []);
});

for (const signal of ["SIGTERM", "SIGHUP"] as const) {
  Deno.test({ name: `https ends with status 0 after ${signal}`, ignore }, async () => {
    await using task = await startTask();
    await task.untilReady();
    const pids = await descendants(task.pid);
    Deno.kill(task.pid, signal);
    assertEquals(await task.ended(), 0, task.output);
    assertEquals(pids.filter(isAlive), []);
  });
}

Deno.test({ name: "https requests its site directly, whatever proxy the environment names", ignore }, async () => {
  const proxy = "http://127.0.0.1:1";
  const names = ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"];
  await using task = await startTask(() => Object.fromEntries(names.map((name) => [name, proxy])));
  await task.untilReady();
});

for (const { caddyStatus, status } of [{ caddyStatus: 0, status: 0 }, { caddyStatus: 3, status: 1 }]) {
  const title = `https stops Caddy first, and ends with ${status} when Caddy ends with ${caddyStatus}`;
  Deno.test({ name: title, ignore }, async () => {
    await using caddy = await fakeCaddy(caddyStatus);
    await using task = await startTask(() => ({ PATH: `${caddy.folder}:${Deno.env.get("PATH")}` }));
    await task.untilServiceAnswers();
    Deno.kill(task.pid, "SIGTERM");
    assertEquals(await task.ended(), status, task.output);
    assertEquals(await Deno.readTextFile(`${caddy.folder}/asked`), "200");
  });
}

Deno.test({ name: "https reacts to signals even if nobody reads its output", ignore }, async () => {
  const folder = await Deno.makeTempDir({ prefix: "gatehouse-" });
  try {
    const { path, file } = await openPipe(folder);
    using _unread = file;
    await fillPipe(path);
    await using task = await startTask(() => ({ PIPE: path }), '>"$PIPE"');
    await task.untilServiceAnswers();
    const pids = await descendants(task.pid);
    // By then it has something to print.
    await delay(2_000);
    Deno.kill(task.pid, "SIGTERM");
    assertEquals(await task.ended(), 0);
    assertEquals(pids.filter(isAlive), []);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test({ name: "https names the process that ended by itself, and stops the other", ignore }, async () => {
  for (const [program, name] of [["caddy run", "Caddy"], ["main.ts", "The service"]] as const) {
    await using task = await startTask();
    await task.untilReady();
    const pids = await descendants(task.pid);
    const victim = pids.findLast((pid) => commandLine(pid).includes(program));
    assert(victim !== undefined, program);
    Deno.kill(victim, "SIGKILL");
    assertEquals(await task.ended(), 1, task.output);
    assertStringIncludes(
      task.output,
      `${name} ended by itself with status 137, so the other is stopped as well`,
    );
    assertEquals(pids.filter(isAlive), []);
  }
});

Deno.test({ name: "https prints why one of the two cannot start", ignore }, async () => {
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const address = `127.0.0.1:${taken.addr.port}`;
  await using noPort = await startTask(() => ({ GATEHOUSE_LISTEN: address }));
  assertEquals(await noPort.ended(), 1);
  assertStringIncludes(noPort.output, "The service ended by itself with status 1");
  assertStringIncludes(noPort.output, address);
  await using noSite = await startTask(() => ({ SITE: `https://localhost:${taken.addr.port}` }));
  assertEquals(await noSite.ended(), 1);
  assertStringIncludes(noSite.output, "Caddy ended by itself with status 1");
  assertStringIncludes(noSite.output, `${address}: bind: address already in use`);
});

for (const listen of ["nowhere", "127.0.0.1:0", "[::]:0"]) {
  Deno.test({ name: `https starts nothing with GATEHOUSE_LISTEN=${listen}`, ignore }, async () => {
    await using task = await startTask(() => ({ GATEHOUSE_LISTEN: listen }));
    assertEquals(await task.ended(), 1);
    assertEquals(task.output.split(`GATEHOUSE_LISTEN cannot be "${listen}": `).length, 2, task.output);
    assert(!task.output.includes("ended by itself"), task.output);
  });
}

Deno.test("https without caddy prints how to install it, and starts nothing", async () => {
  const folder = await Deno.makeTempDir({ prefix: "gatehouse-" });
  await using task = new TestProcess(Deno.execPath(), {
    args: ["run", "-A", "caddy/https.ts"],
    env: { PATH: folder, GATEHOUSE_STORE: `${folder}/store`, GATEHOUSE_LISTEN: `127.0.0.1:${freePort()}` },
  });
  assertEquals((await task.status).code, 1);
  for (const way of ["apt-get install caddy", "brew install caddy", "https://caddyserver.com/docs/install"]) {
    assertStringIncludes(task.output, way);
  }
  assertEquals(await Array.fromAsync(Deno.readDir(folder)), []);
  await Deno.remove(folder, { recursive: true });
});

/** The task with ports and folders of its own. Disposing of it ends it as SIGTERM does, with all that it started. */
class Task implements AsyncDisposable {
  readonly #process: TestProcess;
  readonly #folder: string;

  readonly #address: string;

  constructor(readonly url: string, options: { process: TestProcess; folder: string; address: string }) {
    this.#process = options.process;
    this.#folder = options.folder;
    this.#address = options.address;
  }

  get pid(): number {
    return this.#process.pid;
  }

  get output(): string {
    return this.#process.output;
  }

  async untilReady(): Promise<void> {
    const isReady = () => this.output.includes("Ctrl-C stops both\n") || undefined;
    await this.#process.until(isReady, { what: "the task to be ready" });
  }

  async untilServiceAnswers(): Promise<void> {
    const isReady = async () => {
      const response = await fetch(`http://${this.#address}/health/ready`).catch(() => undefined);
      await response?.body?.cancel();
      return response?.ok || undefined;
    };
    await this.#process.until(isReady, { what: "the service to answer" });
  }

  /** @returns the exit status */
  async ended(): Promise<number> {
    return (await this.#process.status).code;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process.stop("SIGTERM");
    await Deno.remove(this.#folder, { recursive: true });
  }
}

async function startTask(
  settings: (folder: string) => Record<string, string> = () => ({}),
  redirection = "",
): Promise<Task> {
  const folder = await Deno.makeTempDir({ prefix: "gatehouse-" });
  const env = {
    SITE: `https://localhost:${freePort()}`,
    XDG_DATA_HOME: folder,
    XDG_CONFIG_HOME: folder,
    GATEHOUSE_LISTEN: `127.0.0.1:${freePort()}`,
    GATEHOUSE_PBKDF2_ITERATIONS: "1000",
    GATEHOUSE_STORE: `${folder}/store`,
    ...settings(folder),
  };
  const args = ["-c", `exec "$0" task https ${redirection}`, Deno.execPath()];
  const process = new TestProcess("sh", { args, env, detached: true });
  return new Task(env.SITE, { process, folder, address: env.GATEHOUSE_LISTEN });
}

/** The processes that a process has started, and theirs. */
async function descendants(pid: number): Promise<number[]> {
  const children = (await Deno.readTextFile(`/proc/${pid}/task/${pid}/children`)).match(/\d+/g) ?? [];
  const pids = await Promise.all(
    children.map(async (child) => [Number(child), ...await descendants(Number(child))]),
  );
  return pids.flat();
}

function commandLine(pid: number): string {
  return Deno.readTextFileSync(`/proc/${pid}/cmdline`).replaceAll("\0", " ");
}

function isAlive(pid: number): boolean {
  try {
    Deno.statSync(`/proc/${pid}`);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
