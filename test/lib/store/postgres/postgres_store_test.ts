// What only PostgresStore promises: several stores on one database, unusual texts, its size.

import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { createLog } from "../../../../lib/log.ts";
import { parsePostgresUrl } from "../../../../lib/config/postgres_address.ts";
import type { User } from "../../../../lib/store.ts";
import {
  openPostgresStore,
  type PostgresStore,
  type PostgresStoreOptions,
} from "../../../../lib/store/postgres/postgres_store.ts";
import { openTestApp } from "../../../support/app.ts";
import { ensurePostgres, openConnections, sharedPostgres } from "../../../support/postgres.ts";
import { deleteByLogin, sessionOf, sessionsIn, ticketOf, userOf } from "../../../support/store/records.ts";

const ignore = !await ensurePostgres();
const log = createLog(() => {});
const postgres = sharedPostgres({ settings: { max_connections: "50" } });

/** Stores on one new database, as instances of the service have them. */
class Instances implements AsyncDisposable {
  readonly #cleanup = new AsyncDisposableStack();
  readonly stores: PostgresStore[] = [];
  database = "";

  static async open({ count, isolation = "read committed", ...options }: {
    count: number;
    isolation?: string;
  } & Partial<PostgresStoreOptions>): Promise<Instances> {
    const instances = new Instances();
    const server = await postgres();
    const address = parsePostgresUrl(await server.createDatabase());
    const { database } = address;
    instances.database = database;
    await server.sql("postgres").unsafe(
      `ALTER DATABASE ${database} SET default_transaction_isolation = '${isolation}'`,
    );
    const opening = Array.from(
      { length: count },
      () => openPostgresStore(address, { log, callMs: 30_000, ...options }),
    );
    for (const store of await Promise.all(opening)) {
      instances.stores.push(instances.#cleanup.use(store));
      await openConnections(store);
    }
    return instances;
  }

  /** One of them, in turn. */
  of(index: number): PostgresStore {
    const store = this.stores[index % this.stores.length];
    assert(store !== undefined);
    return store;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#cleanup.disposeAsync();
  }
}

const isolations = ["read committed", "repeatable read", "serializable"];

for (const isolation of isolations) {
  Deno.test({
    name: `PostgresStores on one database let one of 200 parallel registrations win (${isolation})`,
    ignore,
    async fn() {
      await using instances = await Instances.open({ count: 4, isolation });
      const users = Array.from({ length: 200 }, (_, index) => userOf("alice", { id: `id-${index}` }));
      const results = await Promise.all(users.map((user, index) => instances.of(index).insertUser(user)));
      assertEquals(results.filter((result) => result === "done").length, 1);
      for (const store of instances.stores) {
        assertEquals((await store.findUser("alice"))?.id, `id-${results.indexOf("done")}`);
      }
    },
  });

  Deno.test({
    name: `PostgresStores on one database use a ticket once, and keep one setup ticket (${isolation})`,
    ignore,
    async fn() {
      await using instances = await Instances.open({ count: 4, isolation });
      const first = instances.of(0);
      await first.insertTicket(ticketOf("t1"));
      const results = await Promise.all(
        Array.from({ length: 40 }, (_, index) => instances.of(index).insertUser(userOf(`user${index}`), "t1")),
      );
      assertEquals(results.filter((result) => result === "done").length, 1);
      assertEquals([await first.findTicket("t1"), (await first.listUsers({ limit: 9 })).total], [undefined, 1]);

      const hashes = Array.from({ length: 12 }, (_, index) => `setup-${index}`);
      await Promise.all(
        hashes.map((hash, index) => instances.of(index).insertTicket(ticketOf(hash, { purpose: "setup" }))),
      );
      const found = await Promise.all(hashes.map((hash) => first.findTicket(hash)));
      assertEquals(found.filter((ticket) => ticket !== undefined).length, 1);
    },
  });

  Deno.test({
    name: `PostgresStores on one database never lose the last administrator (${isolation})`,
    ignore,
    async fn() {
      await using instances = await Instances.open({ count: 2, isolation });
      for (let round = 0; round < 5; round++) {
        const admins = ["a", "b", "c", "d"].map((name) => userOf(`${name}${round}`, { groups: ["admin"] }));
        for (const admin of admins) await instances.of(0).insertUser(admin);
        for (const left of await adminsOf(instances, round - 1)) await deleteByLogin(instances.of(0), left.login);
        const outcomes = await Promise.all(admins.map((admin, index) => {
          const store = instances.of(index);
          return index < 2 ? deleteByLogin(store, admin.login) : store.replaceUser(admin, { ...admin, groups: [] });
        }));
        assertEquals(outcomes.toSorted(), ["done", "done", "done", "last-admin"]);
        assertEquals(await instances.of(1).countAdmins(), 1);
      }
    },
  });

  Deno.test({
    name: `PostgresStores on one database leave no session of a user who is disabled meanwhile (${isolation})`,
    ignore,
    async fn() {
      await using instances = await Instances.open({ count: 3, isolation });
      const store = instances.of(0);
      for (let round = 0; round < 5; round++) {
        const user = userOf(`alice${round}`);
        await store.insertUser(user);
        const logins = Array.from({ length: 20 }, (_, index) => {
          return instances.of(index).insertSession(sessionOf(user.login, `s${round}-${index}`), user);
        });
        const change = round % 2 === 0 ? { disabled: true } : { passwordHash: "new" };
        const replaced = instances.of(1).replaceUser(user, { ...user, ...change }, { keepSessionId: "" });
        await Promise.all(logins);
        assertEquals(await replaced, "done");
        assertEquals(await sessionsIn(store, user.login), []);
      }
    },
  });
}

/** The administrators of a round. */
async function adminsOf(instances: Instances, round: number): Promise<readonly User[]> {
  const { users } = await instances.of(0).listUsers({ limit: 1_000 });
  return users.filter(({ login, groups }) => login.endsWith(String(round)) && groups.includes("admin"));
}

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
      assertEquals(await store.listUsers({ limit: 9, prefix: odd }), { users: [], total: 0, next: undefined });
      assertEquals((await store.listUsers({ limit: 9, after: odd })).users, []);
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
    assertEquals((await store.listUsers({ limit: 9 })).users.map((user) => user.id), ids);
    assertEquals((await store.listUsers({ limit: 9, after: "B" })).users.map((user) => user.id), ["_", "a"]);
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
      (await store.listUsers({ limit: 9, prefix })).users.map((user) => user.login);
    assertEquals((await found("a")).toSorted(), ["a", "a%b", "a@b", "a_b", "axb", "az"]);
    assertEquals(await found("a_"), ["a_b"]);
    assertEquals(await found("a%"), ["a%b"]);
    assertEquals(await found("az"), ["az"]);
  },
});

Deno.test({
  name: "PostgresStore caches its size",
  ignore,
  async fn() {
    await using instances = await Instances.open({ count: 1, sizeAgeMs: 60_000 });
    const store = instances.of(0);
    const sizes = await Promise.all(Array.from({ length: 20 }, () => store.size()));
    await store.insertUser(userOf("alice"));
    assertEquals(new Set([...sizes, await store.size()]).size, 1);
    await using another = await openPostgresStore(store.database.address, { log });
    assertEquals((await another.size()).users, 1);
  },
});

Deno.test({
  name: "PostgresStore opens at most maxConnections",
  ignore,
  async fn() {
    await using instances = await Instances.open({ count: 1, maxConnections: 3 });
    const logins = Array.from({ length: 100 }, (_, index) => `user${index}`);
    await Promise.all(logins.map((login) => instances.of(0).insertUser(userOf(login))));
    const sql = (await postgres()).sql("postgres");
    const [counted] = await sql`
      SELECT count(*) AS count FROM pg_stat_activity WHERE datname = ${instances.database}`;
    assertEquals(Number(counted?.["count"]), 3);
  },
});
