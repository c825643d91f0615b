import { assertEquals, assertGreater, assertLess } from "@std/assert";
import { openApp } from "../../lib/app.ts";
import { readConfig } from "../../lib/config/config.ts";
import { createLog } from "../../lib/log.ts";
import { hashPassword } from "../../lib/passwords/password_hash.ts";
import { pbkdf2 } from "../support/passwords/phc.ts";
import { TableStore } from "../../lib/store/memory/table_store.ts";
import { userOf } from "../support/store/records.ts";

/** So many that the time for 100 is none beside it. */
const dearIterations = 300_000;

async function msOf(work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await work();
  return performance.now() - startedAt;
}

Deno.test("openApp() has an unknown login cost as much as the dearest hash that is kept", async () => {
  const store = new TableStore();
  await store.insertUser(userOf("alice", { passwordHash: await hashPassword("x", pbkdf2(dearIterations)) }));
  const config = readConfig({ GATEHOUSE_PBKDF2_ITERATIONS: "100" });
  const { hasher } = await openApp(config, { store, log: createLog(() => {}) });
  const samples: number[] = [];
  for (let count = 0; count < 3; count++) samples.push(await msOf(() => hashPassword("x", pbkdf2(dearIterations))));
  const unknown = { passwordHash: undefined, client: "192.0.2.1" };
  // Far less than the least, far more than without: whatever else the machine does.
  assertGreater(await msOf(() => hasher.verify("wrong", unknown)), Math.min(...samples) / 5);
});

Deno.test("openApp() warns of hashes that nobody can log in with, which make no failed login dearer", async () => {
  const good = await hashPassword("x", pbkdf2(1));
  const config = readConfig({ GATEHOUSE_PBKDF2_ITERATIONS: "100" });
  for (const dearCount of [0, 2]) {
    const store = new TableStore();
    await store.insertUser(userOf("alice", { passwordHash: good }));
    for (let index = 0; index < dearCount; index++) {
      const passwordHash = good.replace("i=1$", "i=999999999$");
      await store.insertUser(userOf(`user${index}`, { passwordHash }));
    }
    const lines: string[] = [];
    const { hasher } = await openApp(config, { store, log: createLog((line) => lines.push(line)) });
    const warnings = lines.map((line) => JSON.parse(line));
    assertEquals(
      warnings.map(({ level, event, users }) => [level, event, users]),
      dearCount === 0 ? [] : [
        ["warn", "unusable-hashes", dearCount],
      ],
    );
    const { passwordHash } = await store.findUser(`user${dearCount - 1}`) ?? { passwordHash: undefined };
    // The whole of it would be two minutes.
    assertLess(await msOf(() => hasher.verify("x", { passwordHash, client: "192.0.2.1" })), 10_000);
  }
});
