import { assert, assertEquals } from "@std/assert";
import { openApp } from "../../lib/app.ts";
import { readConfig } from "../../lib/config/config.ts";
import { createLog } from "../../lib/log.ts";
import { argon2id, hashPassword } from "../../lib/passwords/password_hash.ts";
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

Deno.test("openApp() warns if glibc keeps the memory of hashes: of the setting, or of the register", async () => {
  const [cheap, large] = await Promise.all([pbkdf2(1), argon2id].map((scheme) => hashPassword("x", scheme)));
  const rows:
    readonly (readonly [kind: string, stored: string | undefined, keepsFreedMemory: boolean, count: number])[] = [
      ["pbkdf2", undefined, true, 0],
      ["pbkdf2", cheap, true, 0],
      ["pbkdf2", large, true, 1],
      ["argon2id", undefined, true, 1],
      ["argon2id", large, true, 1],
      ["argon2id", large, false, 0],
    ];
  for (const [kind, passwordHash, keepsFreedMemory, count] of rows) {
    const store = new TableStore();
    if (passwordHash !== undefined) await store.insertUser(userOf("alice", { passwordHash }));
    const settings = readConfig({ GATEHOUSE_PBKDF2_ITERATIONS: "100", GATEHOUSE_PASSWORD_HASH: kind });
    const lines: string[] = [];
    await openApp({ ...settings, keepsFreedMemory }, { store, log: createLog((line) => lines.push(line)) });
    const warnings = lines.map((line) => JSON.parse(line)).map(({ level, event }) => `${level} ${event}`);
    assertEquals(warnings, new Array<string>(count).fill("warn freed-memory-kept"));
    assert(lines.every((line) => line.includes("MALLOC_MMAP_THRESHOLD_=4194304")));
  }
});
