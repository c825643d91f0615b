/**
 * The service whose standard output and standard error nobody reads: a real pipe, and a real terminal.
 *
 * Requests are answered and signals heeded all the same; lines are dropped, and counted for the reader that goes on.
 */

import { assert, assertEquals, assertGreater, assertLess, assertMatch } from "@std/assert";
import { setTimeout as delay } from "node:timers/promises";
import { ensureProgram } from "../support/packages.ts";
import { fillPipe, openPipe } from "../support/pipe.ts";
import { freePort, TestProcess } from "../support/process.ts";

const hasScript = await ensureProgram("script", "bsdutils");
// A FIFO that is opened for both does not wait for the other end on Linux alone.
const isLinux = Deno.build.os === "linux";
const projectRoot = new URL("../..", import.meta.url).pathname;

/** Some 180 bytes of log each: twice what is held. */
const requestCount = 12_000;

/** A folder for a service, and its settings. */
class Scene implements AsyncDisposable {
  readonly port = freePort();
  readonly folder = Deno.makeTempDirSync({ prefix: "gatehouse-" });
  readonly env = {
    GATEHOUSE_LISTEN: `127.0.0.1:${this.port}`,
    GATEHOUSE_PBKDF2_ITERATIONS: "1000",
    GATEHOUSE_STORE: `${this.folder}/data`,
  };

  /** The service's own, whatever started it. */
  get pid(): number {
    return Number(Deno.readTextFileSync(`${this.folder}/data/lock`));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.folder, { recursive: true });
  }
}

/** @returns the status of `GET /health/ready`, 0 when nobody answers within a second */
async function readiness({ port }: Scene): Promise<number> {
  try {
    const response = await fetch(`http://127.0.0.1:${port}/health/ready`, { signal: AbortSignal.timeout(1_000) });
    await response.body?.cancel();
    return response.status;
  } catch {
    return 0;
  }
}

async function untilReady(scene: Scene): Promise<void> {
  for (const endsAt = Date.now() + 15_000; await readiness(scene) !== 200;) {
    assertLess(Date.now(), endsAt, "the service is not ready");
    await delay(20);
  }
}

/** Sends so many requests that have a line in the log each. @returns how many were answered within 20 s */
async function askOften({ port }: Scene): Promise<number> {
  using connection = await Deno.connect({ port });
  const timer = setTimeout(() => connection.close(), 20_000);
  let text = "";
  let answeredCount = 0;
  try {
    const request = new TextEncoder().encode("GET /nowhere HTTP/1.1\r\nHost: gatehouse.test\r\n\r\n".repeat(100));
    for (let sent = 0; sent < requestCount; sent += 100) {
      await connection.write(request);
      for (const expected = sent + 100; answeredCount < expected;) {
        const buffer = new Uint8Array(65_536);
        const count = await connection.read(buffer);
        if (count === null) return answeredCount;
        const parts = (text + new TextDecoder().decode(buffer.subarray(0, count))).split("HTTP/1.1 404 ");
        answeredCount += parts.length - 1;
        text = parts.at(-1) ?? "";
      }
    }
  } catch (error) {
    assert(error instanceof Deno.errors.BadResource || error instanceof Deno.errors.Interrupted, String(error));
  } finally {
    clearTimeout(timer);
  }
  return answeredCount;
}

/** Sends SIGTERM. @returns how long it took to end, in milliseconds */
async function stop(process: TestProcess): Promise<number> {
  const startedAt = performance.now();
  const { code } = await process.stop("SIGTERM");
  assertEquals(code, 0, process.output);
  return performance.now() - startedAt;
}

/** The service with its standard output on `path`, and standard error as well if `redirection` says so. */
function startOn(path: string, { env, redirection }: { env: Record<string, string>; redirection: string }) {
  const script = `exec "$0" run -A main.ts ${redirection}`;
  return new TestProcess("sh", {
    args: ["-c", script, Deno.execPath()],
    env: { ...env, PIPE: path },
    cwd: projectRoot,
  });
}

Deno.test({
  name: "requests are answered and SIGTERM ends the service though nobody reads the pipe of its log",
  ignore: !isLinux,
  async fn() {
    await using scene = new Scene();
    const { path, file } = await openPipe(scene.folder);
    using _open = file;
    await using service = startOn(path, { env: scene.env, redirection: '>"$PIPE"' });
    await untilReady(scene);
    assertEquals(await askOften(scene), requestCount);
    assertEquals(await readiness(scene), 200);
    assertLess(await stop(service), 4_000);
  },
});

Deno.test({
  name: "a reader of the log that goes on gets whole lines, and how many it missed",
  ignore: !isLinux,
  async fn() {
    await using scene = new Scene();
    const { path, file } = await openPipe(scene.folder);
    using _open = file;
    await using service = startOn(path, { env: scene.env, redirection: '>"$PIPE"' });
    await untilReady(scene);
    assertEquals(await askOften(scene), requestCount);
    // Before it stops: while what it holds is full, the line about that would be dropped as well.
    const missed = await readUntil(file, '"event":"log-lines-dropped"');
    const reading = readUntil(file, '"event":"stopping"');
    assertLess(await stop(service), 4_000);
    const events: Record<string, unknown>[] = (missed + await reading).trimEnd().split("\n").map((line) =>
      JSON.parse(line)
    );
    const askedCount = events.filter(({ event, route }) => event === "request" && route === "(none)").length;
    const dropped = events.filter(({ event }) => event === "log-lines-dropped").map(({ count }) => Number(count));
    const droppedCount = dropped.reduce((sum, count) => sum + count, 0);
    assertGreater(droppedCount, 1_000);
    // Those of /health/ready are among the dropped as well.
    assertLess(Math.abs(askedCount + droppedCount - requestCount), 50);
  },
});

Deno.test({
  name: "the service starts, says why it cannot, and ends though nobody reads standard error",
  ignore: !isLinux,
  async fn() {
    await using scene = new Scene();
    const { path, file } = await openPipe(scene.folder);
    using _open = file;
    await fillPipe(path);
    {
      await using service = startOn(path, { env: scene.env, redirection: '>"$PIPE" 2>&1' });
      await untilReady(scene);
      assertLess(await stop(service), 4_000);
    }
    await using failed = startOn(path, { env: { ...scene.env, GATEHOUSE_LISTEN: "x" }, redirection: '2>"$PIPE"' });
    assertEquals((await failed.status).code, 1);
  },
});

Deno.test({
  name: "the service outlives the reader of its log",
  ignore: !isLinux,
  async fn() {
    await using scene = new Scene();
    const { path, file } = await openPipe(scene.folder);
    await using service = startOn(path, { env: scene.env, redirection: '>"$PIPE"' });
    await untilReady(scene);
    file.close();
    assertEquals(await askOften(scene), requestCount);
    assertLess(await stop(service), 4_000);
  },
});

Deno.test({
  name: "Ctrl-S in a terminal stops its lines and not the service, and Ctrl-Q shows them",
  ignore: !isLinux || !hasScript,
  async fn() {
    await using scene = new Scene();
    const args = ["--quiet", "--flush", "--return", "--command", `${Deno.execPath()} run -A main.ts`, "/dev/null"];
    const terminal = new Deno.Command("script", {
      args,
      cwd: projectRoot,
      env: scene.env,
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    const keys = terminal.stdin.getWriter();
    let shown = "";
    const showing = (async () => {
      for await (const text of terminal.stdout.pipeThrough(new TextDecoderStream())) shown += text;
    })();
    await untilReady(scene);
    await keys.write(new Uint8Array([0x13]));
    await delay(200);
    const before = shown.length;
    assertEquals(await askOften(scene), requestCount);
    assertEquals(await readiness(scene), 200);
    // What it takes before it stops differs from system to system.
    assertLess(shown.length - before, 200_000);
    await keys.write(new Uint8Array([0x11]));
    for (const endsAt = Date.now() + 10_000; !shown.includes("log-lines-dropped") && Date.now() < endsAt;) {
      await delay(20);
    }
    assertMatch(shown, /"event":"log-lines-dropped","count":\d+\}/);

    await keys.write(new Uint8Array([0x13]));
    await delay(200);
    assertEquals(await askOften(scene), requestCount);
    const startedAt = performance.now();
    Deno.kill(scene.pid, "SIGTERM");
    // `script` ends with the service, and with its status.
    assertEquals((await terminal.status).code, 0);
    assertLess(performance.now() - startedAt, 4_000);
    await keys.abort();
    await showing;
  },
});

/** Reads until `end` has come, and the line that it is in. */
async function readUntil(file: Deno.FsFile, end: string): Promise<string> {
  const decoder = new TextDecoder();
  const buffer = new Uint8Array(65_536);
  let text = "";
  while (!text.includes(end) || !text.endsWith("\n")) {
    text += decoder.decode(buffer.subarray(0, await file.read(buffer) ?? 0), { stream: true });
  }
  return text;
}
