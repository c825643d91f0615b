/**
 * `GET /guard` a second, against a server that does nothing but reply.
 *
 * The load is wrk's, which is written in C: one thread of it, on a core of its own, takes 3.4 µs for a request, as the
 * bare server does, where `/guard` takes some 10. So it is never what holds `/guard` up. Both get the same requests, with
 * the cookies of 1,000 sessions in turn.
 */

import { ensureProgram } from "../../packages.ts";
import { TestProcess } from "../../process.ts";
import { median, type Row } from "../table.ts";
import type { Scene } from "./scene.ts";

const rounds = 9;
const seconds = 2;
const target = 0.6;

/** Both servers in turn. */
export async function* guardRate({ service, live }: Scene): AsyncGenerator<Row> {
  if (!await ensureProgram("wrk", "wrk")) throw new Error("Cannot measure /guard without wrk");
  const script = await Deno.makeTempFile({ prefix: "gatehouse-bench-", suffix: ".lua" });
  try {
    await Deno.writeTextFile(script, scriptOf(live));
    await using bare = new TestProcess(Deno.execPath(), {
      args: ["run", "-A", "test/bench/flood/bare_server.ts"],
      env: {},
    });
    const bareUrl = await bare.until(() => /^http:\S+/m.exec(bare.output)?.[0], { what: "the bare server" });
    // Once unmeasured, for the compilers of both.
    for (const url of [bareUrl, service.url]) await wrk(url, script);
    const rates: { guard: number; bare: number }[] = [];
    for (let round = 0; round < rounds; round++) {
      rates.push({ bare: await wrk(bareUrl, script), guard: await wrk(service.url, script) });
    }
    yield rowOf(rates);
  } finally {
    await Deno.remove(script);
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

/** Requests that are made once: putting one together for each would take as long as the server takes. */
function scriptOf(tokens: readonly string[]): string {
  return `
local tokens = { ${tokens.map((token) => `"${token}"`).join(", ")} }
local requests, number = {}, 0
function init(args)
  for index, token in ipairs(tokens) do
    requests[index] = wrk.format("GET", "/guard/", { ["Cookie"] = "__Host-gatehouse=" .. token })
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
    what: "`GET /guard` with 100,000 users, 1,000 sessions in turn, against a bare `Deno.serve` with a constant reply",
    target: `≥ ${target}`,
    measured: `${ratio.toFixed(2)} (${guard}/s against ${bare}/s)`,
    isHeld: ratio >= target,
  };
}
