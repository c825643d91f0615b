// Names of statements: each is prepared once a connection, and never stands for another text.

import { assertEquals, assertFalse, assertMatch, assertNotEquals } from "@std/assert";
import { parsePostgresUrl } from "../../../../lib/config/postgres_address.ts";
import { createLog } from "../../../../lib/log.ts";
import { openPostgresStore } from "../../../../lib/store/postgres/postgres_store.ts";
import { StatementNames } from "../../../../lib/store/postgres/connection.ts";
import { statements } from "../../../../lib/store/postgres/statements.ts";
import { ensurePostgres, sharedPostgres } from "../../../support/postgres.ts";
import { sessionOf, userOf } from "../../../support/store/records.ts";

const ignore = !await ensurePostgres();
const postgres = sharedPostgres();
const log = createLog(() => {});

Deno.test({
  name: "PostgresStore prepares the check of a session once a connection",
  ignore,
  async fn() {
    const address = parsePostgresUrl(await (await postgres()).createDatabase());
    await using store = await openPostgresStore(address, { log, maxConnections: 1 });
    const user = userOf("ada");
    await store.insertUser(user);
    await store.insertSession(sessionOf("ada", "id"), user);
    for (let count = 0; count < 20; count++) assertEquals((await store.findSession("id"))?.user, user);
    const { rows } = await store.database.run(
      `SELECT (generic_plans + custom_plans)::int AS runs FROM pg_prepared_statements
      WHERE statement = '${statements.findSession.replaceAll("'", "''")}'`,
    );
    assertEquals(rows, [{ runs: 20 }]);
  },
});

Deno.test("StatementNames gives each text a name that PostgreSQL does not cut", () => {
  const names = new StatementNames();
  const name = names.nameOf("SELECT $1", [1]) ?? "";
  assertMatch(name, /^[0-9a-f]{32}$/);
  assertEquals(names.nameOf("SELECT $1", [2]), name);
  // Another version may use the same PgBouncer: the same text has the same name, and another text has another.
  assertEquals(new StatementNames().nameOf("SELECT $1", [1]), name);
  assertNotEquals(names.nameOf("SELECT $1, 1", [1]), name);
  assertEquals(names.nameOf("BEGIN", []), undefined);
});

Deno.test("StatementNames names a bounded number of statements", () => {
  const names = new StatementNames();
  const first = names.nameOf("0", [1]);
  const all = new Set(Array.from({ length: 1_000 }, (_, index) => names.nameOf(String(index), [1])));
  all.delete(undefined);
  assertEquals(all.size, 100);
  assertEquals(names.nameOf("0", [1]), first);
});

function errorOf(code: string, message = ""): Error {
  return Object.assign(new Error(message), { code });
}

Deno.test("StatementNames stops after an error that says that a name is lost, and no other", () => {
  const names = new StatementNames();
  const others = [new Error("prepared statement"), errorOf("23505"), errorOf("08P01", "server_login_retry"), undefined];
  for (const error of others) assertFalse(names.stopIfLost(error));
  assertNotEquals(names.nameOf("SELECT $1", [1]), undefined);
  const lost = [errorOf("26000"), errorOf("42P05"), errorOf("08P01", "prepared statement did not exist")];
  for (const error of lost) {
    const stopped = new StatementNames();
    assertEquals([stopped.stopIfLost(error), stopped.nameOf("SELECT $1", [1])], [true, undefined]);
  }
});
