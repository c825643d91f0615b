// What lib/store.ts promises of credentials, and of the sessions and tickets of users that have some.
import { assert, assertEquals, assertFalse } from "@std/assert";
import { type Credential, type CredentialUse, isSecondFactor, type Store } from "../../../lib/store.ts";
import { maxCredentials } from "../../../lib/store/rules.ts";
import { credentialOf, deleteByLogin, sessionOf, sessionsIn, ticketOf, userOf } from "../../support/store/records.ts";
import { testContended, testStores } from "../../support/store/stores.ts";

const alice = userOf("alice");
const bob = userOf("bob");
const passkey = credentialOf("alice", "p1");
const totp = credentialOf("alice", alice.id, { id: "totp", kind: "totp", name: "", secret: "JBSWY3DPEHPK3PXP" });
const codes = ["r1", "r2"].map((key) => credentialOf("alice", key, { kind: "recovery", name: "", secret: "" }));
const loginTicket = ticketOf("t1", { purpose: "login", login: "alice" });
const used: CredentialUse = { current: passkey, next: { ...passkey, lastUsedAt: 5, counter: 4, signCount: 3 } };

/** Alice with a passkey, TOTP and recovery codes; bob with a passkey. */
async function fill(store: Store): Promise<void> {
  for (const user of [alice, bob]) assertEquals(await store.insertUser(user), "done");
  assertEquals(await store.insertCredentials(alice, [totp, ...codes]), "done");
  assertEquals(await store.insertCredentials(alice, [passkey]), "done");
  assertEquals(await store.insertCredentials(bob, [credentialOf("bob", "p2")]), "done");
}

async function keysOf(store: Store, login = "alice"): Promise<string> {
  return (await store.listCredentials(login)).map(({ key }) => key).join();
}

testStores("keeps credentials of a user, and finds each by its kind and key", async (store) => {
  await fill(store);
  const listed = await store.listCredentials("alice");
  assertEquals(listed, [passkey, ...codes, totp].toSorted((one, other) => one.id < other.id ? -1 : 1));
  assertEquals(await store.findCredential("passkey", "p1"), { credential: passkey, user: alice });
  assertEquals(await store.findCredential("totp", alice.id), { credential: totp, user: alice });
  assertEquals(await store.findCredential("recovery", "p1"), undefined);
  assertEquals(await store.findCredential("passkey", "p3"), undefined);
  assertEquals(await store.findCredential("passkey", "p\0"), undefined);
  assertEquals(await store.listCredentials("nobody"), []);
});

testStores("replaces TOTP and recovery codes by new ones, and nothing else", async (store) => {
  await fill(store);
  const next = { ...totp, id: "new totp", secret: "NEW" };
  assertEquals(await store.insertCredentials(alice, [next, credentialOf("alice", "p4", { id: "p4" })]), "done");
  assertEquals((await store.findCredential("totp", alice.id))?.credential, next);
  assertEquals(await keysOf(store), `p1,r1,r2,${alice.id},p4`);
  assertEquals(await store.insertCredentials(alice, [{ ...codes[0], key: "r3" } as Credential]), "done");
  assertEquals(await keysOf(store), `p1,r3,${alice.id},p4`);
});

testStores("adds no credential to another user than was meant, nor one whose key exists", async (store) => {
  await fill(store);
  const added = credentialOf("alice", "p3");
  assertEquals(await store.insertCredentials({ ...alice, id: "former" }, [added]), "stale");
  assertEquals(await store.insertCredentials({ ...alice, passwordHash: "former" }, [added]), "stale");
  assertEquals(await store.insertCredentials({ ...alice, disabled: true }, [added]), "stale");
  assertEquals(await store.insertCredentials(userOf("nobody"), [credentialOf("nobody", "p3")]), "stale");
  assertEquals(await store.insertCredentials(bob, [credentialOf("bob", "p3"), credentialOf("bob", "p1")]), "taken");
  assertEquals(await store.insertCredentials(alice, [credentialOf("alice", "p1", { id: "other" })]), "taken");
  assertEquals(await store.findCredential("passkey", "p3"), undefined);
  assertEquals(await keysOf(store), `p1,r1,r2,${alice.id}`);
});

testStores("makes one credential of a secret of TOTP, and one of a challenge for a passkey", async (store) => {
  await fill(store);
  for (const again of [{ ...totp, id: "again" }, { ...passkey, id: "again", key: "again" }]) {
    assertEquals(await store.insertCredentials(alice, [again, { ...codes[0], key: "r3" } as Credential]), "taken");
  }
  assertEquals(await keysOf(store), `p1,r1,r2,${alice.id}`);
  // A challenge is one user's, and another secret or challenge makes another credential.
  assertEquals(await store.insertCredentials(bob, [credentialOf("bob", "p3", { counter: passkey.counter })]), "done");
  assertEquals(await store.insertCredentials(alice, [{ ...totp, secret: "NEW" }, credentialOf("alice", "p4")]), "done");
  const app = credentialOf("alice", "a1", { kind: "app-password", secret: "NEW", counter: passkey.counter });
  assertEquals(await store.insertCredentials(alice, [app]), "done");
});

testStores("keeps at most 50 credentials of a user besides recovery codes", async (store) => {
  await fill(store);
  const more = Array.from({ length: maxCredentials - 2 }, (_, index) => credentialOf("alice", `x${index}`));
  assertEquals(await store.insertCredentials(alice, [...more, credentialOf("alice", "y")]), "full");
  assertEquals(await store.insertCredentials(alice, more), "done");
  assertEquals(await store.insertCredentials(alice, [credentialOf("alice", "y")]), "full");
  assertEquals(
    await store.insertCredentials(alice, codes.map((code) => ({ ...code, key: `new ${code.key}` }))),
    "done",
  );
  assertEquals(await store.insertCredentials(alice, [{ ...totp, id: "new totp", secret: "NEW" }]), "done");
  assertEquals((await store.listCredentials("alice")).length, maxCredentials + 2);
  // Those of others do not count.
  assertEquals(await store.insertCredentials(bob, [credentialOf("bob", "y")]), "done");
});

testStores("uses a credential only as it was read", async (store) => {
  await fill(store);
  for (const field of [{ id: "x" }, { name: "x" }, { lastUsedAt: 1 }, { counter: 1 }, { signCount: 1 }]) {
    assertEquals(await store.useCredential({ ...used, current: { ...passkey, ...field } }), "stale");
  }
  assertEquals(await store.useCredential(used), "done");
  assertEquals((await store.findCredential("passkey", "p1"))?.credential, used.next);
  assertEquals(await store.useCredential(used), "stale");
  const [code] = codes;
  assert(code !== undefined);
  assertEquals(await store.useCredential({ current: code, next: undefined }), "done");
  assertEquals(await store.useCredential({ current: code, next: undefined }), "stale");
  assertEquals(await keysOf(store), `p1,r2,${alice.id}`);
});

testStores("deletes a credential that was used meanwhile, and no namesake", async (store) => {
  await fill(store);
  await store.useCredential(used);
  assertEquals(await store.deleteCredentials("alice", { id: "another" }), 0);
  assertEquals(await store.deleteCredentials("bob", { id: passkey.id }), 0);
  assertEquals(await store.deleteCredentials("alice", { id: passkey.id }), 1);
  assertEquals(await store.deleteCredentials("alice", { id: passkey.id }), 0);
  assertEquals(await keysOf(store), `r1,r2,${alice.id}`);
  assertEquals(await store.deleteCredentials("alice"), 3);
  assertEquals(await store.deleteCredentials("alice"), 0);
  assertEquals(await store.deleteCredentials("nobody\0"), 0);
  assertEquals(await keysOf(store, "bob"), "p2");
});

testStores("keeps a passkey or TOTP of a user who must have one, of any number deleted at once", async (store) => {
  await fill(store);
  const keep = { keepsFactor: true };
  const outcomes = await Promise.all(
    [passkey, totp].map((one) => store.deleteCredentials("alice", { id: one.id, ...keep })),
  );
  assertEquals(outcomes.sort(), [1, "last"]);
  const [last] = (await store.listCredentials("alice")).filter(isSecondFactor);
  assert(last !== undefined);
  assertEquals(await store.deleteCredentials("alice", { id: last.id, ...keep }), "last");
  assertEquals(await store.deleteCredentials("alice", keep), "last");
  assertEquals(await store.deleteCredentials("alice", { id: "another", ...keep }), 0);
  assertEquals(await store.deleteCredentials("alice", { id: last.id }), 1);
});

testStores("keeps the credentials of a disabled user, and deletes those of a deleted one", async (store) => {
  await fill(store);
  const disabled = { ...alice, disabled: true };
  await store.replaceUser(alice, disabled);
  assertEquals(await store.findCredential("passkey", "p1"), { credential: passkey, user: disabled });
  assertFalse(await store.insertSession(sessionOf("alice", "s1"), disabled, { use: used }));
  await store.replaceUser(disabled, alice);
  assertEquals(await keysOf(store), `p1,r1,r2,${alice.id}`);
  await deleteByLogin(store, "alice");
  assertEquals(await store.findCredential("passkey", "p1"), undefined);
  // The login may be another's now.
  const namesake = userOf("alice", { id: "another" });
  await store.insertUser(namesake);
  assertEquals(await store.listCredentials("alice"), []);
  assertEquals(await store.insertCredentials(namesake, [{ ...passkey, id: "new" }]), "done");
  assertEquals(await store.deleteCredentials("alice", { id: passkey.id }), 0);
});

testStores("opens a session, uses a credential and uses up a ticket in one change", async (store) => {
  await fill(store);
  await store.insertTicket(loginTicket, { target: alice });
  const session = sessionOf("alice", "s1", { factors: ["password", "passkey"], authenticatedAt: 7 });
  const missing = { ticketHash: "t2", use: used };
  assertFalse(await store.insertSession(session, alice, missing));
  const stale = { ticketHash: "t1", use: { ...used, current: { ...passkey, counter: 1 } } };
  assertFalse(await store.insertSession(session, alice, stale));
  // Nothing was done by halves.
  assertEquals(await sessionsIn(store, "alice"), []);
  assertEquals(await store.findTicket("t1"), loginTicket);
  assertEquals((await store.findCredential("passkey", "p1"))?.credential, passkey);

  assert(await store.insertSession(session, alice, { ticketHash: "t1", use: used, maxSessions: 5 }));
  assertEquals(await store.findSession("s1"), { session, user: alice });
  assertEquals(await store.findTicket("t1"), undefined);
  assertEquals((await store.findCredential("passkey", "p1"))?.credential, used.next);
  assertFalse(await store.insertSession(sessionOf("alice", "s2"), alice, { use: used }));
  assertFalse(await store.insertSession(sessionOf("alice", "s2"), alice, { ticketHash: "t1" }));
  assertEquals((await sessionsIn(store, "alice")).length, 1);
});

testStores("adds the factors and the time of a step-up to a session", async (store) => {
  await fill(store);
  const session = sessionOf("alice", "s1");
  await store.insertSession(session, alice);
  const authentication = { factors: ["password", "passkey"] as const, authenticatedAt: 9_000_000_000_000 };
  assert(await store.updateSession("s1", alice, { ...authentication, use: used }));
  const next = { ...session, ...authentication };
  assertEquals((await store.findSession("s1"))?.session, next);
  assertEquals(await sessionsIn(store, "alice"), [next]);
  for (const [id, user, use] of [["s1", alice, used], ["s2", alice], ["s\0", alice], ["s1", bob]] as const) {
    assertFalse(await store.updateSession(id, user, { ...authentication, factors: ["totp"], ...use && { use } }));
  }
  assertFalse(await store.updateSession("s1", { ...alice, passwordHash: "former" }, authentication));
  assertFalse(await store.updateSession("s1", { ...alice, id: "former" }, authentication));
  assertEquals((await store.findSession("s1"))?.session, next);
  // A clock that was set back brings all times back.
  await store.touchSession("s1", 1_795_343_740_001);
  const back = { lastSeenAt: 1_795_343_740_001, authenticatedAt: 1_795_343_740_001 };
  assertEquals((await store.findSession("s1"))?.session, { ...next, ...back });
});

testContended("lets one of any number of uses at once succeed", async (store) => {
  await fill(store);
  const [code] = codes;
  assert(code !== undefined);
  const uses: Readonly<Record<string, (index: number) => Promise<unknown>>> = {
    "a login by a passkey": (index) => store.insertSession(sessionOf("alice", `p${index}`), alice, { use: used }),
    "a step of TOTP": (index) => {
      const use = { current: totp, next: { ...totp, counter: 7 } };
      if (index % 2 === 0) return store.insertSession(sessionOf("alice", `c${index}`), alice, { use });
      return store.updateSession("s1", alice, { factors: ["totp"], authenticatedAt: index, use });
    },
    "a recovery code": (index) =>
      store.insertSession(sessionOf("alice", `r${index}`), alice, { use: { current: code, next: undefined } }),
    "a ticket": (index) => store.insertSession(sessionOf("alice", `t${index}`), alice, { ticketHash: "t1" }),
    "a new key": (index) => {
      const user = index % 2 === 0 ? alice : bob;
      return store.insertCredentials(user, [credentialOf(user.login, "new", { id: `${index}`, counter: index })]);
    },
    "a challenge for a passkey": (index) =>
      store.insertCredentials(alice, [credentialOf("alice", `new ${index}`, { counter: 99 })]),
    "a secret of TOTP": (index) => store.insertCredentials(alice, [{ ...totp, id: `totp ${index}`, secret: "NEW" }]),
  };
  await store.insertSession(sessionOf("alice", "s1"), alice);
  await store.insertTicket(loginTicket);
  for (const [title, use] of Object.entries(uses)) {
    const outcomes = await Promise.all(Array.from({ length: 10 }, (_, index) => use(index)));
    const successes = outcomes.filter((outcome) => outcome === true || outcome === "done");
    assertEquals(successes.length, 1, `${title}: ${outcomes}`);
  }
});

testContended("keeps no more credentials than the limit when many are added at once", async (store) => {
  await fill(store);
  const outcomes = await Promise.all(
    Array.from({ length: 4 }, (_, index) => {
      const added = Array.from({ length: 20 }, (_, number) => credentialOf("alice", `${index} ${number}`));
      return store.insertCredentials(alice, added);
    }),
  );
  assertEquals(outcomes.toSorted(), ["done", "done", "full", "full"]);
});
