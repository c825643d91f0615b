/** The shell of the command lines, in a process of its own. */
import { assertEquals, assertMatch } from "@std/assert";
import project from "../../../deno.json" with { type: "json" };

const moduleUrl = new URL("../../../lib/tasks/task.ts", import.meta.url).href;
const tryTask = `await runTask({
  usage: "try FROM [TO] [--ca FILE] [--dry-run]",
  help: "Tries.",
  run: (call) => Promise.resolve(JSON.stringify([call.args, call.paths, call.options, typeof call.env])),
});`;

Deno.test("runTask() parses arguments as its usage says, and resolves paths from where it was called", async () => {
  const rows: readonly (readonly [args: readonly string[], call: unknown])[] = [
    [["a"], [["a"], ["/home/a"], {}, "object"]],
    [["a", "/b", "--ca", "c"], [["a", "/b"], ["/home/a", "/b"], { ca: "c" }, "object"]],
    [["--dry-run", "a"], [["a"], ["/home/a"], { "dry-run": "true" }, "object"]],
    [["--ca=c", "--", "-a"], [["-a"], ["/home/-a"], { ca: "c" }, "object"]],
  ];
  for (const [args, call] of rows) {
    const { code, stdout, stderr } = await run(tryTask, args);
    assertEquals([code, stderr, JSON.parse(stdout)], [0, "", call]);
  }
});

Deno.test("runTask() rejects other arguments with one line of usage, and explains --help and --version", async () => {
  for (const args of [[], ["a", "b", "c"], ["a", "--nonsense"], ["a", "--ca"], ["a", "--dry-run=no"]]) {
    const { code, stdout, stderr } = await run(tryTask, args);
    assertEquals([code, stdout], [1, ""]);
    assertMatch(stderr, /^(.*\. )?Usage: deno task try FROM \[TO\] \[--ca FILE\] \[--dry-run\]\n$/);
  }
  const help = await run(tryTask, ["--help"]);
  assertEquals(help, {
    code: 0,
    stdout: "Usage: deno task try FROM [TO] [--ca FILE] [--dry-run]\n\nTries.\n",
    stderr: "",
  });
  const named = await run(tryTask, ["--version"]);
  assertEquals(named, { code: 0, stdout: `Gatehouse ${project.version}\n`, stderr: "" });
});

Deno.test("runTask() ends with the status of the task, or with its error in one line", async () => {
  const rows: readonly (readonly [task: string, code: number, stderr: string])[] = [
    ["run: () => Promise.resolve(0)", 0, ""],
    ["run: () => Promise.resolve(2)", 2, ""],
    ['run: () => Promise.reject(new TaskError("no"))', 1, "no\n"],
    ['run: () => Promise.reject("no")', 1, "no\n"],
    ['errorStatus: 2, run: () => Promise.reject(new TaskError("no"))', 2, "no\n"],
  ];
  for (const [task, code, stderr] of rows) {
    assertEquals(await run(`await runTask({ usage: "try", help: "", ${task} });`), { code, stdout: "", stderr });
  }
});

Deno.test("stopSignal() is aborted by the first signal, and the process ignores later ones", async () => {
  for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) {
    const source = `const signal = stopSignal();
      const over = new Promise((resolve) => signal.addEventListener("abort", resolve));
      Deno.kill(Deno.pid, "${signal}");
      await over;
      Deno.kill(Deno.pid, "SIGTERM");
      await new Promise((resolve) => setTimeout(resolve, 20));
      printLine(signal.reason);`;
    assertEquals(await run(source), { code: 0, stdout: `${signal}\n`, stderr: "" });
  }
});

Deno.test("printLine() and printError() write plain lines, each to its own stream", async () => {
  const printed = await run('printLine("to stdout %s"); printError("to stderr");');
  assertEquals(printed, { code: 0, stdout: "to stdout %s\n", stderr: "to stderr\n" });
});

Deno.test("printError() and errors command no terminal", async () => {
  const text = "a\x1b]0;b\x07\x7f\x9b2J\r\u202ec\nd";
  const shown = "a\ufffd]0;b\ufffd\ufffd\ufffd2J\ufffd\ufffdc\nd\n";
  const source = `const text = ${JSON.stringify(text)};
    printError(text);
    await runTask({ usage: "x", help: "", run: () => Promise.reject(new TaskError(text)) });`;
  assertEquals(await run(source), { code: 1, stdout: "", stderr: shown + shown });
});

async function run(source: string, args: readonly string[] = []) {
  const file = await Deno.makeTempFile({ suffix: ".ts" });
  const imports = `import { printError, printLine, runTask, stopSignal, TaskError } from ${JSON.stringify(moduleUrl)};`;
  await Deno.writeTextFile(file, `${imports}\n${source}`);
  const config = `${import.meta.dirname}/../../../deno.json`;
  const output = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", "--config", config, file, ...args],
    env: { INIT_CWD: "/home" },
  }).output();
  await Deno.remove(file);
  const text = new TextDecoder();
  return { code: output.code, stdout: text.decode(output.stdout), stderr: text.decode(output.stderr) };
}
