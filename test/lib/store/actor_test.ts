// What lib/store.ts promises of changes that depend on the rights of their actor, or on the user they were meant for.
import { assertEquals } from "@std/assert";
import type { Actor, ReplaceOptions, Store } from "../../../lib/store.ts";
import { credentialOf, deleteByLogin, sessionOf, ticketOf, userOf } from "../../support/store/records.ts";
import { testContended, testStores } from "../../support/store/stores.ts";
import { alice, asAdmin, bob, fill, madeBy, now, root, session } from "../../support/store/ticket_scene.ts";

const asSelf: Actor = { session, asAdmin: false };

testStores("deletes the user that was meant, as they were, and no namesake", async (store) => {
  await fill(store);
  for (const field of [{ groups: ["x"] }, { disabled: true }, { passwordHash: "x" }]) {
    assertEquals(await store.deleteUser({ ...bob, ...field }), "stale");
  }
  assertEquals(await store.deleteUser({ ...bob, id: "former" }), "missing");
  // Not even when the namesake could not be deleted.
  assertEquals(await store.deleteUser(root), "done");
  assertEquals(await store.deleteUser({ ...alice, id: "former" }), "missing");
  assertEquals(await store.deleteUser({ ...alice, groups: [] }), "stale");
  assertEquals(await store.findUser("bob"), bob);
  assertEquals(await store.deleteUser(bob), "done");
  assertEquals(await store.deleteUser(bob), "missing");
});

testContended("deletes no namesake who registers at the same time", async (store) => {
  for (let round = 0; round < 10; round++) {
    const former = userOf("carol", { id: `former ${round}` });
    const namesake = userOf("carol", { id: `namesake ${round}` });
    await store.insertUser(former);
    const register = async () => {
      while (await store.insertUser(namesake) === "taken");
    };
    await Promise.all([store.deleteUser(former), register(), store.deleteUser(former), store.deleteUser(former)]);
    assertEquals(await store.findUser("carol"), namesake);
    await store.deleteUser(namesake);
  }
});

/** Everything that is done by somebody's rights, to bob. @returns whether it was done */
const acts: Readonly<Record<string, (store: Store, actor: Actor) => Promise<boolean>>> = {
  "a replacement": async (store, actor) => {
    return await store.replaceUser(bob, { ...bob, groups: ["admin"] }, { actor }) === "done";
  },
  "a new password": async (store, actor) => {
    const options: ReplaceOptions = { actor, keepSessionId: "" };
    return await store.replaceUser(bob, { ...bob, passwordHash: "new" }, options) === "done";
  },
  "a deletion": async (store, actor) => await store.deleteUser(bob, { actor }) === "done",
  "an invitation": async (store, actor) => await store.insertTicket(madeBy(alice, "t1"), { actor }) === "done",
  "a reset": async (store, actor) => {
    const reset = madeBy(alice, "t2", { purpose: "reset", login: "bob" });
    return await store.insertTicket(reset, { actor, target: bob }) === "done";
  },
  "an end of a ticket": async (store, actor) => await store.deleteTicket("id of of root", { actor }) === "done",
  "an end of a session": async (store, actor) => await store.deleteSession("session of bob", { actor }),
  "a new passkey": async (store, actor) => {
    return await store.insertCredentials(bob, [credentialOf("bob", "c2")], { actor }) === "done";
  },
  "another name of a passkey": async (store, actor) => {
    const use = { current: credentialOf("bob", "c1"), next: credentialOf("bob", "c1", { name: "new" }) };
    return await store.useCredential(use, { actor }) === "done";
  },
  "an end of a passkey": async (store, actor) => {
    return await store.deleteCredentials("bob", { id: credentialOf("bob", "c1").id, actor }) === 1;
  },
  "an end of all passkeys": async (store, actor) => await store.deleteCredentials("bob", { actor }) === 1,
  "an end of all sessions": async (store, actor) => await store.deleteSessions("bob", { actor }) === 1,
};

/** What has become of alice, and whether it leaves her the rights of an administrator, and those of herself. */
const fates:
  readonly (readonly [what: string, change: (store: Store) => Promise<unknown>, admin: boolean, self: boolean])[] = [
    ["nothing", () => Promise.resolve(), true, true],
    ["she gets another group", (store) => store.replaceUser(alice, { ...alice, groups: ["admin", "x"] }), true, true],
    ["she is seen", (store) => store.touchSession(session.id, now), true, true],
    ["she is demoted", (store) => store.replaceUser(alice, { ...alice, groups: [] }), false, true],
    ["she is disabled", (store) => store.replaceUser(alice, { ...alice, disabled: true }), false, false],
    ["she is deleted", (store) => store.deleteUser(alice), false, false],
    ["she logs out", (store) => store.deleteSession(session.id), false, false],
    ["she is logged out everywhere", (store) => store.deleteSessions("alice"), false, false],
    [
      "she becomes another",
      async (store) => {
        await store.deleteUser(alice);
        await store.insertUser({ ...alice, id: "another" });
        await store.insertSession({ ...session, id: "another session" }, { ...alice, id: "another" });
      },
      false,
      false,
    ],
  ];

for (const [fate, change, admin, self] of fates) {
  testStores(`makes a change by the rights that are left when ${fate}`, async (store) => {
    await fill(store);
    await change(store);
    for (const [act, run] of Object.entries(acts)) {
      for (const [actor, isAllowed] of [[asAdmin, admin], [asSelf, self]] as const) {
        await deleteByLogin(store, "bob");
        await store.insertUser(bob);
        await store.insertSession(sessionOf("bob", "session of bob"), bob);
        await store.insertTicket(madeBy(root, "of root"));
        await store.insertCredentials(bob, [credentialOf("bob", "c1")]);
        const before = (await Array.fromAsync(store.records())).flat();
        assertEquals(await run(store, actor), isAllowed, `${act} ${actor.asAdmin}`);
        const after = (await Array.fromAsync(store.records())).flat();
        if (!isAllowed) assertEquals(after, before, act);
      }
    }
  });
}

testContended(
  "makes changes of two administrators to each other, all at once, and none waits for ever",
  async (store) => {
    await fill(store);
    const ofRoot = sessionOf("root", "session of root");
    await store.insertSession(ofRoot, root);
    const changes = Array.from({ length: 20 }, (_, index) => {
      const [actor, target] = index % 2 === 0
        ? [{ session, asAdmin: true }, "root"]
        : [{ session: ofRoot, asAdmin: true }, "alice"];
      return index % 4 < 2
        ? store.deleteSession(`none ${index}`, { actor })
        : store.insertTicket(ticketOf(`t${index}`, { purpose: "reset", login: target }), { actor });
    });
    const outcomes = await Promise.all(changes);
    assertEquals(outcomes.filter((outcome) => outcome === "done").length, 10);
    // The first to come takes the other's rights away.
    const demotions = await Promise.all([
      store.replaceUser(root, { ...root, groups: [] }, { actor: asAdmin }),
      store.replaceUser(alice, { ...alice, groups: [] }, { actor: { session: ofRoot, asAdmin: true } }),
    ]);
    assertEquals(demotions.toSorted(), ["done", "forbidden"]);
    assertEquals(await store.countAdmins(), 1);
  },
);
