// What lib/store.ts promises of tickets and their makers, and of changes that depend on somebody's rights, for every
// implementation.
import { assert, assertEquals } from "@std/assert";
import type { Store } from "../../../lib/store.ts";
import { TableStore } from "../../../lib/store/memory/table_store.ts";
import { deleteByLogin, ticketOf, userOf } from "../../support/store/records.ts";
import { testContended, testStores } from "../../support/store/stores.ts";
import { alice, asAdmin, bob, fill, madeBy, now, root, session } from "../../support/store/ticket_scene.ts";

/** How many tickets are kept, whether they are good or not. */
async function keptCount(store: Store): Promise<number> {
  return (await Array.fromAsync(store.records())).flat().filter(({ kind }) => kind === "ticket").length;
}

/** The ids of all tickets that are listed. */
async function listed(store: Store): Promise<string[]> {
  return (await store.listTickets({ limit: 100, now })).items.map(({ ticket }) => ticket.secretHash);
}

testStores("lists tickets by pages in order of their ids, with the login of the maker", async (store) => {
  await fill(store);
  const tickets = [
    madeBy(alice, "a", { id: "3", purpose: "reset", login: "bob" }),
    madeBy(root, "b", { id: "1", login: "nobody.yet" }),
    ticketOf("c", { id: "2" }),
    ticketOf("expired", { id: "4", expiresAt: now }),
    ticketOf("good", { id: "5", expiresAt: now + 1 }),
    ticketOf("setup", { id: "6", purpose: "setup" }),
  ];
  for (const ticket of tickets) assertEquals(await store.insertTicket(ticket), "done");
  const page = async (limit: number, after?: string) => {
    const { items: tickets, total, next } = await store.listTickets({
      limit,
      now,
      ...after !== undefined && { after },
    });
    return [tickets.map(({ ticket, madeBy }) => `${ticket.secretHash} by ${madeBy}`).join(), total, next];
  };
  const all = "b by root,c by undefined,a by alice,good by undefined";
  assertEquals(await page(9), [all, 4, undefined]);
  assertEquals(await page(4), [all, 4, undefined]);
  assertEquals(await page(3), ["b by root,c by undefined,a by alice", 4, "3"]);
  assertEquals(await page(3, "3"), ["good by undefined", 4, undefined]);
  assertEquals(await page(3, "5"), ["", 4, undefined]);
  assertEquals((await store.listTickets({ limit: 1, now })).items[0]?.ticket, tickets[1]);
});

testStores("deletes a ticket by its id, once, and none for the setup", async (store) => {
  await store.insertTicket(ticketOf("a", { id: "1" }));
  await store.insertTicket(ticketOf("setup", { id: "2", purpose: "setup" }));
  assertEquals(await store.deleteTicket("3"), "missing");
  assertEquals(await store.deleteTicket("2"), "missing");
  assertEquals(await store.deleteTicket("a\0"), "missing");
  assertEquals(await store.deleteTicket("1"), "done");
  assertEquals(await store.deleteTicket("1"), "missing");
  assertEquals([await store.findTicket("a"), (await store.findTicket("setup"))?.id], [undefined, "2"]);
});

testContended("either uses a ticket or deletes it", async (store) => {
  for (let round = 0; round < 10; round++) {
    await store.insertTicket(ticketOf(`t${round}`));
    const outcomes = await Promise.all([
      store.insertUser(userOf(`user${round}`), `t${round}`),
      store.deleteTicket(`id of t${round}`),
    ]);
    assert(["done,missing", "no-ticket,done"].includes(outcomes.join()), outcomes.join());
  }
});

/** What takes an administrator's tickets away; and what does not. */
const ends: Readonly<Record<string, (store: Store) => Promise<unknown>>> = {
  "is demoted": (store) => store.replaceUser(alice, { ...alice, groups: ["staff"] }),
  "is disabled": (store) => store.replaceUser(alice, { ...alice, disabled: true }),
  "is deleted": (store) => store.deleteUser(alice),
  "is logged out everywhere": (store) => store.deleteSessions("alice"),
  "gets another password": (store) => {
    return store.replaceUser(alice, { ...alice, passwordHash: "new" }, { keepSessionId: session.id });
  },
};
const others: Readonly<Record<string, (store: Store) => Promise<unknown>>> = {
  "gets other groups": (store) => store.replaceUser(alice, { ...alice, groups: ["staff", "admin"] }),
  "gets another hash of the password": (store) => store.replaceUser(alice, { ...alice, passwordHash: "new" }),
  "logs out": (store) => store.deleteSession(session.id),
  "loses another user": (store) => store.deleteUser(bob),
  "sees another demoted": (store) => store.replaceUser(root, { ...root, groups: [] }),
  "sees another logged out": (store) => store.deleteSessions("root"),
};

for (const [what, change] of [...Object.entries(ends), ...Object.entries(others)]) {
  const isEnd = what in ends;
  testStores(`${isEnd ? "voids" : "keeps"} the tickets of an administrator who ${what}`, async (store) => {
    await fill(store);
    await store.insertTicket(madeBy(alice, "register"));
    await store.insertTicket(madeBy(alice, "reset", { purpose: "reset", login: "root" }));
    await store.insertTicket(ticketOf("service's"));
    await change(store);
    assertEquals(await listed(store), isEnd ? ["service's"] : ["register", "reset", "service's"]);
    assertEquals([await store.findTicket("register") === undefined, await store.findTicket("reset") === undefined], [
      isEnd,
      isEnd,
    ]);
    if (!isEnd) return;
    assertEquals(await store.insertUser(userOf("carol"), "register"), "no-ticket");
    assertEquals(await store.replaceUser(root, { ...root, passwordHash: "x" }, { ticketHash: "reset" }), "no-ticket");
    // Not hidden, but gone: rights that come back bring no ticket back.
    assertEquals(await keptCount(store), 1);
  });
}

testContended("leaves no ticket of an administrator whose rights go at the same time", async (store) => {
  for (const [what, end] of Object.entries(ends)) {
    for (const user of [alice, bob, root]) await store.insertUser(user);
    await store.insertSession(session, alice);
    const hashes = Array.from({ length: 8 }, (_, index) => `${what} ${index}`);
    const tickets = hashes.map((hash, index) => {
      return madeBy(alice, hash, index % 2 === 0 ? {} : { purpose: "reset", login: "bob" });
    });
    const making = tickets.slice(0, 4).map((ticket) => store.insertTicket(ticket, { actor: asAdmin }));
    const ending = end(store);
    making.push(...tickets.slice(4).map((ticket) => store.insertTicket(ticket, { actor: asAdmin })));
    const outcomes = await Promise.all(making);
    assert(outcomes.every((outcome) => outcome === "done" || outcome === "forbidden"), outcomes.join());
    await ending;
    if (store instanceof TableStore && what !== "gets another password") {
      assertEquals(outcomes.slice(4), hashes.slice(4).map(() => "forbidden"), what);
    }
    // After a new password the session that set it goes on, and may have made the tickets that came later.
    if (what !== "gets another password") assertEquals(await keptCount(store), 0, what);
    await store.deleteSessions("alice");
    assertEquals(await keptCount(store), 0, what);
    await deleteByLogin(store, "alice");
  }
});

testStores("finds no ticket whose maker administers no more, whoever took that away", async (store) => {
  await fill(store);
  // As an older version leaves them, which knows nothing of makers.
  await store.insertRecords([
    { kind: "ticket", record: madeBy(bob, "of bob") },
    { kind: "ticket", record: madeBy(userOf("carol"), "of nobody") },
    { kind: "ticket", record: madeBy(alice, "of alice") },
  ]);
  const found = await Promise.all(["of bob", "of nobody", "of alice"].map((hash) => store.findTicket(hash)));
  assertEquals(found.map((ticket) => ticket?.secretHash), [undefined, undefined, "of alice"]);
  assertEquals(await listed(store), ["of alice"]);
  assertEquals((await store.listTickets({ limit: 9, now })).total, 1);
});

testStores(
  "voids tickets for a reset of a user who becomes an administrator, and keeps those of one who is",
  async (store) => {
    await fill(store);
    const insert = () => store.insertTicket(ticketOf("reset", { purpose: "reset", login: "bob" }));
    const promoted = { ...bob, groups: ["admin"] };
    await insert();
    assertEquals(await store.replaceUser(bob, { ...bob, groups: ["staff"] }), "done");
    assertEquals(await listed(store), ["reset"]);
    assertEquals(await store.replaceUser({ ...bob, groups: ["staff"] }, promoted), "done");
    assertEquals(await listed(store), []);
    await insert();
    assertEquals(await store.replaceUser(promoted, { ...promoted, disabled: true }), "done");
    assertEquals(await store.replaceUser({ ...promoted, disabled: true }, promoted), "done");
    assertEquals(await listed(store), ["reset"]);
  },
);
