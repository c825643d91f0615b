// PgBouncer in transaction mode: each transaction may use another connection to the server.

import { assert, assertEquals, assertRejects } from "@std/assert";
import { createLog } from "../../../../lib/log.ts";
import { parsePostgresUrl } from "../../../../lib/config/postgres_address.ts";
import { openPostgresStore } from "../../../../lib/store/postgres/postgres_store.ts";
import { DatabaseRefusedError } from "../../../../lib/store/postgres/connection.ts";
import { ensureProgram } from "../../../support/packages.ts";
import { ensurePostgres, startPostgres, type TestPostgres } from "../../../support/postgres.ts";
import { freePort, TestProcess } from "../../../support/process.ts";
import { sessionOf, userOf } from "../../../support/store/records.ts";

const ignore = !(await ensurePostgres() && await ensureProgram("pgbouncer", "pgbouncer"));
const log = createLog(() => {});
const ignored = "ignore_startup_parameters = statement_timeout,idle_in_transaction_session_timeout";

/** Starts a PgBouncer in front of a server. @param setting a line of its configuration */
async function startBouncer(server: TestPostgres, setting: string): Promise<TestProcess & { readonly port: number }> {
  const port = freePort();
  const configuration = `${server.folder}/bouncer-${port}.ini`;
  const lines = [
    "[databases]",
    `* = host=${server.folder} port=${server.port} user=postgres`,
    "[pgbouncer]",
    `listen_addr = 127.0.0.1\nlisten_port = ${port}\nunix_socket_dir =`,
    "auth_type = any\npool_mode = transaction\ndefault_pool_size = 5",
    setting,
  ];
  await Deno.writeTextFile(configuration, lines.join("\n"));
  const user = Deno.uid() === 0 ? ["-u", "postgres"] : [];
  const bouncer = new TestProcess("pgbouncer", { args: [...user, configuration], env: {} });
  await bouncer.until(() => bouncer.output.includes("process up") || undefined, { what: "PgBouncer to start" });
  return Object.assign(bouncer, { port });
}

/** The settings for names of statements. Before 1.21, PgBouncer knows no names, as with 0. */
async function nameSettings(): Promise<readonly string[]> {
  const { stdout } = await new Deno.Command("pgbouncer", { args: ["--version"] }).output();
  const [, major = 0, minor = 0] = new TextDecoder().decode(stdout).match(/PgBouncer (\d+)\.(\d+)/) ?? [];
  const hasSetting = Number(major) > 1 || Number(minor) >= 21;
  return hasSetting ? ["max_prepared_statements = 0", "max_prepared_statements = 100"] : [""];
}

for (const setting of ignore ? [""] : await nameSettings()) {
  Deno.test({
    name: `PostgresStore works behind PgBouncer in transaction mode ${setting}`.trim(),
    ignore,
    async fn() {
      await using server = await startPostgres();
      await server.createDatabase("register");
      await using bouncer = await startBouncer(server, `${ignored}\n${setting}`);
      const address = parsePostgresUrl(`postgres://gatehouse@127.0.0.1:${bouncer.port}/register`);
      await using store = await openPostgresStore(address, { log });
      for (let round = 0; round < 5; round++) {
        await Promise.all(Array.from({ length: 20 }, async (_, index) => {
          const user = userOf(`user${index}-${round}`);
          assertEquals(await store.insertUser(user), "done");
          assertEquals(await store.insertSession(sessionOf(user.login, `${index} ${round}`), user), true);
          assertEquals(await store.findSession(`${index} ${round}`).then((found) => found?.user.login), user.login);
          assertEquals(await store.replaceUser(user, { ...user, disabled: true }), "done");
        }));
      }
      assertEquals((await store.listUsers({ limit: 1 })).total, 100);
      // Each connection loses at most one name before the store stops using names.
      const lostCount = server.log.match(/ERROR: {2}prepared statement/g)?.length ?? 0;
      assert(setting.endsWith("100") ? lostCount === 0 : lostCount > 0 && lostCount <= 10, `${lostCount} names`);
    },
  });
}

Deno.test({
  name: "PostgresStore reports which parameters PgBouncer must ignore",
  ignore,
  async fn() {
    await using server = await startPostgres();
    await server.createDatabase("register");
    await using bouncer = await startBouncer(server, "");
    const address = parsePostgresUrl(`postgres://gatehouse@127.0.0.1:${bouncer.port}/register`);
    const { message } = await assertRejects(() => openPostgresStore(address, { log }), DatabaseRefusedError);
    assertEquals(
      message,
      `Cannot use the database postgres://127.0.0.1:${bouncer.port}/register: unsupported startup parameter: ` +
        `statement_timeout: set ${ignored}`,
    );
  },
});
