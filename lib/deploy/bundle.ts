/**
 * The task `bundle`: the service as one file, and what `npm pack` needs to make a package of it.
 *
 *     gatehouse.js     the service with its page; it needs no other file
 *     permissions.js   prints the permissions that the settings require
 *     start.js         starts both by the Deno of npm
 */

import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { version } from "../config/version.ts";
import { runTask, TaskError } from "../tasks/task.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const defaultFolder = ".bundle";
const entries = { "gatehouse.js": "main.ts", "permissions.js": "lib/tasks/permissions.ts" };
const copies = { "start.js": "lib/deploy/start.js", LICENSE: "LICENSE" };

const manifest = {
  name: "gatehouse",
  version,
  description: "Registers users, logs them in, and guards sites behind Caddy or nginx",
  license: "MIT",
  type: "module",
  bin: { gatehouse: "start.js" },
  files: ["*.js"],
  engines: { node: ">=18" },
  // The version that the bundle was tested with.
  dependencies: { deno: Deno.version.deno },
};

if (import.meta.main) {
  await runTask({
    usage: "bundle [FOLDER]",
    help: "Writes gatehouse.js, the service with its page in one file, and the other files of an npm package of it,\n" +
      `to a folder, by default ${defaultFolder}. Then \`npm pack FOLDER\` makes the package.`,
    async run({ paths: [folder = join(root, defaultFolder)] }) {
      await bundle(folder);
      return `Bundled Gatehouse ${version} to "${folder}"; to make a package: npm pack "${folder}"`;
    },
  });
}

/** @throws {TaskError} a file cannot be bundled */
async function bundle(folder: string): Promise<void> {
  await Deno.mkdir(folder, { recursive: true });
  for (const [name, entry] of Object.entries(entries)) {
    const args = ["bundle", "--quiet", "--lock=deno.lock", "--frozen", `--output=${join(folder, name)}`, entry];
    const { success } = await new Deno.Command(Deno.execPath(), { args, cwd: root, stdin: "null" }).spawn().status;
    if (!success) throw new TaskError(`Cannot bundle "${entry}": see the errors above`);
  }
  for (const [name, source] of Object.entries(copies)) await Deno.copyFile(join(root, source), join(folder, name));
  await Deno.writeTextFile(join(folder, "package.json"), `${JSON.stringify(manifest, undefined, 2)}\n`);
}
