import { assertEquals, assertRejects } from "@std/assert";
import { contentsOf, unmatchedRecords, userContentsOf } from "../../lib/store_contents.ts";
import type { Session, StoredRecord, Ticket, User } from "../../lib/store.ts";
import { TableStore } from "../../lib/store/memory/table_store.ts";
import { secretOf, sessionOf, ticketOf, userOf } from "../support/store/records.ts";

const ignore = () => {};
const records = [putUser("alice"), putUser("carol"), putSession("alice", "s1"), putTicket("t1"), secretOf("decoy")];

Deno.test("contentsOf() counts, and returns one digest for the same records in any order of insertion", async () => {
  const { digest, counts } = await contentsOf(await storeOf(records), ignore);
  assertEquals(counts, { user: 2, session: 1, ticket: 1, secret: 1, credential: 0 });
  // Of a text that anyone can make: this is what the digest is of.
  assertEquals(digest, await sha256(records.map(lineOf).join("")));
  let count = 0;
  const turned = await contentsOf(await storeOf(records.toReversed()), () => count++);
  assertEquals([turned, count], [{ digest, counts }, 5]);
});

Deno.test("contentsOf() returns another digest when any field of any record differs", async () => {
  const user = { id: "1", login: "x", passwordHash: "x", registeredAt: 1, groups: ["x", "y"], disabled: true };
  const session = {
    id: "x",
    login: "carol",
    secretHash: "x",
    createdAt: 1,
    lastSeenAt: 1,
    userAgent: "x",
    address: "x",
  };
  const ticket = { secretHash: "x", purpose: "setup", login: "x", expiresAt: 1 } as const;
  const changed = [
    ...fieldsOf(user).map((change) => [putUser("alice", change), ...records.slice(1)]),
    ...fieldsOf(session).map((change) => records.with(2, putSession("alice", "s1", change))),
    ...fieldsOf(ticket).map((change) => records.with(3, putTicket("t1", change))),
    records.with(4, secretOf("x", "value of decoy")),
    records.with(4, secretOf("decoy", "x")),
    records.slice(1),
    [],
  ];
  const digests = new Set<string>();
  for (const each of [records, ...changed]) digests.add((await contentsOf(await storeOf(each), ignore)).digest);
  assertEquals(digests.size, 6 + 7 + 4 + 2 + 3);
});

Deno.test("userContentsOf() returns the digest of the users alone, and awaits the callback of each", async () => {
  const logins: string[] = [];
  const contents = await userContentsOf(await storeOf(records), async ({ login }) => {
    await new Promise((resolve) => setTimeout(resolve, 1));
    logins.push(login);
  });
  assertEquals([contents.users, logins], [2, ["alice", "carol"]]);
  assertEquals(contents.digest, await sha256(records.slice(0, 2).map(lineOf).join("")));
  assertEquals((await userContentsOf(new TableStore(), ignore)).users, 0);
});

Deno.test("unmatchedRecords() yields the records that the other store lacks or holds with other fields", async () => {
  const rows: readonly [other: readonly StoredRecord[], unmatched: readonly StoredRecord[]][] = [
    [[], records],
    [records, []],
    [[putUser("aaron"), ...records, putUser("zoe"), putSession("carol", "s2"), putTicket("t0"), secretOf("a")], []],
    [records.slice(1), records.slice(0, 1)],
    [records.slice(0, -1), records.slice(-1)],
    [records.toSpliced(1, 1), records.slice(1, 2)],
    [records.with(1, putUser("carol", { disabled: true })), records.slice(1, 2)],
    [records.with(2, putSession("alice", "s1", { lastSeenAt: 1 })), records.slice(2, 3)],
    // Kinds have their own ids.
    [[putUser("alice", { id: "s1" }), putTicket("s1"), secretOf("s1")], records],
    [records.with(4, secretOf("decoy", "x")), records.slice(4)],
  ];
  for (const [other, unmatched] of rows) {
    let count = 0;
    const stores = [await storeOf(records), await storeOf(other)] as const;
    assertEquals(
      await Array.fromAsync(unmatchedRecords(stores[0], { other: stores[1], onRecord: () => count++ })),
      unmatched,
    );
    assertEquals(count, 5);
  }
  const nothing = unmatchedRecords(await storeOf([]), { other: new UnreadableStore(), onRecord: ignore });
  assertEquals(await Array.fromAsync(nothing), []);
});

Deno.test("contentsOf() and unmatchedRecords() reject a store that breaks the promised order", async () => {
  for (const disordered of [records.toReversed(), [putUser("alice"), putUser("alice")]]) {
    const store = new DisorderedStore(disordered);
    await assertRejects(() => contentsOf(store, ignore), TypeError, "not in the order of their ids");
    const other = new TableStore();
    await assertRejects(
      () => Array.fromAsync(unmatchedRecords(store, { other, onRecord: ignore })),
      TypeError,
      "not in the order",
    );
  }
});

class DisorderedStore extends TableStore {
  readonly #records: readonly StoredRecord[];

  constructor(records: readonly StoredRecord[]) {
    super();
    this.#records = records;
  }

  override async *records(): AsyncGenerator<readonly StoredRecord[]> {
    yield await Promise.resolve(this.#records);
  }
}

class UnreadableStore extends TableStore {
  override records(): AsyncIterable<readonly StoredRecord[]> {
    throw new Error("Nobody was to read this");
  }
}

async function storeOf(records: readonly StoredRecord[]): Promise<TableStore> {
  const store = new TableStore();
  await store.insertRecords(records);
  return store;
}

function putUser(login: string, changes: Partial<User> = {}): StoredRecord {
  return { kind: "user", record: userOf(login, changes) };
}

function putSession(login: string, id: string, changes: Partial<Session> = {}): StoredRecord {
  return { kind: "session", record: sessionOf(login, id, changes) };
}

function putTicket(secretHash: string, changes: Partial<Ticket> = {}): StoredRecord {
  return { kind: "ticket", record: ticketOf(secretHash, changes) };
}

/** Each field as a change of its own. */
function fieldsOf<Item extends object>(item: Item): Partial<Item>[] {
  return Object.entries(item).map(([name, value]) => ({ [name]: value }) as Partial<Item>);
}

function lineOf(record: StoredRecord): string {
  const fields = Object.entries(record.record).sort(([one], [other]) => one < other ? -1 : 1);
  return `${JSON.stringify([`put-${record.kind}`, fields])}\n`;
}

async function sha256(text: string): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text))).toHex();
}
