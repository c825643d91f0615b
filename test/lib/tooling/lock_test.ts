import { assertEquals } from "@std/assert";

const root = new URL("../../../", import.meta.url);
const { tasks, imports, lock, test } = JSON.parse(await Deno.readTextFile(new URL("deno.json", root)));
/** Tasks for those who change the service. The others are for those who run it. */
const developerTasks = ["test", "lock", "bench", "screenshots", "fmt", "ok"];

Deno.test("deno.lock names the packages that the service imports, and no other", async () => {
  const sources = await Promise.all(["main.ts", "lib", "routes", "caddy"].map(readSources));
  const imported = Array.from(
    sources.join("\n").matchAll(/(?:^(?:import|export|\}).* from |\bimport\()"([^".][^"]*)"/gm),
    ([, name = ""]) => name,
  )
    .filter((name) => !name.startsWith("node:"))
    .map((name) => packageOf(imports[name] ?? imports[packageOf(`npm:${name}`).slice("npm:".length)] ?? name));
  const { specifiers } = JSON.parse(await Deno.readTextFile(new URL("deno.lock", root)));
  assertEquals(Object.keys(specifiers).sort(), [...new Set(imported)].sort());
});

Deno.test("no other command writes a lock file, or downloads what only tests need", () => {
  assertEquals([lock, test], [false, { permissions: { all: true } }]);
});

Deno.test("every task that runs the service takes its packages from deno.lock, and changes nothing there", () => {
  for (const [name, { command }] of Object.entries<{ command: string }>(tasks)) {
    const runs = command.match(/deno (run|cache) .*?(?=deno (?:run|cache)|$)/g) ?? [];
    if (developerTasks.includes(name)) continue;
    assertEquals(runs.filter((run) => !run.includes(" --lock=deno.lock --frozen ")), [], name);
  }
});

function packageOf(specifier: string): string {
  return specifier.replace(/^(npm:(?:@[^/]+\/)?[^/]+).*$/, "$1");
}

async function readSources(path: string): Promise<string> {
  const url = new URL(path, root);
  if (path.endsWith(".ts")) return await Deno.readTextFile(url);
  const entries = (await Array.fromAsync(Deno.readDir(url))).filter(({ name, isDirectory }) =>
    isDirectory || /\.ts$/.test(name)
  );
  return (await Promise.all(entries.map(({ name }) => readSources(`${path}/${name}`)))).join("\n");
}
