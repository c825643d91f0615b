import { assert, assertEquals, assertMatch, assertRejects, assertStringIncludes } from "@std/assert";
import { createLog } from "../../../../lib/log.ts";
import { parsePostgresUrl } from "../../../../lib/config/postgres_address.ts";
import { StoreUnavailableError } from "../../../../lib/store.ts";
import { openPostgresStore } from "../../../../lib/store/postgres/postgres_store.ts";
import { migrate, orderedText, SchemaError, type SchemaStep } from "../../../../lib/store/postgres/schema.ts";
import { ensurePostgres, sharedPostgres } from "../../../support/postgres.ts";
import { userOf } from "../../../support/store/records.ts";

const ignore = !await ensurePostgres();
const log = createLog(() => {});
const postgres = sharedPostgres({ settings: { max_connections: "60" } });

/** Creates a database. */
async function createDatabase() {
  const server = await postgres();
  const address = parsePostgresUrl(await server.createDatabase());
  return { address, sql: server.sql(address.database) };
}

Deno.test("orderedText() has no collation on CockroachDB, where it is the default", () => {
  assertEquals(orderedText("CockroachDB CCL v23.1.0 (x86_64-pc-linux-gnu, built 2023/05/15, go1.19.4)"), "text");
  const others = [
    "PostgreSQL 15.18 (Debian 15.18-0+deb12u1) on x86_64-pc-linux-gnu",
    "PostgreSQL 11.2-YB-2.20.1.0-b0 on x86_64",
  ];
  for (const engine of others) assertEquals(orderedText(engine), 'text COLLATE "C"');
});

const first: SchemaStep = (text) => [`CREATE TABLE IF NOT EXISTS one (login ${text} PRIMARY KEY)`];
const second: SchemaStep = () => [
  "ALTER TABLE one ADD COLUMN IF NOT EXISTS size bigint",
  "CREATE INDEX IF NOT EXISTS one_by_size ON one (size)",
];

Deno.test({
  name: "migrate() creates the tables once, however many instances start at once",
  ignore,
  async fn() {
    for (let round = 0; round < 2; round++) {
      const { address, sql } = await createDatabase();
      const stores = await Promise.all(
        Array.from({ length: 8 }, () => openPostgresStore(address, { log, maxConnections: 1 })),
      );
      const outcomes = await Promise.all(stores.map((store) => store.insertUser(userOf("alice"))));
      assertEquals(outcomes.filter((outcome) => outcome === "done").length, 1);
      const versions = await sql`SELECT version FROM gatehouse_schema ORDER BY version`;
      assertEquals(versions.map((row) => row["version"]), versions.map((_, index) => String(index + 1)));
      assert(versions.length > 0);
      const turns = await sql`SELECT name FROM gatehouse_turn ORDER BY name`;
      assertEquals(turns.map((row) => row["name"]), ["admins", "setup"]);
      for (const store of stores) await store[Symbol.asyncDispose]();
    }
  },
});

Deno.test({
  name: "migrate() rejects a database whose encoding is not UTF-8, and creates no table in it",
  ignore,
  async fn() {
    const server = await postgres();
    const sql = server.sql("postgres");
    for (const [name, encoding] of [["latin", "LATIN1"], ["bytes", "SQL_ASCII"]] as const) {
      await sql.unsafe(
        `CREATE DATABASE ${name} OWNER gatehouse ENCODING '${encoding}' ` +
          "LOCALE_PROVIDER libc LOCALE 'C' TEMPLATE template0",
      );
      const { message } = await assertRejects(() => migrate(parsePostgresUrl(server.url(name)), { log }), SchemaError);
      const remedy = "create one WITH ENCODING 'UTF8' TEMPLATE template0";
      assertStringIncludes(message, `the database has the encoding ${encoding}: ${remedy}`);
      assertEquals([...await server.sql(name)`SELECT tablename FROM pg_tables WHERE tablename LIKE 'gatehouse%'`], []);
    }
  },
});

Deno.test({
  name: "migrate() keeps existing rows, and runs only the missing steps",
  ignore,
  async fn() {
    const { address, sql } = await createDatabase();
    await migrate(address, { log, steps: [first] });
    await sql`INSERT INTO one VALUES ('alice')`;
    await Promise.all(Array.from({ length: 8 }, () => migrate(address, { log, steps: [first, second] })));
    assertEquals([...await sql`SELECT login, size FROM one`], [{ login: "alice", size: null }]);
    const versions = await sql`SELECT version FROM gatehouse_schema ORDER BY version`;
    assertEquals(versions.map((row) => row["version"]), ["1", "2"]);
    // No step is missing: one that ran would fail.
    const failing: SchemaStep = () => ["SELECT nothing"];
    await migrate(address, { log, steps: [failing, failing] });
  },
});

Deno.test({
  name: "migrate() continues where another instance has stopped halfway",
  ignore,
  async fn() {
    const { address, sql } = await createDatabase();
    const ending: SchemaStep = () => [...second('text COLLATE "C"'), "SELECT nothing"];
    const { message } = await assertRejects(() => migrate(address, { log, steps: [first, ending] }), SchemaError);
    assert(
      /^Cannot use the tables in postgres:\/\/\/test\d+ at .*column "nothing" does not exist$/.test(message),
      message,
    );
    assertEquals([...await sql`SELECT version FROM gatehouse_schema`], [{ version: "1" }]);
    await migrate(address, { log, steps: [first, second] });
    assertEquals((await sql`SELECT version FROM gatehouse_schema`).length, 2);
  },
});

Deno.test({
  name: "PostgresStore rejects a database that a newer version has migrated",
  ignore,
  async fn() {
    const { address, sql } = await createDatabase();
    await migrate(address, { log });
    await sql`INSERT INTO gatehouse_schema VALUES (7000)`;
    const { message } = await assertRejects(() => openPostgresStore(address, { log }), SchemaError);
    assertStringIncludes(message, ": a newer version of Gatehouse has migrated them ");
    assertMatch(message, /them \(the schema has version 7000, .* knows \d+\): start that version$/);
  },
});

Deno.test({
  name: "PostgresStore needs the right to create tables only until they exist",
  ignore,
  async fn() {
    const { address, sql } = await createDatabase();
    await sql`CREATE ROLE writer LOGIN`;
    const writer = { ...address, user: "writer" };
    await assertRejects(() => openPostgresStore(writer, { log }), SchemaError, "permission denied for schema public");
    await migrate(address, { log });
    await sql`GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO writer`;
    await using store = await openPostgresStore(writer, { log });
    assertEquals(await store.insertUser(userOf("alice")), "done");
    assert((await store.size()).bytes > 0);
    assertEquals(await store.ensureSecret({ name: "decoy", value: "one" }), "one");
    // Before it is granted again, the role has no rights to a table that an upgrade has added.
    await sql`REVOKE ALL ON gatehouse_secret FROM writer`;
    const { message } = await assertRejects(
      () => store.ensureSecret({ name: "decoy", value: "two" }),
      StoreUnavailableError,
    );
    assertStringIncludes(message, "permission denied for table gatehouse_secret. Repeat the GRANT");
  },
});

Deno.test({
  name: "PostgresStore reports 0 bytes without the right to read the size",
  ignore,
  async fn() {
    const { address, sql } = await createDatabase();
    await migrate(address, { log });
    await sql`REVOKE EXECUTE ON FUNCTION pg_database_size(name) FROM public`;
    await using store = await openPostgresStore(address, { log });
    assertEquals(await store.size(), { users: 0, sessions: 0, bytes: 0 });
  },
});
