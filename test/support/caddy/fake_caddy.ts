/** A program that is called `caddy`, for what the task `https` does with one that ends in its own way. */

/** Makes one, in a folder for the PATH. Told to stop, it asks the service whether it lives, and ends with `status`. */
export async function fakeCaddy(status: number): Promise<AsyncDisposable & { readonly folder: string }> {
  const folder = await Deno.makeTempDir({ prefix: "gatehouse-" });
  const ask = `curl -s -o /dev/null -w "%{http_code}" "http://$UPSTREAM/health/live" > "${folder}/asked"`;
  const script = `#!/bin/sh
    [ "$1" = environ ] && { echo "caddy.AppDataDir=${folder}"; exit; }
    trap 'sleep 0.5; ${ask}; exit ${status}' TERM
    while :; do sleep 1; done`;
  await Deno.writeTextFile(`${folder}/caddy`, script, { mode: 0o755 });
  return { folder, [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }) };
}
