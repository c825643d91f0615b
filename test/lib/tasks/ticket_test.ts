/** The task `ticket`, on a folder that is free or held, and on PostgreSQL. `test/main/operator_test.ts` runs it. */
import { assert, assertEquals, assertMatch, assertRejects, assertStringIncludes } from "@std/assert";
import { setTimeout as delay } from "node:timers/promises";
import { findGoodTicket } from "../../../lib/accounts/ticket.ts";
import { readConfig } from "../../../lib/config/config.ts";
import { parsePostgresUrl } from "../../../lib/config/postgres_address.ts";
import { createLog } from "../../../lib/log.ts";
import { createRouter } from "../../../lib/router.ts";
import { type Store, StoreFullError, type Ticket } from "../../../lib/store.ts";
import { openFileStore } from "../../../lib/store/file/file_store.ts";
import { socketIn, StoreFolderError, StoreLockedError } from "../../../lib/store/file/store_folder.ts";
import { SchemaError } from "../../../lib/store/postgres/schema.ts";
import { openPostgresStore } from "../../../lib/store/postgres/postgres_store.ts";
import { TaskError } from "../../../lib/tasks/task.ts";
import { operate, type TicketOptions } from "../../../lib/tasks/ticket.ts";
import { operatorRoute } from "../../../routes/operator.ts";
import { auditOf } from "../../support/accounts.ts";
import { openTestApp } from "../../support/app.ts";
import { ensurePostgres, startPostgres } from "../../support/postgres.ts";
import { credentialOf, userOf } from "../../support/store/records.ts";

const quiet = createLog(() => {});
const nobody = 65_534;

/** Opens a folder, with `alice` in it. */
async function openFolder(path: string): Promise<Store> {
  const store = await openFileStore(path, { log: quiet, extendBytes: 4_096 });
  await store.insertUser(userOf("alice"));
  return store;
}

/** A folder that no process uses, with `alice` in it. */
async function freeFolder(): Promise<string> {
  const folder = `${await Deno.makeTempDir({ prefix: "gatehouse-" })}/data`;
  await using _store = await openFolder(folder);
  return folder;
}

/** Does it, and collects the events. */
async function run(
  store: string,
  [action, login = ""]: readonly [string, string?],
  options: Pick<TicketOptions, "waitMs" | "uid"> = {},
) {
  const lines: string[] = [];
  const config = readConfig({ GATEHOUSE_STORE: store });
  const log = createLog((line) => lines.push(line));
  const text = await operate({ action, login }, { config, log, waitMs: 5_000, ...options });
  return { text, code: /: ([\w-]{43})$/m.exec(text)?.[1] ?? "", events: auditOf(lines), lines };
}

function isGood(store: Store, code: string, purpose: Ticket["purpose"], login: string): Promise<boolean> {
  return findGoodTicket(code, { store, purposes: [purpose], login, now: Date.now() }).then((found) =>
    found !== undefined
  );
}

/** Serves what the service serves on the socket of a folder. */
async function serveFolder(folder: string, store: Store) {
  const { app, lines } = await openTestApp({ store });
  const handle = createRouter([operatorRoute], { ...app, now: Date.now });
  const server = Deno.serve(
    { path: socketIn(folder), onListen() {} },
    (request, { remoteAddr }) => handle(request, { remoteAddr }),
  );
  return { lines, [Symbol.asyncDispose]: () => server.shutdown() };
}

Deno.test("operate() uses a folder that is free, logs it, and leaves the folder free", async () => {
  const folder = await freeFolder();
  const reset = await run(folder, ["reset", "alice"]);
  assertStringIncludes(reset.text, 'Ticket to set a new password for "alice"');
  const [{ ticket, ...event } = {}, ...rest] = reset.events;
  assertEquals([event, rest], [{ event: "ticket-made", onMachine: true, purpose: "reset", user: "alice" }, []]);
  assertEquals([typeof ticket, reset.lines.join().includes(reset.code)], ["string", false]);
  const [invite, setup, admin] = [
    await run(folder, ["invite"]),
    await run(folder, ["admin", "grace"]),
    await run(folder, ["admin", "alice"]),
  ];
  assertEquals(admin.events, [{ event: "user-changed", onMachine: true, user: "alice", groups: ["admin"] }]);
  await using store = await openFolder(folder);
  // Not the reset: alice has become an administrator since.
  assertEquals(await isGood(store, reset.code, "reset", "alice"), false);
  assert(await isGood(store, invite.code, "register", "anyone"));
  assert(await isGood(store, setup.code, "setup", "grace"));
});

Deno.test("operate() deletes the credentials of a user in a folder that is free", async () => {
  const folder = await freeFolder();
  {
    await using store = await openFolder(folder);
    assertEquals(await store.insertCredentials(userOf("alice"), [credentialOf("alice", "k")]), "done");
  }
  const { events } = await run(folder, ["recover", "Alice"]);
  assertEquals(events, [{ event: "credential-deleted", onMachine: true, user: "alice", count: 1 }]);
  await assertRejects(() => run(folder, ["recover", "alice"]), TaskError, 'There is no user "alice" with a second');
  await using store = await openFolder(folder);
  assertEquals(await store.listCredentials("alice"), []);
});

Deno.test("operate() asks the service that holds the folder, which logs it", async () => {
  const folder = await freeFolder();
  await using store = await openFolder(folder);
  await using service = await serveFolder(folder, store);
  const { code, events } = await run(folder, ["reset", "alice"]);
  assert(await isGood(store, code, "reset", "alice"));
  assertEquals([events, auditOf(service.lines).map(({ event }) => event)], [[], ["ticket-made"]]);
  await assertRejects(() => run(folder, ["reset", "bob"]), TaskError, 'There is no user "bob"');
  store.insertTicket = () => Promise.reject(new StoreFullError("full"));
  await assertRejects(
    () => run(folder, ["invite"]),
    TaskError,
    `Cannot use store "${folder}" as the service responds 507`,
  );
});

Deno.test("operate() waits for a service that starts or stops, and for another task", async () => {
  const folder = await freeFolder();
  let store = await openFolder(folder);
  // Of a service that was killed.
  Deno.listen({ transport: "unix", path: socketIn(folder) }).close();
  const starting = run(folder, ["reset", "alice"]);
  await delay(250);
  await Deno.remove(socketIn(folder)).catch(() => {});
  const service = await serveFolder(folder, store);
  assert(await isGood(store, (await starting).code, "reset", "alice"));
  await service[Symbol.asyncDispose]();

  const stopping = run(folder, ["invite"]);
  await delay(250);
  await store[Symbol.asyncDispose]();
  const others = Array.from({ length: 4 }, () => run(folder, ["invite"]));
  const codes = (await Promise.all([stopping, ...others])).map(({ code }) => code);
  store = await openFolder(folder);
  for (const code of codes) assert(await isGood(store, code, "register", "anyone"));
  await store[Symbol.asyncDispose]();
});

Deno.test("operate() says in one line why it cannot use a folder", async () => {
  const folder = await freeFolder();
  await assertRejects(
    () => run(`${folder}/none`, ["invite"]),
    StoreFolderError,
    `Cannot use store "${folder}/none": No such`,
  );
  await Deno.mkdir(`${folder}/empty`);
  await assertRejects(() => run(`${folder}/empty`, ["invite"]), StoreFolderError, "contains no store");
  assertEquals(Array.from(Deno.readDirSync(`${folder}/empty`)), []);

  await using store = await openFolder(folder);
  await assertRejects(() => run(folder, ["invite"], { waitMs: 150 }), StoreLockedError, "is locked");
  const { promise, resolve } = Promise.withResolvers<Response>();
  const hung = Deno.serve({ path: socketIn(folder), onListen() {} }, () => promise);
  const error = await assertRejects(() => run(folder, ["invite"], { waitMs: 150 }), TaskError);
  assertMatch(error.message, /does not respond \(.*time.*\), and may have done it or not: look at its log/);
  resolve(new Response());
  await hung.shutdown();
  assertEquals((await store.size()).users, 1);
});

Deno.test("operate() says that the path of the folder is too long for a socket", async () => {
  const folder = `${await freeFolder()}/${"x".repeat(100)}`;
  await using _store = await openFolder(folder);
  await assertRejects(() => run(folder, ["invite"]), TaskError, "SUN_LEN. Stop it, and run this again");
});

Deno.test("operate() leaves a folder of another user alone; root asks its service", async () => {
  const folder = await freeFolder();
  const owner = Deno.uid() ?? 0;
  const names = () => Array.from(Deno.readDirSync(folder), ({ name }) => name).sort();
  const before = names();
  const invite = (uid: number) => run(folder, ["invite"], { uid });
  const refusal = `Cannot use store "${folder}" as it is of user `;
  await assertRejects(() => invite(owner + 1), TaskError, refusal);
  // Root has no other folder than one that was given away.
  if (owner === 0) await Deno.chown(folder, nobody, nobody);
  await assertRejects(() => invite(0), TaskError, refusal);
  assertEquals(names(), before);
  await using store = await openFolder(folder);
  await using _service = await serveFolder(folder, store);
  await assertRejects(() => invite(owner + 1), TaskError, refusal);
  assert(await isGood(store, (await invite(0)).code, "register", "anyone"));
});

Deno.test({
  name: "operate() uses a database while instances use it, and does not create its tables",
  ignore: !await ensurePostgres(),
  async fn() {
    await using server = await startPostgres();
    const url = await server.createDatabase("operated");
    await assertRejects(() => run(url, ["invite"]), SchemaError);
    await using store = await openPostgresStore(parsePostgresUrl(url), { log: quiet });
    await store.insertUser(userOf("alice"));
    await assertRejects(() => run(url, ["reset", "bob"]), TaskError, 'There is no user "bob"');
    const { code, events } = await run(url, ["reset", "alice"]);
    assert(await isGood(store, code, "reset", "alice"));
    assertEquals(events.map(({ event }) => event), ["ticket-made"]);
    const [invite, setup] = await Promise.all([run(url, ["invite"]), run(url, ["admin", "grace"])]);
    assert(await isGood(store, invite.code, "register", "anyone"));
    assert(await isGood(store, setup.code, "setup", "grace"));
    await run(url, ["admin", "alice"]);
    const admin = userOf("alice", { groups: ["admin"] });
    assertEquals(await store.insertCredentials(admin, [credentialOf("alice", "k")]), "done");
    await run(url, ["recover", "alice"]);
    assertEquals([await store.findUser("alice"), await store.listCredentials("alice")], [admin, []]);
  },
});
