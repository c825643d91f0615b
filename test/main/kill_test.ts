import { assert, assertEquals } from "@std/assert";
import { runKillLoop } from "../support/kill_loop.ts";

Deno.test("the service killed 10 times under load loses no acknowledged registration", async () => {
  const { acknowledged, lost } = await runKillLoop({ rounds: 10 });
  assertEquals(lost, []);
  // Or nothing was tried.
  assert(acknowledged > 20, `${acknowledged} acknowledged`);
});
