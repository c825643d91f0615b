/**
 * `deno task bench flood`: what the service does under attack, at the full cost of a hash.
 *
 * It is a real process with 100,000 users, asked over sockets. On a machine of two cores the load, the hashes and the
 * service share them, as they would share them with a proxy. To measure one part alone: `deno task bench flood guard`.
 */

import { argon2id } from "./flood/argon2id.ts";
import { goodput } from "./flood/goodput.ts";
import { equalTime } from "./flood/equal_time.ts";
import { guardRate } from "./flood/guard_rate.ts";
import { hashRates } from "./flood/hash_rate.ts";
import { latencies } from "./flood/latency.ts";
import { openScene, type Scene } from "./flood/scene.ts";
import type { Row } from "./table.ts";

/** What shares one service; each uses it alone. */
const parts: Readonly<Record<string, (scene: Scene) => AsyncIterable<Row>>> = {
  rate: hashRates,
  argon2id,
  guard: guardRate,
  latency: latencies,
  goodput,
};

/** Every row, as it is measured. */
export async function* benchFlood(): AsyncGenerator<Row> {
  const only = Deno.args[1];
  const wanted = Object.entries(parts).filter(([name]) => only === undefined || only === name);
  const folder = await Deno.makeTempDir({ prefix: "gatehouse-bench-" });
  try {
    if (wanted.length > 0) {
      await using scene = await openScene(`${folder}/scene`);
      for (const [, part] of wanted) yield* part(scene);
    }
    if (only === undefined || only === "time") yield await equalTime(`${folder}/costs`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
