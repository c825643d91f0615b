/**
 * What the version of 22 November 2026 kept is read by this one: `v1/` has a folder with a journal alone, one with a
 * snapshot, a backup, and a dump of its tables in a PostgreSQL. Of the journals most zeros at the end are left out.
 */

import { assert, assertEquals } from "@std/assert";
import { backUp, restore, verify } from "../../../lib/tasks/backup.ts";
import { inspect } from "../../../lib/tasks/inspect.ts";
import { createLog } from "../../../lib/log.ts";
import { isHashOf } from "../../support/passwords/verify.ts";
import { parsePostgresUrl } from "../../../lib/config/postgres_address.ts";
import { findLiveSession } from "../../../lib/accounts/session.ts";
import type { Store, Ticket } from "../../../lib/store.ts";
import { openFileStore } from "../../../lib/store/file/file_store.ts";
import { openPostgresStore } from "../../../lib/store/postgres/postgres_store.ts";
import { findGoodTicket } from "../../../lib/accounts/ticket.ts";
import { ensurePostgres, sharedPostgres } from "../../support/postgres.ts";
import { userOf } from "../../support/store/records.ts";
import { SimulatedDisk, survivals } from "../../support/store/simulated_disk.ts";
import facts from "./v1/facts.json" with { type: "json" };

const v1 = new URL("v1/", import.meta.url).pathname;
const log = createLog(() => {});
const ignore = !await ensurePostgres();
const postgres = sharedPostgres();
/** Of the day on which the records were made. */
const now = Date.parse("2026-11-26T16:00:00Z");

const folders = ["journal", "snapshot"] as const;

/** A copy that may be changed. */
async function copyOf(folder: typeof folders[number]): Promise<string> {
  const copy = await Deno.makeTempDir();
  for await (const { name } of Deno.readDir(v1 + folder)) {
    await Deno.copyFile(`${v1}${folder}/${name}`, `${copy}/${name}`);
  }
  return copy;
}

/** That the store holds what `facts.json` says, and takes changes. */
async function assertAllThere(store: Store): Promise<void> {
  const { items: users, total } = await store.listUsers({ limit: 1_000 });
  assertEquals(total, facts.users);
  for (const user of users) assert(await isHashOf(facts.password, user.passwordHash), user.login);
  const groups = new Map(users.filter((user) => user.groups.length > 0).map((user) => [user.login, user.groups]));
  assertEquals(Object.fromEntries(groups), { ...facts.groups, [facts.admin]: ["admin"] });
  assertEquals(users.filter((user) => user.disabled).map((user) => user.login), facts.disabled);
  for (const login of facts.deleted) assertEquals(await store.findUser(login), undefined);

  const lifetimes = { sessionIdleMs: 168 * 3_600_000, sessionMaxMs: 720 * 3_600_000 };
  for (const [login, token] of [["user1", facts.session_user1], [facts.admin, facts.session_grace]] as const) {
    const found = await findLiveSession(token, {
      store,
      lifetimes,
      now,
      onError: (error) => assert(false, `${error}`),
    });
    assertEquals(found?.user.login, login);
  }
  assertEquals((await store.size()).sessions, 12);

  const register = { store, purposes: ["register"], login: "invited", now } as const;
  const reset = { store, purposes: ["reset"], login: "user5", now } as const;
  const { items: tickets } = await store.listTickets({ limit: 9, now });
  assertEquals(tickets.map(({ ticket, madeBy }) => [ticket.purpose, ticket.login, ticket.createdAt, madeBy]), [
    ["reset", "user5", 0, undefined],
    ["register", "invited", 0, undefined],
  ]);
  assertEquals(tickets.map(({ ticket }) => ticket.id), ["000000000023D7C1DB6899013A", "00000000007F824F929D2D8197"]);
  assertEquals(await findGoodTicket(facts.register_ticket, register), tickets[1]?.ticket);
  assertEquals(await findGoodTicket(facts.reset_ticket_user5, reset), tickets[0]?.ticket);
  assertEquals(await store.deleteTicket(tickets[0]?.ticket.id ?? ""), "done");
  assertEquals(await findGoodTicket(facts.reset_ticket_user5, reset), undefined);
}

for (const folder of folders) {
  Deno.test(`a file store opens a folder of format 1 with a ${folder}, now and after a change`, async () => {
    const path = await copyOf(folder);
    {
      await using store = await openFileStore(path, { log });
      await assertAllThere(store);
    }
    await using store = await openFileStore(path, { log });
    assertEquals([(await store.size()).users, (await store.listTickets({ limit: 9, now })).total], [facts.users, 1]);
  });

  Deno.test(`a file store that only opened a ${folder} leaves nothing that format 1 would read`, async () => {
    const path = await copyOf(folder);
    const store = await openFileStore(path, { log });
    // As if killed: what is on the disk now is what another program finds.
    const journals = Array.from(Deno.readDirSync(path), ({ name }) => name).filter((name) =>
      /^journal-\d+$/.test(name)
    );
    const last = journals.sort().at(-1) ?? "";
    // Magic, kind, then the version.
    assertEquals(Array.from((await Deno.readFile(`${path}/${last}`)).subarray(9, 12)), [0x4a, 5, 0]);
    assertEquals((await verify(path)).counts.user, facts.users);
    await store[Symbol.asyncDispose]();
  });

  Deno.test(`backUp(), verify() and inspect() read a folder of format 1 with a ${folder}`, async () => {
    const path = await copyOf(folder);
    const holdings = await verify(path);
    assertEquals([holdings.counts.user, holdings.counts.session, holdings.counts.ticket], [facts.users, 12, 2]);
    assertEquals(await backUp(path, `${path}/backup`), holdings);
    assertEquals(await verify(`${path}/backup`), holdings);
    assertEquals((await Array.fromAsync(inspect(path))).length, facts.users + 12 + 2);
  });
}

Deno.test("a file store loses nothing of a folder of format 1 when the power is cut while it is opened", async () => {
  const content = await Deno.readFile(`${v1}journal/journal-1`);
  const openCut = async (index: number) => {
    const disk = new SimulatedDisk();
    disk.setContent("journal-1", content);
    disk.script = (call) => call.index === index ? "cut" : undefined;
    const isOpen = await openFileStore("simulated", { log, disk, extendBytes: 4_096 }).then(() => true, () => false);
    return { disk, isOpen };
  };
  const callCount = (await openCut(-1)).disk.calls.length;
  assert(callCount > 4, `${callCount} calls`);
  for (let index = 0; index < callCount; index++) {
    const { disk, isOpen } = await openCut(index);
    assert(!isOpen, `call ${index}`);
    for (const survival of survivals) {
      const left = disk.afterPowerCut(survival);
      await using store = await openFileStore("simulated", { log, disk: left, extendBytes: 4_096 });
      const { users, sessions } = await store.size();
      assertEquals([users, sessions], [facts.users, 12], `call ${index}, ${survival}`);
      assertEquals((await store.listTickets({ limit: 9, now })).total, 2);
    }
  }
});

Deno.test({
  name: "PostgresStore takes a ticket that an instance of the first release adds to tables that it does not know",
  ignore,
  async fn() {
    const server = await postgres();
    const address = parsePostgresUrl(await server.createDatabase());
    await using store = await openPostgresStore(address, { log });
    const hash = "ab12".repeat(16);
    await server.sql(address.database)`INSERT INTO gatehouse_ticket (secret_hash, purpose, login, expires_at)
      VALUES (${hash}, 'register', 'bob', ${now + 1})`;
    const id = "0000000000AB12AB12AB12AB12";
    const ticket: Ticket = {
      id,
      secretHash: hash,
      purpose: "register",
      login: "bob",
      maker: "",
      createdAt: 0,
      expiresAt: now + 1,
    };
    assertEquals(await store.findTicket(hash), ticket);
    assertEquals(await store.listTickets({ limit: 9, now }), { items: [], total: 0, next: undefined });
    assertEquals(await store.insertUser(userOf("bob"), hash), "done");
  },
});

Deno.test("restore() makes a folder of a backup of format 1", async () => {
  const path = `${await Deno.makeTempDir()}/data`;
  assertEquals((await verify(`${v1}backup`)).counts.user, facts.users);
  await restore(`${v1}backup`, path);
  await using store = await openFileStore(path, { log });
  await assertAllThere(store);
});

Deno.test({
  name: "PostgresStore brings the tables of the first release to what it needs, and keeps all that is in them",
  ignore,
  async fn() {
    const server = await postgres();
    const address = parsePostgresUrl(await server.createDatabase());
    const sql = server.sql(address.database);
    // In one session, and as the owner of the tables; it leaves no schema to look in.
    const dump = await Deno.readTextFile(`${v1}postgres.sql`);
    await sql.unsafe(`SET ROLE gatehouse; ${dump}; RESET ALL; RESET ROLE`);
    await using store = await openPostgresStore(address, { log });
    await assertAllThere(store);
  },
});
