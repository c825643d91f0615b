import { assert, assertEquals, assertMatch, assertStringIncludes, fail } from "@std/assert";
import { createLog, type Fields, openLog } from "../../lib/log.ts";

const moduleUrl = new URL("../../lib/log.ts", import.meta.url).href;

/** An output that takes everything. */
class FakeOutput {
  readonly writes: string[] = [];

  write(bytes: Uint8Array): Promise<number> {
    this.writes.push(new TextDecoder().decode(bytes));
    return Promise.resolve(bytes.length);
  }

  get events(): unknown[] {
    return this.writes.join("").trimEnd().split("\n").map((line) => JSON.parse(line).event);
  }
}

function logged(fields?: Fields): Record<string, unknown> {
  const lines: string[] = [];
  createLog((line) => lines.push(line)).info("event", fields);
  assertEquals(lines.length, 1);
  return JSON.parse(lines[0] ?? "");
}

Deno.test("createLog() writes a line of JSON for each event: time, level, event, fields", () => {
  const lines: string[] = [];
  const log = createLog((line) => lines.push(line));
  log.info("request", { status: 200, path: "/user/" });
  log.warn("weak");
  log.error("failed", {});
  const shapes = [
    '{"time":"T","level":"info","event":"request","status":200,"path":"/user/"}\n',
    '{"time":"T","level":"warn","event":"weak"}\n',
    '{"time":"T","level":"error","event":"failed"}\n',
  ];
  assertEquals(lines.map((line) => line.replace(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/, "T")), shapes);
});

Deno.test("createLog() names the instance in each line, if it has a name", async () => {
  const output = new FakeOutput();
  await using log = openLog(output, { instance: "auth-1" });
  log.warn("weak");
  const { instance, event } = JSON.parse(output.writes.join(""));
  assertEquals([instance, event, "instance" in logged()], ["auth-1", "weak", false]);
});

Deno.test("createLog() has debug lines only if asked, and computes no fields of others", () => {
  for (const isDebug of [true, false]) {
    const lines: string[] = [];
    let computedCount = 0;
    createLog((line) => lines.push(line), { isDebug }).debug?.("decided", { count: ++computedCount });
    assertEquals(lines.map((line) => JSON.parse(line).level), isDebug ? ["debug"] : []);
    assertEquals(computedCount, isDebug ? 1 : 0);
  }
});

Deno.test("createLog() lets no value forge a line or take the place of the event", () => {
  const fields = { path: '/\n{"event":"forged"}', event: "forged" };
  const lines: string[] = [];
  // @ts-expect-error: a field cannot be called event
  createLog((line) => lines.push(line)).info("request", fields);
  assertEquals(lines.join("").split("\n").length, 2);
});

Deno.test("createLog() asks for no stack when no file can be opened", () => {
  for (const problem of ["Too many open files (os error 24)", "Too many open files in system (os error 23)"]) {
    const error = new Error(problem);
    Object.defineProperty(error, "stack", { get: () => fail("Deno would panic") });
    assertEquals(logged({ error }).error, { name: "Error", message: problem });
  }
});

Deno.test("createLog() writes an error as name, message, stack and its chain of causes", () => {
  const cause = new RangeError("disk", { cause: "just text" });
  const { error } = logged({ error: new TypeError("store", { cause }) });
  assert(isRecord(error) && isRecord(error.cause));
  assertEquals([error.name, error.message, error.cause.name, error.cause.message], [
    "TypeError",
    "store",
    "RangeError",
    "disk",
  ]);
  assertMatch(String(error.stack), /^TypeError: store\n +at .*log_test\.ts/);
  assertEquals([error.cause.cause, "cause" in logged({ error: new Error("alone") })], ["just text", false]);
});

Deno.test("createLog() writes whatever value it is given", () => {
  const rows: readonly (readonly [value: unknown, written: unknown])[] = [
    ["text", "text"],
    [1.5, 1.5],
    [true, true],
    [null, null],
    [undefined, undefined],
    [2n ** 64n, "18446744073709551616"],
    [new Date(0), "1970-01-01T00:00:00.000Z"],
    [["a", 1n], ["a", "1"]],
    [{ a: { b: [1] } }, { a: { b: [1] } }],
    [() => 1, undefined],
  ];
  for (const [value, written] of rows) assertEquals(logged({ value }).value, written);
});

Deno.test("createLog() comes to an end with values that go in a circle", () => {
  const circle: Record<string, unknown> = {};
  circle.circle = circle;
  const error = new Error("mine");
  error.cause = error;
  assertStringIncludes(JSON.stringify(logged({ circle, error, list: [[circle]] })), '"…"');
});

Deno.test("openLog() starts to write at once a warning, an error, on flush() and when disposed of", async () => {
  const rows: readonly (readonly [event: string, act: (log: ReturnType<typeof openLog>) => unknown])[] = [
    ["warn", (log) => log.warn("warn")],
    ["error", (log) => log.error("error")],
    ["flushed", (log) => (log.info("flushed"), log.flush())],
    ["disposed", (log) => (log.info("disposed"), log[Symbol.asyncDispose]())],
  ];
  for (const [event, act] of rows) {
    const output = new FakeOutput();
    await using log = openLog(output);
    log.info("before");
    assertEquals(output.writes.length, 0);
    act(log);
    assertEquals([output.writes.length, output.events], [1, ["before", event]]);
  }
});

Deno.test("openLog() tells in a line of its own how many lines it dropped", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const output = new FakeOutput();
  await using log = openLog({ write: (bytes) => promise.then(() => output.write(bytes)) });
  const text = "x".repeat(100_000);
  for (let line = 0; line < 13; line++) log.info("long", { text });
  log.error("last");
  resolve();
  await log.flush();
  assertEquals(output.events, [...Array<string>(10).fill("long"), "last", "log-lines-dropped"]);
  const dropped = JSON.parse(output.writes.at(-1) ?? "");
  assertEquals([dropped.level, dropped.count], ["warn", 3]);
});

Deno.test("openLog() outlives a standard output that is closed", async () => {
  const child = spawn(`
    await Deno.stdin.read(new Uint8Array(1));
    const log = openLog(Deno.stdout);
    log.error("at once");
    log.info("by timer");
    await new Promise((resolve) => setTimeout(resolve, 50));
    log.warn("after the fault");
    await log[Symbol.asyncDispose]();
    Deno.stderr.writeSync(new TextEncoder().encode("alive\\n"));`);
  await child.stdout.cancel();
  const stdin = child.stdin.getWriter();
  await stdin.write(new Uint8Array(1));
  await stdin.close();
  const [{ success }, stderr] = await Promise.all([child.status, new Response(child.stderr).text()]);
  assertEquals([stderr, success], ["alive\n", true]);
});

Deno.test("openLog() lets the process end, with the lines of a log that was disposed of", async () => {
  const rows: readonly (readonly [source: string, stdout: RegExp])[] = [
    ['await using log = openLog(Deno.stdout); log.info("kept");', /^\{"time":.*"kept"\}\n$/],
    ['const log = openLog(Deno.stdout); log.info("lost");', /^$/],
  ];
  for (const [source, stdout] of rows) {
    const child = spawn(source);
    await child.stdin.close();
    const output = await child.output();
    assertMatch(new TextDecoder().decode(output.stdout), stdout);
    assertEquals(new TextDecoder().decode(output.stderr), "");
  }
});

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

function spawn(source: string): Deno.ChildProcess {
  const imports = `import { openLog } from ${JSON.stringify(moduleUrl)};`;
  const args = ["eval", "--config", `${import.meta.dirname}/../../deno.json`, `${imports}\n${source}`];
  return new Deno.Command(Deno.execPath(), { args, stdin: "piped", stdout: "piped", stderr: "piped" })
    .spawn();
}
