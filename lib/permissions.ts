/**
 * What the service may do: the flags of `deno run` that its settings need, and no more.
 *
 * `deno task start` runs this file first and hands what it prints to the service, so that a fault in the
 * service can touch its own folder and its own address and nothing else. When the settings are at fault, it
 * asks for the environment alone: `main.ts` reads that first, and tells what is wrong.
 */
import { type Config, ConfigError, type Listen, readConfig } from "./config.ts";
import { printLine } from "./log.ts";

/** Names that are not known can be found only by listing all, which takes the whole environment. */
const environmentFlag = "--allow-env";

/** The flags, with spaces between. */
export function permissionFlags(config: Config): string {
  const { listen, store } = config;
  const paths = "path" in listen ? [store, listen.path] : [store];
  return [
    environmentFlag,
    flag("--allow-net", [netAddress(listen)]),
    flag("--allow-read", paths),
    flag("--allow-write", paths),
  ].join(" ");
}

/**
 * One flag, for `values` only. A value with white space or a comma cannot be passed on (the task's shell
 * splits at the one, whatever the quotes, and Deno at the other), so it gets the flag without limits: the
 * service is to start in such a folder too.
 */
function flag(name: string, values: readonly string[]): string {
  return values.some((value) => /[\s,]/.test(value)) ? name : `${name}=${values.join(",")}`;
}

function netAddress(listen: Listen): string {
  if ("path" in listen) return `unix:${listen.path}`;
  return listen.hostname.includes(":") ? `[${listen.hostname}]:${listen.port}` : `${listen.hostname}:${listen.port}`;
}

function flagsFor(env: Readonly<Record<string, string>>): string {
  try {
    return permissionFlags(readConfig(env));
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return environmentFlag;
  }
}

if (import.meta.main) printLine(flagsFor(Deno.env.toObject()));
