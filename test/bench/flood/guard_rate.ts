/**
 * A guarded page a second, through Caddy, against the same Caddyfile before a server that does nothing but say yes.
 *
 * That is what a user of a guarded site waits for: two hops, TLS, a file, and the guard between. Both Caddys get the
 * same requests, with the cookies of 1,000 sessions in turn, and take turns themselves, so that other load of the
 * machine falls on both. The load is wrk's, over connections that stay.
 */

import { startCaddy } from "../../support/caddy/caddy.ts";
import { ensureProgram } from "../../support/packages.ts";
import { TestProcess } from "../../support/process.ts";
import { median, type Row } from "../table.ts";
import type { Scene } from "./scene.ts";

const rounds = 15;
const seconds = 2;
const target = 0.9;

/** Both in turn. */
export async function* guardRate({ service, live }: Scene): AsyncGenerator<Row> {
  for (const [program, name] of [["wrk", "wrk"], ["caddy", "caddy"]] as const) {
    if (!await ensureProgram(program, name)) throw new Error(`Cannot measure the guard without ${program}`);
  }
  const folder = await Deno.makeTempDir({ prefix: "gatehouse-bench-" });
  try {
    await Deno.writeTextFile(`${folder}/index.html`, "<!DOCTYPE html><title>Page</title><p>A page");
    await Deno.writeTextFile(`${folder}/requests.lua`, scriptOf(live));
    await using bare = new TestProcess(Deno.execPath(), {
      args: ["run", "-A", "test/bench/flood/bare_server.ts"],
      env: {},
    });
    const bareUrl = await bare.until(() => /^http:\S+/m.exec(bare.output)?.[0], { what: "the bare server" });
    const caddyBefore = (url: string) =>
      startCaddy({ upstream: new URL(url).host, config: "caddy/guarded.Caddyfile", env: { ROOT: folder } });
    await using guarded = await caddyBefore(service.url);
    await using unguarded = await caddyBefore(bareUrl);
    const measure = ({ url }: { url: string }) => wrk(url, `${folder}/requests.lua`);
    // Once unmeasured, for the compilers of both.
    for (const one of [unguarded, guarded]) await measure(one);
    const rates: { guard: number; bare: number }[] = [];
    for (let round = 0; round < rounds; round++) {
      rates.push({ bare: await measure(unguarded), guard: await measure(guarded) });
    }
    yield rowOf(rates);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** @returns requests a second */
async function wrk(url: string, script: string): Promise<number> {
  const args = ["-t1", "-c16", `-d${seconds}s`, "-s", script, url];
  const { stdout } = await new Deno.Command("wrk", { args, stderr: "inherit" }).output();
  const output = new TextDecoder().decode(stdout);
  const rate = /^Requests\/sec:\s+([\d.]+)$/m.exec(output)?.[1];
  if (rate === undefined || /^ +(Non-2xx|Socket errors)/m.test(output)) throw new Error(`wrk said:\n${output}`);
  return Number(rate);
}

/** Requests that are made once: putting one together for each would take as long as the guard takes. */
function scriptOf(tokens: readonly string[]): string {
  return `
local tokens = { ${tokens.map((token) => `"${token}"`).join(", ")} }
local requests, number = {}, 0
function init(args)
  for index, token in ipairs(tokens) do
    requests[index] = wrk.format("GET", "/index.html", { ["Cookie"] = "__Host-gatehouse=" .. token })
  end
end
function request()
  number = number % #requests + 1
  return requests[number]
end
`;
}

function rowOf(rates: readonly { guard: number; bare: number }[]): Row {
  const ratio = median(rates.map(({ guard, bare }) => guard / bare));
  const guard = Math.round(median(rates.map((rate) => rate.guard)));
  const bare = Math.round(median(rates.map((rate) => rate.bare)));
  return {
    what: "A guarded page through Caddy, 100,000 users, 1,000 sessions in turn, against the same Caddyfile before a " +
      "bare `Deno.serve` with a constant 200",
    target: `≥ ${target}`,
    measured: `${ratio.toFixed(2)} (${guard}/s against ${bare}/s)`,
    isHeld: ratio >= target,
  };
}
