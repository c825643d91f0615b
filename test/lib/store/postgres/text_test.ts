// Texts in PostgresStore: unusual ones, their order, and prefixes.
import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { openTestApp } from "../../../support/app.ts";
import { ensurePostgres } from "../../../support/postgres.ts";
import { deleteByLogin, sessionOf, sessionsIn, userOf } from "../../../support/store/records.ts";
import { Instances, postgres } from "../../../support/store/postgres_instances.ts";

const ignore = !await ensurePostgres();

Deno.test({
  name: "PostgresStore finds nothing by a text that PostgreSQL cannot store",
  ignore,
  async fn() {
    await using instances = await Instances.open({ count: 1 });
    const store = instances.of(0);
    await store.insertUser(userOf("a"));
    await store.insertUser(userOf("a\ufffd", { id: "2" }));
    await store.insertSession(sessionOf("a", "s"), userOf("a"));
    for (const odd of ["a\0", "\0", "a\ud800", "\udc00"]) {
      assertEquals(await store.findUser(odd), undefined);
      assertEquals(await store.listUsers({ limit: 9, prefix: odd }), { items: [], total: 0, next: undefined });
      assertEquals((await store.listUsers({ limit: 9, after: odd })).items, []);
      assertEquals(await deleteByLogin(store, odd), "missing");
      assertEquals(await store.findSession(odd), undefined);
      await store.touchSession(odd, 1_800_000_000_000);
      assertEquals(await store.deleteSession(odd), false);
      assertEquals(await sessionsIn(store, odd), []);
      assertEquals(await store.deleteSessions(odd), 0);
      assertEquals(await store.findTicket(odd), undefined);
    }
    assertEquals((await sessionsIn(store, "a")).length, 1);
  },
});

Deno.test({
  name: "PostgresStore stores every text that a header can have, and no unusual text causes an error 500",
  ignore,
  async fn() {
    await using instances = await Instances.open({ count: 1 });
    const { send, app, logIn, lines } = await openTestApp({ store: instances.of(0) });
    const credentials = { login: "alice", password: "seven purple wombats sing" };
    assertEquals((await send("POST", "/user/", { json: credentials })).status, 201);
    const userAgent = Array.from({ length: 256 }, (_, code) => String.fromCharCode(code))
      .filter((character) => !/[\0\r\n]/.test(character)).join("").trim();
    const json = credentials;
    const { status } = await send("POST", "/session/", { json, headers: { "user-agent": userAgent } });
    assertEquals(status, 201);
    const kept = userAgent.replace(/\p{Cc}/gu, "");
    assertEquals((await sessionsIn(app.store, "alice")).map((session) => session.userAgent), [kept]);

    const token = await logIn(credentials);
    for (const odd of ["a%00", "%ED%A0%80", "%F4%8F%BF%BF", "%EF%BF%BF", "a%C0%80", "%25", "_", "a\\"]) {
      for (const method of ["GET", "PATCH", "DELETE"]) {
        const reply = await send(method, `/user/${odd}`, method === "PATCH" ? { token, json: {} } : { token });
        assert(reply.status < 500, `${method} ${odd}: ${reply.text}`);
      }
      assert((await send("DELETE", `/user/alice/session/${odd}`, { token })).status < 500, odd);
      assert((await send("GET", `/user/?prefix=${odd}&after=${odd}`, { token })).status < 500, odd);
    }
    for (const odd of ["a\0", "a\ud800", "\u{10ffff}"]) {
      const bad = [{ login: odd, password: credentials.password }, { ...credentials, password: odd }];
      for (const json of bad) {
        for (const path of ["/user/", "/session/"]) {
          const reply = await send("POST", path, { json: { ...json, ...path === "/user/" && { ticket: odd } } });
          assert(reply.status < 500, reply.text);
        }
      }
    }
    assertEquals(lines.filter((line) => line.includes('"level":"error"')), []);
  },
});

Deno.test({
  name: "PostgresStore orders ids by their bytes, whatever the collation of the database",
  ignore,
  async fn() {
    await using instances = await Instances.open({ count: 1 });
    const store = instances.of(0);
    // The collation of test databases orders them as a dictionary does: _, a, B.
    const ids = ["B", "_", "a"];
    for (const id of ids.toReversed()) await store.insertUser(userOf(`user${ids.indexOf(id)}`, { id }));
    const sql = (await postgres()).sql(instances.database);
    const sorted = await sql`SELECT x FROM (VALUES ('B'), ('_'), ('a')) AS v (x) ORDER BY x`;
    assertNotEquals(sorted.map((row) => row["x"]), ids);
    assertEquals((await store.listUsers({ limit: 9 })).items.map((user) => user.id), ids);
    assertEquals((await store.listUsers({ limit: 9, after: "B" })).items.map((user) => user.id), ["_", "a"]);
  },
});

Deno.test({
  name: "PostgresStore treats no character of a prefix as a wildcard",
  ignore,
  async fn() {
    await using instances = await Instances.open({ count: 1 });
    const store = instances.of(0);
    const logins = ["a", "a_b", "axb", "a%b", "a@b", "az", "b"];
    for (const login of logins) await store.insertUser(userOf(login));
    const found = async (prefix: string) =>
      (await store.listUsers({ limit: 9, prefix })).items.map((user) => user.login);
    assertEquals((await found("a")).toSorted(), ["a", "a%b", "a@b", "a_b", "axb", "az"]);
    assertEquals(await found("a_"), ["a_b"]);
    assertEquals(await found("a%"), ["a%b"]);
    assertEquals(await found("az"), ["az"]);
  },
});
