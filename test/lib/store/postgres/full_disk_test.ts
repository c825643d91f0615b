// PostgresStore on a full disk.
import { assertEquals, assertInstanceOf, assertStringIncludes } from "@std/assert";
import { StoreFullError } from "../../../../lib/store.ts";
import type { PostgresStore } from "../../../../lib/store/postgres/postgres_store.ts";
import { ensureProgram } from "../../../support/packages.ts";
import { ensurePostgres } from "../../../support/postgres.ts";
import { userOf } from "../../../support/store/records.ts";
import { openStore } from "../../../support/store/postgres_store.ts";

const ignore = !await ensurePostgres();
const hasPrlimit = await ensureProgram("prlimit", "util-linux");

Deno.test({
  name: "PostgresStore reports a full disk, stores nothing of a failed change, and works when there is room",
  ignore: ignore || !hasPrlimit,
  async fn() {
    await using opened = await openStore();
    const { server, store, database } = opened;
    const sql = server.sql(database);
    // More than the 16 MiB of a file of the write-ahead log, which must stay within the limit of file size below.
    await sql`INSERT INTO gatehouse_user
      SELECT 'filler' || n, 'filler' || n, repeat('x', 1000), 1, 0, '', false, false, 0
      FROM generate_series(1, 20000) AS n`;
    const [file] = await sql`SELECT pg_relation_size('gatehouse_user') AS bytes`;
    // In the middle of a page: the write is short, as on a full disk.
    await server.limitFileSize(Number(file?.["bytes"]) + 4_096);
    try {
      const { login, error } = await registerUntilRefused(store);
      assertInstanceOf(error, StoreFullError);
      assertStringIncludes(error.message, "its disk is full");
      assertEquals(await store.findUser(login), undefined);
      assertEquals(await store.findUser("alice"), userOf("alice"));
      assertEquals(await store.failure(), undefined);
    } finally {
      await server.limitFileSize("unlimited");
    }
    assertEquals(await store.insertUser(userOf("later")), "done");
  },
});

async function registerUntilRefused(store: PostgresStore): Promise<{ login: string; error: unknown }> {
  for (let count = 0; count < 1_000; count++) {
    const login = `new${count}`;
    try {
      // Too long for the free space of existing pages.
      await store.insertUser(userOf(login, { passwordHash: "x".repeat(900) }));
    } catch (error) {
      return { login, error };
    }
  }
  throw new Error("The disk is full, and 1,000 users found room");
}
