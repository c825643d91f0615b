// What lib/store.ts promises of tickets for logins and for logins at a site, for every implementation.
import { assert, assertEquals } from "@std/assert";
import { maxPendingLogins } from "../../../lib/store/rules.ts";
import { deleteByLogin, ticketOf, userOf } from "../../support/store/records.ts";
import { testStores } from "../../support/store/stores.ts";
import { alice, bob, fill } from "../../support/store/ticket_scene.ts";

for (const purpose of ["login", "site"] as const) {
  const ticket = ticketOf("t1", { purpose, login: "alice" });

  testStores(`keeps the latest tickets of a user for a ${purpose}, and other tickets`, async (store) => {
    await fill(store);
    const another = purpose === "login" ? "site" : "login";
    await store.insertTicket(ticketOf("another", { id: "1", purpose: another, login: "alice" }));
    const ticketFor = (login: string, index: number) =>
      ticketOf(`${login}${index}`, { id: `${1_000 + index}`, purpose, login, createdAt: index });
    for (const login of ["bob", "alice"]) {
      const count = login === "bob" ? 1 : maxPendingLogins + 2;
      for (let index = 0; index < count; index++) {
        assertEquals(await store.insertTicket(ticketFor(login, index)), "done");
      }
    }
    const found = async (...names: string[]) =>
      (await Promise.all(names.map((name) => store.findTicket(name)))).map(Boolean);
    assertEquals(await found("another", "bob0", "alice0", "alice1", "alice2", `alice${maxPendingLogins + 1}`), [
      true,
      true,
      false,
      false,
      true,
      true,
    ]);
  });

  testStores(
    `makes a ticket for a ${purpose} only of a user who can log in, whose groups may change`,
    async (store) => {
      await fill(store);
      const login = { ...ticket, login: "bob" };
      assertEquals(await store.insertTicket({ ...login, login: "nobody" }, { target: userOf("nobody") }), "missing");
      for (const field of [{ id: "another" }, { passwordHash: "former" }]) {
        assertEquals(await store.insertTicket(login, { target: { ...bob, ...field } }), "stale");
      }
      await store.replaceUser(bob, { ...bob, disabled: true });
      assertEquals(await store.insertTicket(login, { target: bob }), "stale");
      await store.replaceUser({ ...bob, disabled: true }, { ...bob, groups: ["staff"] });
      assertEquals(await store.insertTicket(login, { target: bob }), "done");
    },
  );

  testStores(`voids a ticket for a ${purpose} with the password, the rights or the user it was for`, async (store) => {
    await store.insertUser(alice);
    assertEquals(await store.insertTicket({ ...ticket, login: "nobody" }), "missing");
    assertEquals(await store.insertTicket(ticket, { target: { ...alice, passwordHash: "former" } }), "stale");
    const changes: readonly (readonly [title: string, isVoid: boolean, change: () => Promise<unknown>])[] = [
      ["another group", false, () => store.replaceUser(alice, { ...alice, groups: ["staff"] })],
      ["a hash of another kind", false, () => store.replaceUser(alice, { ...alice, passwordHash: "x" })],
      ["a logout on all devices", false, () => store.deleteSessions("alice")],
      ["a new password", true, () => store.replaceUser(alice, { ...alice, passwordHash: "x" }, { keepSessionId: "" })],
      ["disabling", true, () => store.replaceUser(alice, { ...alice, disabled: true })],
      ["deletion", true, () => store.deleteUser(alice)],
    ];
    for (const [title, isVoid, change] of changes) {
      await deleteByLogin(store, "alice");
      await store.insertUser(alice);
      await store.insertUser(userOf("root", { groups: ["admin"] }));
      await store.deleteTicket("id of t2");
      assertEquals(await store.insertTicket(ticket, { target: alice }), "done");
      await store.insertTicket(ticketOf("t2", { purpose, login: "root" }));
      await change();
      assertEquals(await store.findTicket("t1"), isVoid ? undefined : ticket, title);
      assert(await store.findTicket("t2") !== undefined, title);
    }
  });

  testStores(`shows tickets for a ${purpose} to no administrator, and deletes them when they expire`, async (store) => {
    await store.insertUser(alice);
    await store.insertTicket(ticket);
    await store.insertTicket(ticketOf("t2", { purpose: "reset", login: "alice" }));
    const { items, total } = await store.listTickets({ limit: 5, now: 1 });
    assertEquals([items.map(({ ticket }) => ticket.secretHash), total], [["t2"], 1]);
    assertEquals(await store.deleteTicket(ticket.id), "missing");
    assertEquals(await store.deleteExpiredTickets(ticket.expiresAt - 1), 0);
    assertEquals(await store.findTicket("t1"), ticket);
    assertEquals(await store.deleteExpiredTickets(ticket.expiresAt), 2);
    assertEquals(await store.findTicket("t1"), undefined);
  });
}
