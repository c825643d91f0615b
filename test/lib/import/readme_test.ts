/** The example of lib/import/README.md, run as a reader would run it. */

import { assert, assertEquals } from "@std/assert";

const root = new URL("../../../", import.meta.url).pathname;

Deno.test("the example of lib/import/README.md prints what it says", async () => {
  const document = await Deno.readTextFile(`${root}lib/import/README.md`);
  const section = document.split(/^## /m).find((text) => text.startsWith("Try it\n")) ?? "";
  const folder = await Deno.makeTempDir();
  const blocks = section.matchAll(/^```(?:sh|text)\n(.*?)\n```$/gms).map(([, text = ""]) => text).toArray();
  assert(blocks.length === 4);
  let before = "";
  for (const [index, commands] of blocks.entries()) {
    if (index % 2 === 1) continue;
    const script = commands.replaceAll("/tmp/", `${folder}/`).replaceAll("npx --yes deno@2.9.6", Deno.execPath());
    const { stdout } = await new Deno.Command("bash", {
      // What the block before has defined.
      args: ["-c", `exec 2>&1\n${before}\n${script}`],
      cwd: root,
      env: { GATEHOUSE_STORE: `${folder}/srv/gatehouse/data`, NO_COLOR: "1" },
    }).output();
    before = /^columns=.*$/m.exec(script)?.[0] ?? "";
    const printed = new TextDecoder().decode(stdout)
      .replaceAll(`${folder}/srv`, "/srv").replaceAll(`${folder}/`, "/tmp/")
      .replaceAll(/digest (?!e3b0c442)[\da-f]{64}/g, "digest <digest>");
    assertEquals(printed.trimEnd(), blocks[index + 1]);
  }
  await Deno.remove(folder, { recursive: true });
});
