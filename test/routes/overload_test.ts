/** What a flood does not reach. Without the limit store nothing is looked up, verified or hashed. */
import { assert, assertEquals } from "@std/assert";
import { MemoryLimitStore } from "../../lib/limits/rate_limiter.ts";
import { Hasher } from "../../lib/passwords/hasher.ts";
import { StoreClosedError, StoreFullError, type User } from "../../lib/store.ts";
import { TableStore } from "../../lib/store/memory/table_store.ts";
import { auditOf, newPassword, openAdminApp, outcomeOf } from "../support/accounts.ts";
import { alice, openTestApp, type SendOptions } from "../support/app.ts";
import { occupy } from "../support/occupied.ts";
import { pbkdf2 } from "../support/passwords/phc.ts";

/** Knows how often it was asked for a user. */
class AskedStore extends TableStore {
  askedCount = 0;

  override findUser(login: string): Promise<User | undefined> {
    this.askedCount++;
    return super.findUser(login);
  }
}

/** Knows how often it was asked for anything, and fails when it shall. */
class AskedCounts extends MemoryLimitStore {
  askedCount = 0;
  /** What fails. */
  error: Error | undefined;

  override async read(...options: Parameters<MemoryLimitStore["read"]>) {
    this.#ask();
    return await super.read(...options);
  }

  override async update(...options: Parameters<MemoryLimitStore["update"]>) {
    this.#ask();
    await super.update(...options);
  }

  #ask(): void {
    this.askedCount++;
    if (this.error !== undefined) throw this.error;
  }
}

const limited = { GATEHOUSE_REGISTRATIONS_PER_HOUR: "60" };
const basic = `Basic ${new TextEncoder().encode(`alice:${alice.password}`).toBase64()}`;

Deno.test("who is refused as too many wait for a hash costs the store and the limit store nothing", async () => {
  const [store, limitStore] = [new AskedStore(), new AskedCounts()];
  const hasher = await Hasher.open({ scheme: pbkdf2(100), concurrency: 1, maxWaitMs: 0 });
  const { send } = await openTestApp({ store, limitStore, hasher, settings: limited });
  using busy = occupy(hasher);
  for (const path of ["/session/", "/user/"]) {
    assertEquals(outcomeOf(await send("POST", path, { json: alice })), "503 overloaded");
  }
  assertEquals([store.askedCount, limitStore.askedCount], [0, 0]);
  await busy.leave();
  assertEquals(outcomeOf(await send("POST", "/user/", { json: alice })), "201");
  assertEquals(outcomeOf(await send("POST", "/session/", { json: alice })), "201");
  assert(limitStore.askedCount > 0);
});

Deno.test("nothing is verified and nobody registers while the limit store is away", async () => {
  const limitStore = new AskedCounts();
  const opened = await openAdminApp({ limitStore, settings: limited });
  const token = await opened.addUser("alice");
  const requests: readonly [method: string, path: string, options: SendOptions][] = [
    ["POST", "/session/", { json: alice }],
    ["POST", "/session/", { json: { ...alice, login: "nobody" } }],
    ["POST", "/user/", { json: { ...alice, login: "bob" } }],
    ["GET", "/guard/", { headers: { authorization: basic } }],
    ["PUT", "/user/alice/password", { token, json: { current_password: alice.password, password: newPassword } }],
  ];
  const before = opened.app.metrics.hashes.count;
  limitStore.error = new StoreClosedError("Cannot count");
  for (const [method, path, options] of requests) {
    assertEquals(outcomeOf(await opened.send(method, path, options)), "503 store-closed", path);
  }
  assertEquals([opened.app.metrics.hashes.count - before, await opened.app.store.findUser("bob")], [0, undefined]);
  // Who has a session needs no count.
  assertEquals(outcomeOf(await opened.send("GET", "/session/", { token })), "200");
  limitStore.error = undefined;
  assertEquals(outcomeOf(await opened.send("POST", "/session/", { json: alice })), "201");
});

Deno.test("what was changed is told and in the audit also when the limit store is away right after it", async () => {
  const limitStore = new AskedCounts();
  const store = new TableStore();
  const opened = await openAdminApp({ store, limitStore });
  await opened.addUser("alice");
  const ticket = await opened.makeTicket("reset", "alice");
  const { insertUser, replaceUser } = store;
  // As the very change is made.
  const fail = <Outcome>(outcome: Promise<Outcome>) => {
    limitStore.error = new StoreClosedError("Cannot count");
    return outcome;
  };
  store.insertUser = (...options) => fail(insertUser.apply(store, options));
  store.replaceUser = (...options) => fail(replaceUser.apply(store, options));
  const requests: readonly [outcome: string, method: string, path: string, options: SendOptions, event: string][] = [
    ["201", "POST", "/user/", { json: { ...alice, login: "bob" } }, "user-registered"],
    ["204", "PUT", "/user/alice/password", { json: { ticket, password: newPassword } }, "password-changed"],
    ["200", "PATCH", "/user/alice", { token: opened.admin, json: { disabled: false } }, "user-changed"],
  ];
  for (const [outcome, method, path, options, event] of requests) {
    limitStore.error = undefined;
    // An outage is logged once: this one ends before the next.
    opened.clock.now += 60_000;
    await opened.app.failures.isStoreReady();
    const before = opened.lines.length;
    assertEquals(outcomeOf(await opened.send(method, path, options)), outcome);
    const lines = opened.lines.slice(before);
    assertEquals(auditOf(lines).at(-1)?.event, event);
    assertEquals(lines.filter((line) => line.includes('"store-not-ready"')).length, 1);
  }
});

Deno.test("a registration that fails inside the service says why, even if the limit store is unavailable", async () => {
  const limitStore = new AskedCounts();
  const store = new TableStore();
  const { send, lines } = await openTestApp({ store, limitStore, settings: limited });
  store.insertUser = () => {
    limitStore.error = new StoreClosedError("Cannot count");
    return Promise.reject(new StoreFullError("No room"));
  };
  assertEquals(outcomeOf(await send("POST", "/user/", { json: alice })), "507 store-full");
  assertEquals(lines.filter((line) => line.includes('"store-not-ready"')).length, 1);
});
