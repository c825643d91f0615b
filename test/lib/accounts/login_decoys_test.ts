import { assert, assertEquals, assertNotEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { openDecoys, refreshDecoys } from "../../../lib/accounts/login_decoys.ts";
import { createLog } from "../../../lib/log.ts";
import type { Decoys } from "../../../lib/passwords/decoys.ts";
import { openFileStore } from "../../../lib/store/file/file_store.ts";
import { StoreClosedError, StoreFullError, StoreUnavailableError } from "../../../lib/store.ts";
import { TableStore } from "../../../lib/store/memory/table_store.ts";
import { userOf } from "../../support/store/records.ts";

const log = createLog(() => {});
const logins = Array.from({ length: 200 }, (_, index) => `unknown${index}`);

function passwordHashOf(iterations: number): string {
  return `$pbkdf2-sha256$i=${iterations}$${"A".repeat(22)}$${"B".repeat(43)}`;
}

function drawsOf(decoys: Decoys): readonly (string | undefined)[] {
  return logins.map((login) => decoys.hashOf(login)?.work);
}

/** A store in which users have two works. */
async function storeOfTwoWorks(): Promise<TableStore> {
  const store = new TableStore();
  for (const index of [1, 2, 3, 4]) {
    await store.insertUser(userOf(`user${index}`, { passwordHash: passwordHashOf(index % 2 + 1) }));
  }
  return store;
}

Deno.test("openDecoys() draws the same in every instance on a store", async () => {
  const store = await storeOfTwoWorks();
  const draws = drawsOf(await openDecoys({ store, log }));
  assertEquals(new Set(draws).size, 2);
  assertEquals(drawsOf(await openDecoys({ store, log })), draws);
});

Deno.test("openDecoys() draws the same after a restart", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const draws: (readonly (string | undefined)[])[] = [];
    for (const hasUsers of [false, true, true]) {
      await using store = await openFileStore(folder, { log });
      if (!hasUsers) {
        await openDecoys({ store, log });
        for (const index of [1, 2]) {
          await store.insertUser(userOf(`user${index}`, { passwordHash: passwordHashOf(index) }));
        }
      } else draws.push(drawsOf(await openDecoys({ store, log })));
    }
    assertEquals(new Set(draws[0]).size, 2);
    assertEquals(draws[1], draws[0]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("openDecoys() draws otherwise in another register", async () => {
  const [one, other] = [await storeOfTwoWorks(), await storeOfTwoWorks()];
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
    assertStringIncludes(lines[0] ?? "", '"event":"decoy-key-not-stored"');
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
