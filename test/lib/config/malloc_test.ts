import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import project from "../../../deno.json" with { type: "json" };
import { readConfig } from "../../../lib/config/config.ts";
import { keepsFreedMemory, mallocThresholdBytes, mallocVariable } from "../../../lib/config/malloc.ts";

const glibc = { os: "linux", env: "gnu" } as const;

Deno.test("keepsFreedMemory() of glibc without a threshold below that of a hash", () => {
  const rows: readonly (readonly [value: string | undefined, isKept: boolean])[] = [
    [undefined, true],
    ["4194304", false],
    ["1", false],
    ["4194305", true],
    ["33554432", true],
    ["0", true],
    ["-1", true],
    ["", true],
    ["4M", true],
  ];
  for (const [value, isKept] of rows) {
    assertEquals(keepsFreedMemory(value === undefined ? {} : { [mallocVariable]: value }, glibc), isKept, value);
  }
});

Deno.test("keepsFreedMemory() of no other system", () => {
  assertEquals(keepsFreedMemory({}, { os: "linux", env: "musl" }), false);
  assertEquals(keepsFreedMemory({}, { os: "linux" }), false);
  assertEquals(keepsFreedMemory({}, { os: "darwin" }), false);
  assertEquals(keepsFreedMemory({}, { os: "windows", env: "gnu" }), false);
  assertEquals(keepsFreedMemory({}, glibc), true);
});

Deno.test("readConfig() reads the threshold of the environment", () => {
  assertEquals(readConfig({ [mallocVariable]: "4194304" }).keepsFreedMemory, false);
  assertEquals(readConfig({}).keepsFreedMemory, keepsFreedMemory({}, Deno.build));
});

Deno.test("all that starts the service sets the threshold", async () => {
  const assignment = new RegExp(`\\b${mallocVariable}[=:] ?"?${mallocThresholdBytes}\\b`);
  const read = (name: string) => Deno.readTextFile(new URL(`../../../lib/deploy/${name}`, import.meta.url));
  const starters = [project.tasks.start.command, await read("serve.sh"), await read("start.js")];
  for (const text of starters) assertMatch(text, assignment);
  for (const name of ["gatehouse.service", "Dockerfile"]) assertStringIncludes(await read(name), "lib/deploy/serve.sh");
});
