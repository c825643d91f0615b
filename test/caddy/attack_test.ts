/** Attacks from outside on a guarded site as it is run: through a real Caddy, on the real service. */
import { assertEquals, assertLess } from "@std/assert";
import { type Guarded, startGuarded } from "../guarded.ts";
import { ensureProgram } from "../packages.ts";

const ignore = !await ensureProgram("caddy", "caddy");
/** Quadratic parsing of one of the headers below takes 4 to 9 s. */
const maxWaitMs = 1_500;

test("headers of 60 kB do not keep others waiting", async () => {
  await using site = await startGuarded();
  const cookie = await site.enter("alice");
  const names = ["If-None-Match", "If-Match", "Cookie", "Accept", "Accept-Language", "Authorization", "User-Agent"];
  for (const fill of [" ", "\t", ", ", "; ", '" ']) {
    const hostile = names.map((name) => `${name}: x${fill.repeat(60_000 / fill.length)}y`);
    const paths = ["/auth/", "/auth/session/"];
    let isOver = false;
    const attacks = hostile.flatMap((line) => paths.map((path) => attack(site, path, line)));
    const over = Promise.all(attacks).finally(() => isOver = true);
    while (!isOver) {
      const startedAt = performance.now();
      assertEquals(await site.statusOf("/", { headers: { cookie } }), 200);
      assertLess(performance.now() - startedAt, maxWaitMs, `beside ${JSON.stringify(fill)}`);
    }
    await over;
  }
});

async function attack({ client }: Guarded, target: string, line: string): Promise<void> {
  const { status } = await client.send("GET", target, { headers: [line] });
  assertLess(status, 500, `${target} ${line.slice(0, 20)}`);
}

function test(name: string, fn: () => Promise<void>): void {
  Deno.test({ name, ignore, fn });
}
