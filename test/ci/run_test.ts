import { assertEquals } from "@std/assert";

const run = new URL("../../.ci/run", import.meta.url).pathname;

interface Row {
  readonly title: string;
  /** What the stand-in for npx prints and returns. */
  readonly output: string;
  readonly code: number;
  readonly lastLine: string;
  readonly exitCode: number;
}

const rows: readonly Row[] = [
  {
    title: "tells the counts of a run that succeeded",
    output: "running 1 test\nok | 12 passed | 0 failed (2s)\n",
    code: 0,
    lastLine: "12 passed, 0 failed",
    exitCode: 0,
  },
  {
    title: "tells the counts of a run that failed, and keeps its status",
    output: "FAILED | 11 passed (3 steps) | 2 failed (1 step) | 1 ignored (1m2s)\n\nerror: Test failed\n",
    code: 3,
    lastLine: "11 passed, 2 failed",
    exitCode: 3,
  },
  {
    title: "reads a summary with steps and ignored tests",
    output: "ok | 5 passed (3 steps) | 0 failed | 2 ignored (1 step) (87ms)\n",
    code: 0,
    lastLine: "5 passed, 0 failed",
    exitCode: 0,
  },
  {
    title: "reads a summary in colour",
    output: "\x1b[0m\x1b[32mok\x1b[0m | 7 passed | 0 failed \x1b[0m\x1b[38;5;245m(1s)\x1b[0m\n",
    code: 0,
    lastLine: "7 passed, 0 failed",
    exitCode: 0,
  },
  {
    title: "takes the last summary of several",
    output: "FAILED | 0 passed | 1 failed (1ms)\nok | 9 passed | 0 failed (1s)\n",
    code: 0,
    lastLine: "9 passed, 0 failed",
    exitCode: 0,
  },
  {
    title: "fails without a summary, whatever the status",
    output: "Checked 3 files\nsomething ok | 3 passed | 0 failed\n",
    code: 0,
    lastLine: "",
    exitCode: 1,
  },
  {
    title: "keeps the status of a run that came to no summary",
    output: "error: Found 1 not formatted file\n",
    code: 2,
    lastLine: "",
    exitCode: 2,
  },
];

for (const { title, output, code, lastLine, exitCode } of rows) {
  Deno.test(`.ci/run ${title}`, async () => {
    const ran = await runWith({ output, code });
    assertEquals([ran.exitCode, ran.stdout], [exitCode, `${output}${lastLine}${lastLine && "\n"}`]);
    assertEquals(ran.stderr === "", lastLine !== "");
  });
}

Deno.test(".ci/run calls the task in the project's folder, without colour and without input", async () => {
  const { stdout } = await runWith({ output: "", code: 0, script: 'echo "$PWD $NO_COLOR $*"; cat' });
  assertEquals(stdout, `${run.slice(0, -"/.ci/run".length)} 1 --yes deno@2.9.6 task ok\n`);
});

/** Runs .ci/run with a stand-in for npx, from another folder. */
async function runWith({ output, code, script = "" }: { output: string; code: number; script?: string }) {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${folder}/output`, output);
    const npx = `#!/bin/sh\n${script}\ncat "${folder}/output"\nexit ${code}\n`;
    await Deno.writeTextFile(`${folder}/npx`, npx, { mode: 0o755 });
    const result = await new Deno.Command(run, {
      cwd: folder,
      env: { PATH: `${folder}:${Deno.env.get("PATH")}` },
    }).output();
    const decoder = new TextDecoder();
    return {
      exitCode: result.code,
      stdout: decoder.decode(result.stdout),
      stderr: decoder.decode(result.stderr),
    };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
