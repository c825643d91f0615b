// What only PostgresStore promises: several stores on one database, unusual texts, its size.
import { assertEquals } from "@std/assert";
import type { User } from "../../../../lib/store.ts";
import { openPostgresStore } from "../../../../lib/store/postgres/postgres_store.ts";
import { ensurePostgres } from "../../../support/postgres.ts";
import {
  credentialOf,
  deleteByLogin,
  sessionOf,
  sessionsIn,
  ticketOf,
  userOf,
} from "../../../support/store/records.ts";
import { Instances, log, postgres } from "../../../support/store/postgres_instances.ts";

const ignore = !await ensurePostgres();

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

  Deno.test({
    name: `PostgresStores on one database accept each code, step, ticket, secret and challenge once (${isolation})`,
    ignore,
    async fn() {
      await using instances = await Instances.open({ count: 3, isolation });
      const alice = userOf("alice");
      await instances.of(0).insertUser(alice);
      for (let round = 0; round < 5; round++) {
        const code = credentialOf("alice", `code ${round}`, { kind: "recovery" });
        const totp = credentialOf("alice", alice.id, { id: `totp ${round}`, kind: "totp", secret: `${round}` });
        const counter = round + 1;
        const added = await Promise.all(
          [totp, totp, totp, ...["p0", "p1", "p2"].map((key) => credentialOf("alice", key + round, { counter }))]
            .map((credential, index) => instances.of(index).insertCredentials(alice, [credential])),
        );
        assertEquals(added.toSorted(), ["done", "done", "taken", "taken", "taken", "taken"]);
        assertEquals(await instances.of(0).insertCredentials(alice, [code]), "done");
        await instances.of(1).insertTicket(ticketOf(`t${round}`, { purpose: "login", login: "alice" }));
        const proofs = [
          { use: { current: code, next: undefined } },
          { use: { current: totp, next: { ...totp, counter: 5 } } },
          { ticketHash: `t${round}` },
        ];
        for (const [which, proof] of proofs.entries()) {
          const logins = Array.from({ length: 12 }, (_, index) => {
            const session = sessionOf("alice", `s${round}-${which}-${index}`);
            return instances.of(index).insertSession(session, alice, proof);
          });
          assertEquals((await Promise.all(logins)).filter((isDone) => isDone).length, 1, `${which}`);
        }
      }
      assertEquals((await sessionsIn(instances.of(2), "alice")).length, 15);
    },
  });
}

/** The administrators of a round. */
async function adminsOf(instances: Instances, round: number): Promise<readonly User[]> {
  const { items: users } = await instances.of(0).listUsers({ limit: 1_000 });
  return users.filter(({ login, groups }) => login.endsWith(String(round)) && groups.includes("admin"));
}

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
