import { assertEquals } from "@std/assert";
import { openApp } from "../../lib/app.ts";
import { readConfig } from "../../lib/config/config.ts";
import { createLog } from "../../lib/log.ts";
import { hashPassword } from "../../lib/passwords/password_hash.ts";
import { TableStore } from "../../lib/store/memory/table_store.ts";
import { spyOnDerive } from "../support/passwords/derivations.ts";
import { pbkdf2 } from "../support/passwords/phc.ts";
import { userOf } from "../support/store/records.ts";

const config = readConfig({ GATEHOUSE_PBKDF2_ITERATIONS: "100" });

Deno.test("openApp() draws the decoys from the hashes of the register", async () => {
  const store = new TableStore();
  await store.insertUser(userOf("alice", { passwordHash: await hashPassword("x", pbkdf2(7)) }));
  const { hasher } = await openApp(config, { store, log: createLog(() => {}) });
  using spy = spyOnDerive();
  await hasher.verify("wrong", { login: "bob", passwordHash: undefined, client: "192.0.2.1" });
  assertEquals(spy.costs, [7]);
});

Deno.test("openApp() warns of hashes that cannot be verified, of which none is a decoy", async () => {
  const good = await hashPassword("x", pbkdf2(1));
  for (const unusableCount of [0, 2]) {
    const store = new TableStore();
    await store.insertUser(userOf("alice", { passwordHash: good }));
    for (let index = 0; index < unusableCount; index++) {
      const passwordHash = good.replace("i=1$", "i=999999999$");
      await store.insertUser(userOf(`user${index}`, { passwordHash }));
    }
    const lines: string[] = [];
    const { hasher } = await openApp(config, { store, log: createLog((line) => lines.push(line)) });
    const warnings = lines.map((line) => JSON.parse(line)).map(({ level, event, users }) => [level, event, users]);
    assertEquals(warnings, unusableCount === 0 ? [] : [["warn", "unusable-hashes", unusableCount]]);
    using spy = spyOnDerive();
    const { passwordHash } = await store.findUser("user1") ?? {};
    await hasher.verify("x", { login: "user1", passwordHash, client: "192.0.2.1" });
    assertEquals(spy.costs, [1]);
  }
});
