import { assert, assertEquals, assertMatch, assertStringIncludes, fail } from "@std/assert";
import { delay } from "@std/async/delay";
import { createLog, type Fields, openLog } from "../../lib/log.ts";

const moduleUrl = new URL("../../lib/log.ts", import.meta.url).href;

/** An output that takes what each of `outcomes` says: so many bytes, or a fault; and then everything. */
class FakeOutput {
  readonly writes: string[] = [];
  readonly #outcomes: (number | Error)[];

  constructor(...outcomes: (number | Error)[]) {
    this.#outcomes = outcomes;
  }

  get text(): string {
    return this.writes.join("");
  }

  get events(): unknown[] {
    return this.text.trimEnd().split("\n").map((line) => JSON.parse(line).event);
  }

  writeSync(bytes: Uint8Array): number {
    const outcome = this.#outcomes.shift() ?? bytes.length;
    if (outcome instanceof Error) throw outcome;
    const taken = bytes.subarray(0, outcome);
    // Latin-1, so that a character cut in two shows as two halves.
    this.writes.push(Array.from(taken, (byte) => String.fromCharCode(byte)).join(""));
    return taken.length;
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

Deno.test("openLog() writes the lines of one turn of the event loop at once", async () => {
  const output = new FakeOutput();
  using log = openLog(output);
  log.info("one");
  log.info("two");
  assertEquals(output.writes.length, 0);
  await delay(50);
  assertEquals([output.writes.length, output.events], [1, ["one", "two"]]);
  log.info("three");
  await delay(50);
  assertEquals([output.writes.length, output.events], [2, ["one", "two", "three"]]);
});

Deno.test("openLog() writes at once a warning, an error, on flush() and when disposed of", () => {
  const rows: readonly (readonly [event: string, act: (log: ReturnType<typeof openLog>) => void])[] = [
    ["warn", (log) => log.warn("warn")],
    ["error", (log) => log.error("error")],
    ["flushed", (log) => (log.info("flushed"), log.flush())],
    ["disposed", (log) => (log.info("disposed"), log[Symbol.dispose]())],
  ];
  for (const [event, act] of rows) {
    const output = new FakeOutput();
    using log = openLog(output);
    log.info("before");
    act(log);
    assertEquals([output.writes.length, output.events], [1, ["before", event]]);
  }
});

Deno.test("openLog() does not hold more than 64 KiB", () => {
  const output = new FakeOutput();
  using log = openLog(output);
  log.info("long", { text: "x".repeat(60_000) });
  assertEquals(output.writes.length, 0);
  log.info("more", { text: "x".repeat(10_000) });
  assertEquals([output.writes.length, output.events], [1, ["long", "more"]]);
});

Deno.test("openLog() writes nothing when nothing was logged", () => {
  const output = new FakeOutput();
  using log = openLog(output);
  log.flush();
  assertEquals(output.writes, []);
});

Deno.test("openLog() goes on after a short write, also in the middle of a character", () => {
  const whole = new FakeOutput();
  using wholeLog = openLog(whole);
  wholeLog.warn("umlaut", { text: "ü" });
  const length = whole.text.length;
  for (let cut = 1; cut < length; cut++) {
    const output = new FakeOutput(cut);
    using log = openLog(output);
    log.warn("umlaut", { text: "ü" });
    assertEquals([output.writes.length, output.text.slice(40)], [2, whole.text.slice(40)]);
  }
});

for (const fault of [new Deno.errors.WouldBlock("slow reader"), new Error("No space left on device")]) {
  Deno.test(`openLog() keeps what a passing fault left over: ${fault.message}`, async () => {
    const output = new FakeOutput(7, fault, fault);
    using log = openLog(output);
    log.warn("one");
    log.info("two");
    assertEquals(output.text.length, 7);
    // Two timers of 10 ms, one set by the other, on a machine that may be busy.
    for (let turn = 0; turn < 100 && !output.text.endsWith("\n"); turn++) await delay(20);
    assertEquals(output.events, ["one", "two"]);
  });
}

Deno.test("openLog() drops lines beyond 1 MiB while nothing is taken, and tells how many", () => {
  const fault = new Deno.errors.WouldBlock("slow reader");
  const output = new FakeOutput(fault, fault);
  using log = openLog(output);
  log.warn("first");
  const text = "x".repeat(100_000);
  for (let line = 0; line < 13; line++) log.info("long", { text });
  log.error("last");
  log.flush();
  const dropped = JSON.parse(output.text.trimEnd().split("\n").at(-1) ?? "");
  assertEquals([dropped.event, dropped.level, dropped.count], ["log-lines-dropped", "warn", 3]);
  assertEquals(output.events, ["first", ...Array<string>(10).fill("long"), "last", "log-lines-dropped"]);
});

Deno.test("openLog() stops writing for good when nobody reads any more", () => {
  const output = new FakeOutput(new Deno.errors.BrokenPipe());
  using log = openLog(output);
  log.error("lost");
  log.error("lost too");
  assertEquals(output.writes, []);
});

Deno.test("openLog() takes lines after it was disposed of, and drops them", async () => {
  const output = new FakeOutput();
  const log = openLog(output);
  log[Symbol.dispose]();
  log.warn("late");
  log.info("later");
  await delay(50);
  assertEquals(output.writes, []);
});

Deno.test("openStdoutLog() outlives a standard output that is closed", async () => {
  const child = spawn(`
    await Deno.stdin.read(new Uint8Array(1));
    const log = openStdoutLog();
    log.error("at once");
    log.info("by timer");
    await new Promise((resolve) => setTimeout(resolve, 50));
    log.warn("after the fault");
    log[Symbol.dispose]();
    printError("alive");`);
  await child.stdout.cancel();
  const stdin = child.stdin.getWriter();
  await stdin.write(new Uint8Array(1));
  await stdin.close();
  const [{ success }, stderr] = await Promise.all([child.status, new Response(child.stderr).text()]);
  assertEquals([stderr, success], ["alive\n", true]);
});

Deno.test("openStdoutLog() lets the process end, with the lines of a log that was disposed of", async () => {
  const rows: readonly (readonly [source: string, stdout: RegExp])[] = [
    ['using log = openStdoutLog(); log.info("kept");', /^\{"time":.*"kept"\}\n$/],
    ['const log = openStdoutLog(); log.info("lost");', /^$/],
  ];
  for (const [source, stdout] of rows) {
    const child = spawn(source);
    await child.stdin.close();
    const output = await child.output();
    assertMatch(new TextDecoder().decode(output.stdout), stdout);
    assertEquals(new TextDecoder().decode(output.stderr), "");
  }
});

Deno.test("printLine() and printError() write plain lines, each to its own stream", async () => {
  const child = spawn('printLine("to stdout %s"); printError("to stderr");');
  await child.stdin.close();
  const { stdout, stderr } = await child.output();
  assertEquals([stdout, stderr].map((bytes) => new TextDecoder().decode(bytes)), [
    "to stdout %s\n",
    "to stderr\n",
  ]);
});

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

function spawn(source: string): Deno.ChildProcess {
  const imports = `import { openStdoutLog, printError, printLine } from ${JSON.stringify(moduleUrl)};`;
  const args = ["eval", "--no-config", `${imports}\n${source}`];
  return new Deno.Command(Deno.execPath(), { args, stdin: "piped", stdout: "piped", stderr: "piped" })
    .spawn();
}
