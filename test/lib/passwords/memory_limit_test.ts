import process from "node:process";
import { assertEquals } from "@std/assert";
import { hashMemoryLimit } from "../../../lib/passwords/memory_limit.ts";

const gibibyte = 2 ** 30;

Deno.test("hashMemoryLimit() is a quarter of the machine's memory, or of a lower limit", () => {
  const rows: readonly (readonly [total: number, constrained: number, limit: number])[] = [
    [8 * gibibyte, 0, 2 * gibibyte],
    // The first version of control groups says so if there is no limit.
    [8 * gibibyte, 2 ** 63 - 4_096, 2 * gibibyte],
    [8 * gibibyte, gibibyte, gibibyte / 4],
    [8 * gibibyte, 9 * gibibyte, 2 * gibibyte],
  ];
  const { systemMemoryInfo } = Deno;
  const { constrainedMemory } = process;
  try {
    for (const [total, constrained, limit] of rows) {
      Deno.systemMemoryInfo = () => ({ ...systemMemoryInfo(), total });
      process.constrainedMemory = () => constrained;
      assertEquals(hashMemoryLimit(), limit);
    }
  } finally {
    Object.assign(Deno, { systemMemoryInfo });
    Object.assign(process, { constrainedMemory });
  }
});

Deno.test("hashMemoryLimit() takes 256 MiB without the permission to ask", async () => {
  const source = new URL("../../../lib/passwords/memory_limit.ts", import.meta.url);
  const file = await Deno.makeTempFile({ suffix: ".js" });
  await Deno.writeTextFile(file, `import { hashMemoryLimit } from "${source}"; console.log(hashMemoryLimit());`);
  const { stdout } = await new Deno.Command(Deno.execPath(), { args: ["run", "--no-prompt", file] }).output();
  await Deno.remove(file);
  assertEquals(new TextDecoder().decode(stdout), `${2 ** 28}\n`);
});
