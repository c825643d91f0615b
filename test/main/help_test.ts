/** What `main.ts` says about itself, without any permission and whatever the settings. */
import { assertEquals, assertMatch } from "@std/assert";

const rows: readonly [argument: string, code: number, stdout: RegExp, stderr: RegExp][] = [
  ["--version", 0, /^Gatehouse \d+\.\d+\.\d+\n$/, /^$/],
  ["--help", 0, /^Usage: deno task start\n[^]+ {2}GATEHOUSE_LISTEN=127\.0\.0\.1:8000\n/, /^$/],
  ["--port=1", 1, /^$/, /^Unknown option '--port'.*Usage: deno task start\n$/],
  ["data", 1, /^$/, /^Usage: deno task start\n$/],
];

Deno.test("main.ts explains --help and --version, and rejects every other argument", async () => {
  for (const [argument, code, stdout, stderr] of rows) {
    const output = await new Deno.Command(Deno.execPath(), {
      args: ["run", "--no-prompt", "main.ts", argument],
      cwd: `${import.meta.dirname}/../..`,
      env: { GATEHOUSE_LISTEN: "8000" },
    }).output();
    assertMatch(new TextDecoder().decode(output.stdout), stdout);
    assertMatch(new TextDecoder().decode(output.stderr), stderr);
    assertEquals(output.code, code);
  }
});
