import { assert, assertEquals, assertNotEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { openDecoys, refreshDecoys } from "../../../lib/accounts/login_decoys.ts";
import { createLog } from "../../../lib/log.ts";
import type { Decoys } from "../../../lib/passwords/decoys.ts";
import { openFileStore } from "../../../lib/store/file/file_store.ts";
import { type Store, StoreClosedError, StoreFullError, StoreUnavailableError } from "../../../lib/store.ts";
import { TableStore } from "../../../lib/store/memory/table_store.ts";
import { userOf } from "../../support/store/records.ts";
import { testContended } from "../../support/store/stores.ts";

const log = createLog(() => {});
const logins = Array.from({ length: 200 }, (_, index) => `unknown${index}`);

function passwordHashOf(iterations: number): string {
  return `$pbkdf2-sha256$i=${iterations}$${"A".repeat(22)}$${"B".repeat(43)}`;
}

function drawsOf(decoys: Decoys): readonly (string | undefined)[] {
  return logins.map((login) => decoys.hashOf(login)?.work);
}

/** Adds users of two works. */
async function addUsers(store: Store): Promise<void> {
  for (const index of [1, 2, 3, 4]) {
    await store.insertUser(userOf(`user${index}`, { passwordHash: passwordHashOf(index % 2 + 1) }));
  }
}

testContended("draws the same decoys for all instances that start at once", async (store) => {
  await addUsers(store);
  const draws = await Promise.all(Array.from({ length: 5 }, async () => drawsOf(await openDecoys({ store, log }))));
  assertEquals(new Set(draws[0]).size, 2);
  for (const other of draws) assertEquals(other, draws[0]);
});

Deno.test("openDecoys() draws the same after a restart", async () => {
  const folder = await Deno.makeTempDir();
  const draws: (readonly (string | undefined)[])[] = [];
  for (const isNew of [true, false]) {
    await using store = await openFileStore(folder, { log });
    if (isNew) await addUsers(store);
    draws.push(drawsOf(await openDecoys({ store, log })));
  }
  await Deno.remove(folder, { recursive: true });
  assertEquals(new Set(draws[0]).size, 2);
  assertEquals(draws[1], draws[0]);
});

Deno.test("openDecoys() draws otherwise in another register", async () => {
  const [one, other] = [new TableStore(), new TableStore()];
  for (const store of [one, other]) await addUsers(store);
  assertNotEquals(drawsOf(await openDecoys({ store: one, log })), drawsOf(await openDecoys({ store: other, log })));
});

/** Stores no secret. */
class FaultyStore extends TableStore {
  constructor(readonly fault: Error) {
    super();
  }

  override ensureSecret(): Promise<string> {
    return Promise.reject(this.fault);
  }
}

for (const fault of [new StoreFullError("full"), new StoreClosedError("closed"), new StoreUnavailableError("away")]) {
  Deno.test(`openDecoys() warns of a key that cannot be stored: ${fault}`, async () => {
    const lines: string[] = [];
    const store = new FaultyStore(fault);
    await store.insertUser(userOf("alice", { passwordHash: passwordHashOf(1) }));
    const decoys = await openDecoys({ store, log: createLog((line) => lines.push(line)) });
    assert(decoys.hashOf("bob") !== undefined);
    assertEquals(lines.length, 1);
    assertStringIncludes(lines[0] ?? "", '"event":"key-not-stored"');
    assertStringIncludes(lines[0] ?? "", '"key":"decoy"');
    assertStringIncludes(lines[0] ?? "", fault.message);
  });
}

Deno.test("openDecoys() passes on any other error of the store", async () => {
  await assertRejects(() => openDecoys({ store: new FaultyStore(new Error("a bug")), log }), Error, "a bug");
});

Deno.test("refreshDecoys() draws from the works that the register has now", async () => {
  const store = new TableStore();
  const decoys = await openDecoys({ store, log });
  assertEquals(decoys.hashOf("bob"), undefined);
  await store.insertUser(userOf("alice", { passwordHash: passwordHashOf(7) }));
  await store.insertUser(userOf("carol", { passwordHash: "no hash" }));
  assertEquals(await refreshDecoys({ store, decoys }), 1);
  assertEquals(decoys.hashOf("bob")?.work, "pbkdf2-sha256 i=7");
});
