import { assertEquals, assertRejects } from "@std/assert";
import { ensurePostgres, startPostgres } from "./postgres.ts";

const ignore = !await ensurePostgres();

Deno.test({
  name: "a PostgreSQL for tests keeps what was committed when it is killed, and leaves nothing",
  ignore,
  async fn() {
    const server = await startPostgres();
    const folder = server.folder;
    {
      await using running = server;
      await running.createDatabase("one");
      await running.sql("one")`CREATE TABLE kept (id bigint)`;
      await running.sql("one")`INSERT INTO kept VALUES (7)`;
      await running.kill();
      await running.start();
      assertEquals([...await running.sql("one")`SELECT id FROM kept`], [{ id: "7" }]);
      await running.stop();
      await running.start();
      assertEquals([...await running.sql("one")`SELECT id FROM kept`], [{ id: "7" }]);
    }
    await assertRejects(() => Deno.stat(folder), Deno.errors.NotFound);
  },
});

Deno.test({
  name: "a PostgreSQL for tests is silent while it is paused",
  ignore,
  async fn() {
    await using server = await startPostgres();
    const sql = server.sql("postgres");
    await sql`SELECT 1`;
    await server.pause();
    let isAnswered = false;
    const answer = sql`SELECT 2 AS two`.then((rows) => {
      isAnswered = true;
      return rows[0]?.two;
    });
    await new Promise((resolve) => setTimeout(resolve, 100));
    assertEquals(isAnswered, false);
    await server.resume();
    assertEquals(await answer, 2);
  },
});
