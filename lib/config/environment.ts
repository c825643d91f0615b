/**
 * The environment, as far as the process may read it.
 *
 * With `--allow-env` that is all of it, so that `readConfig` finds names that are no settings. `deno task start` grants
 * `GATEHOUSE_*` alone, which Deno lets a program read by name but not list: there `lib/tasks/permissions.ts` has looked for
 * such names before.
 */
import { settings } from "./config.ts";

/** The variables that may be settings. */
export function readEnvironment(): Readonly<Record<string, string>> {
  if (Deno.permissions.querySync({ name: "env" }).state === "granted") return Deno.env.toObject();
  const entries = Object.values(settings).map(({ name }) => [name, Deno.env.get(name)]);
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined));
}
