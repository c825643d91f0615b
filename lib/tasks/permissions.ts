/**
 * Prints the flags of `deno run` that the settings require, and no more.
 *
 * `deno task start` runs this file first and passes the flags to the service, so a vulnerability in the service reaches
 * only its own folder and addresses. If the settings are wrong, it grants the environment and all files to read:
 * `main.ts` then reports all errors, and serves nothing.
 *
 * The task's own flags keep it from loading code: `deno cache` has fetched the packages of `deno.lock` before, and
 * `--frozen --cached-only` refuse every other one. jsr.io stays allowed for an import map that names it.
 */

import { basename, dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { type Config, ConfigError, readConfig } from "../config/config.ts";
import { mallocVariable } from "../config/malloc.ts";
import { hostWithPort, type Listen } from "../config/listen.ts";
import type { StoreLocation } from "../config/parsers.ts";
import { socketPathOf } from "../config/postgres_address.ts";
import { hashWorkerUrl } from "../passwords/hash_worker.ts";
import { socketIn } from "../store/file/store_folder.ts";
import { printLine } from "./task.ts";

const kinds = ["env", "net", "read", "write", "sys"] as const;

/** A variable, address, path or function of the system that the service uses. */
type Need = readonly [kind: typeof kinds[number], value: string];

if (import.meta.main) printLine(flagsFor(Deno.env.toObject()));

function flagsFor(env: Readonly<Record<string, string>>): string {
  try {
    return permissionFlags(readConfig(env));
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    // Only listing the whole environment finds unknown names, and only reading finds what is wrong with a file.
    return "--allow-env --allow-read";
  }
}

/** The flags, separated by spaces. */
export function permissionFlags({ listen, metricsListen, store, logo, files }: Config): string {
  const needs: Need[] = [["env", "GATEHOUSE_*"], ["env", mallocVariable], ["sys", "systemMemoryInfo"]];
  needs.push(...storeNeeds(store), ...listenNeeds(listen));
  if (metricsListen !== undefined) needs.push(...listenNeeds(metricsListen));
  if (logo !== undefined) needs.push(["read", logo.path]);
  for (const path of files) needs.push(["read", path]);
  // A Worker reads its modules; a relative path has no white space of the folders above.
  needs.push(["read", relative(Deno.cwd(), dirname(fileURLToPath(hashWorkerUrl))) || "."]);
  return kinds.flatMap((kind) => {
    const values = needs.filter(([each]) => each === kind).map(([, value]) => value);
    return flag(kind, kind === "read" || kind === "write" ? values.flatMap(withRealPath) : values);
  }).join(" ");
}

function storeNeeds(store: StoreLocation): Need[] {
  if ("folder" in store) {
    const { folder } = store;
    const socket = socketIn(resolve(folder));
    const needs: Need[] = [["read", folder], ["write", folder]];
    // The socket is not worth a flag without limits.
    return isSplit(socket) ? needs : [...needs, ["net", `unix:${socket}`]];
  }
  const { servers, rootCertificates } = store;
  // The client library reads a variable for each of its options.
  const needs: Need[] = [["env", "PG*"]];
  for (const server of servers) {
    const path = socketPathOf(server);
    needs.push(...listenNeeds(path === undefined ? server : { path }));
  }
  if (rootCertificates !== undefined) needs.push(["read", rootCertificates]);
  return needs;
}

/** Deno requires all three to listen on a unix socket or to connect to it. */
function listenNeeds(address: Listen): Need[] {
  if (!("path" in address)) return [["net", hostWithPort(address)]];
  return [["net", `unix:${address.path}`], ["read", address.path], ["write", address.path]];
}

/** The path, and where its symbolic links lead: Deno checks both. */
function withRealPath(path: string): string[] {
  const real = realPathOf(resolve(path));
  return real === resolve(path) ? [path] : [path, real];
}

/** Resolves the part that exists; the start creates the rest, and reports what it cannot read. */
function realPathOf(path: string): string {
  try {
    return Deno.realPathSync(path);
  } catch {
    return dirname(path) === path ? path : join(realPathOf(dirname(path)), basename(path));
  }
}

/** Whether a flag cannot have the value: see `flag`. */
function isSplit(value: string): boolean {
  return /[\s,]/.test(value);
}

/**
 * The flag for `values`. The task's shell splits a value at white space, even within quotes, and Deno at commas: for
 * such a path the flag has no limits, so that the service starts in that folder too.
 */
function flag(kind: string, values: readonly string[]): string[] {
  if (values.length === 0) return [];
  return [values.some(isSplit) ? `--allow-${kind}` : `--allow-${kind}=${values.join(",")}`];
}
