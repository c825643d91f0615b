/**
 * What the service may do: the flags of `deno run` that its settings need, and no more.
 *
 * `deno task start` runs this file first and hands what it prints to the service, so that a fault in the
 * service can touch its own folder and its own address and nothing else. When the settings are at fault, it
 * asks for the whole environment alone: `main.ts` reads that first, and tells what is wrong.
 *
 * The task's own flags keep it from code: `deno cache` has fetched the packages of `deno.lock` before, and then
 * `--frozen --cached-only` refuse every other one. Imports by URL are left to jsr.io, for a map of imports that names it.
 */
import { basename, dirname, join, resolve } from "node:path";
import { type Config, ConfigError, readConfig } from "../config/config.ts";
import { hostWithPort, type Listen } from "../config/listen.ts";
import { printLine } from "../log.ts";
import type { StoreLocation } from "../config/parsers.ts";

/** Names that are no settings can be found only by listing all, which takes the whole environment. */
const wholeEnvironment = "--allow-env";

/** What a part of the service uses: variables, addresses, and paths. */
interface Needs {
  readonly env?: string;
  readonly net?: string;
  readonly read?: string;
  readonly write?: string;
}

/** The flags, with spaces between. */
export function permissionFlags({ listen, metricsListen, store }: Config): string {
  const addresses = [listen, metricsListen].filter((address) => address !== undefined);
  const needs: Needs[] = [{ env: "GATEHOUSE_*" }, ...storeNeeds(store), ...addresses.map(addressNeeds)];
  return [
    flag("--allow-env", needs.flatMap(({ env }) => env ?? [])),
    flag("--allow-net", needs.flatMap(({ net }) => net ?? [])),
    flag("--allow-read", needs.flatMap(({ read }) => pathsOf(read))),
    flag("--allow-write", needs.flatMap(({ write }) => pathsOf(write))),
  ].filter((text) => text !== "").join(" ");
}

function storeNeeds(store: StoreLocation): readonly Needs[] {
  if ("folder" in store) return [{ read: store.folder, write: store.folder }];
  const { target, rootCertificates } = store;
  const place = "socketPath" in target ? socketNeeds(target.socketPath) : { net: hostWithPort(target) };
  // The client library asks for a variable for each of its options.
  const needs: Needs[] = [{ env: "PG*" }, place];
  return rootCertificates === undefined ? needs : [...needs, { read: rootCertificates }];
}

function addressNeeds(address: Listen): Needs {
  return "path" in address ? socketNeeds(address.path) : { net: hostWithPort(address) };
}

/** Deno wants all three, to listen and to connect. */
function socketNeeds(path: string): Needs {
  return { net: `unix:${path}`, read: path, write: path };
}

/** A path, and where it leads if there are symbolic links in it: Deno looks at both. */
function pathsOf(path: string | undefined): readonly string[] {
  if (path === undefined) return [];
  const real = realPathOf(resolve(path));
  return real === resolve(path) ? [path] : [path, real];
}

/**
 * As far as the path exists: the rest is made at the start. What keeps it from being looked at, the start will tell.
 */
function realPathOf(path: string): string {
  try {
    return Deno.realPathSync(path);
  } catch {
    return dirname(path) === path ? path : join(realPathOf(dirname(path)), basename(path));
  }
}

/**
 * One flag, for `values` only; none when there are none. A value with white space or a comma cannot be passed on (the
 * task's shell splits at the one, whatever the quotes, and Deno at the other), so it gets the flag without limits: the
 * service is to start in such a folder too.
 */
function flag(name: string, values: readonly string[]): string {
  if (values.length === 0) return "";
  return values.some((value) => /[\s,]/.test(value)) ? name : `${name}=${values.join(",")}`;
}

function flagsFor(env: Readonly<Record<string, string>>): string {
  try {
    return permissionFlags(readConfig(env));
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return wholeEnvironment;
  }
}

if (import.meta.main) printLine(flagsFor(Deno.env.toObject()));
