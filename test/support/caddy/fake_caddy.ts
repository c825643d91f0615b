/** A program named `caddy` that ends with a given status, for tests of the task `https`. */

/** Makes it in a folder for the PATH. On SIGTERM it requests /health/live of the service, and ends with `status`. */
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
