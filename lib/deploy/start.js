#!/usr/bin/env node
/**
 * Starts Gatehouse from its npm package, in the current folder, with the permissions that the settings require.
 *
 * Deno is started itself, not by its command in `node_modules/.bin`, which passes no signals on. This process passes
 * them on, so SIGTERM drains the service. It ends with the status of the service.
 */

import { spawn, spawnSync } from "node:child_process";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

const deno = createRequire(import.meta.url)("deno/install_api.cjs").runInstall();
// What deno.json says of the repository; a deno.json or package.json of the current folder must not change it.
const run = ["run", "--no-prompt", "--no-config", "--no-lock", "--no-npm", "--no-remote", "--unstable-no-legacy-abort"];

const permissions = spawnSync(deno, [...run, "--allow-env", "--allow-read", fileOf("permissions.js")], {
  encoding: "utf8",
  stdio: ["ignore", "pipe", "inherit"],
});
if (permissions.status !== 0) process.exit(1);

const program = [...permissions.stdout.trim().split(" "), fileOf("gatehouse.js"), ...process.argv.slice(2)];
// Otherwise glibc keeps the memory of Argon2id: lib/config/malloc.ts.
const env = { ...process.env, MALLOC_MMAP_THRESHOLD_: "4194304" };
const service = spawn(deno, [...run, ...program], { stdio: "inherit", env });
for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"]) process.on(signal, () => service.kill(signal));
// npx and `npm start` pass SIGTERM on to the shell between them and this process, and that shell just ends.
if (process.env.npm_command !== undefined) {
  const parent = process.ppid;
  setInterval(() => process.ppid === parent || service.kill("SIGTERM"), 200);
}
service.on("exit", (code) => process.exit(code ?? 1));

function fileOf(name) {
  return fileURLToPath(new URL(name, import.meta.url));
}
