/**
 * Every pair of changes that concern one login, at once: what comes of it is what one of the two orders gives.
 *
 * The two orders are tried in memory, one change after the other, so every implementation must also agree with that.
 */

import { assert, assertEquals, equal } from "@std/assert";
import { type Actor, adminGroup, type Credential, type Store } from "../../../lib/store.ts";
import { TableStore } from "../../../lib/store/memory/table_store.ts";
import { credentialOf, sessionOf, sessionsIn, siteOf, ticketOf, userOf } from "../../support/store/records.ts";
import { testContended } from "../../support/store/stores.ts";

/** Records of one login, whose names are those of no other. */
class Scene {
  readonly user;
  readonly actor: Actor;
  readonly #name: string;

  constructor(name: string) {
    this.#name = name;
    this.user = userOf(name, { id: `id of ${name}`, groups: [adminGroup] });
    this.actor = { session: this.session("first"), asAdmin: true };
  }

  session(which: string) {
    return sessionOf(this.#name, `${which} of ${this.#name}`);
  }

  /** Made by the user. */
  invitation(which: string) {
    return ticketOf(`${which} of ${this.#name}`, { maker: this.user.id, login: `guest-of-${this.#name}` });
  }

  reset(which: string) {
    return ticketOf(`${which} of ${this.#name}`, { purpose: "reset", login: this.#name });
  }

  loginTicket(purpose: "login" | "site" = "login") {
    return ticketOf(`${purpose} of ${this.#name}`, { purpose, login: this.#name });
  }

  credential(which: string, changes: Partial<Credential> = {}) {
    return credentialOf(this.#name, `${which} of ${this.#name}`, { counter: 9, ...changes });
  }

  /** A use of the passkey after the password. */
  get proof() {
    const current = this.credential("passkey");
    return { ticketHash: this.loginTicket().secretHash, use: { current, next: { ...current, counter: 1 } } };
  }

  async prepare(store: Store): Promise<void> {
    await store.insertUser(this.user);
    for (const which of ["first", "second"]) await store.insertSession(this.session(which), this.user);
    await store.insertTicket(this.reset("reset"));
    await store.insertTicket(this.invitation("invitation"));
    for (const purpose of ["login", "site"] as const) await store.insertTicket(this.loginTicket(purpose));
    await store.insertCredentials(this.user, [
      this.credential("passkey"),
      this.credential("code", { kind: "recovery" }),
    ]);
  }

  /** All that is kept of it, without the name that is its own. */
  async kept(store: Store): Promise<unknown> {
    const invitations = ["invitation", "other 0", "other 1"].map((which) => this.invitation(which));
    const tickets = [
      this.loginTicket(),
      this.loginTicket("site"),
      ...["reset", "later 0", "later 1"].map((which) => this.reset(which)),
      ...invitations,
    ];
    const kept = {
      user: await store.findUser(this.#name),
      guest: await store.findUser(this.guest.login),
      sessions: await sessionsIn(store, this.#name),
      credentials: await store.listCredentials(this.#name),
      tickets: await Promise.all(tickets.map(({ secretHash }) => store.findTicket(secretHash))),
    };
    return JSON.parse(JSON.stringify(kept).replaceAll(this.#name, "x"));
  }

  get guest() {
    return userOf(`guest-of-${this.#name}`, { id: `id of guest of ${this.#name}` });
  }
}

/** @param index which of the two it is: each makes a record of its own */
type Operation = (store: Store, scene: Scene, index: number) => Promise<unknown>;

const operations: Record<string, Operation> = {
  "register again": (store, { user }) => store.insertUser({ ...user, id: `another ${user.id}`, groups: [] }),
  "register by a ticket": (store, scene) => store.insertUser(scene.guest, scene.invitation("invitation").secretHash),
  "disable": (store, { user }) => store.replaceUser(user, { ...user, disabled: true }),
  "demote": (store, { user }) => store.replaceUser(user, { ...user, groups: [] }),
  "change the password": (store, { user, actor }) =>
    store.replaceUser(user, { ...user, passwordHash: "new" }, { keepSessionId: actor.session.id, actor }),
  "reset the password": (store, scene) => {
    const { user } = scene;
    const options = { keepSessionId: "", ticketHash: scene.reset("reset").secretHash };
    return store.replaceUser(user, { ...user, passwordHash: "reset" }, options);
  },
  "delete the user": (store, { user }) => store.deleteUser(user),
  "log in": (store, scene, index) => store.insertSession(scene.session(`new ${index}`), scene.user),
  "log in by two factors": (store, scene, index) =>
    store.insertSession(scene.session(`new ${index}`), scene.user, scene.proof),
  "step up by a recovery code": (store, scene) => {
    const use = { current: scene.credential("code", { kind: "recovery" }), next: undefined };
    return store.updateSession(scene.session("first").id, scene.user, {
      factors: ["recovery"],
      authenticatedAt: 1_800_000_000_000,
      use,
    });
  },
  "log in at a site": (store, scene, index) => {
    const site = siteOf(`https://${index}.example.org`);
    return store.updateSession(scene.session("first").id, scene.user, {
      ticketHash: scene.loginTicket("site").secretHash,
      site,
    });
  },
  "log in at a site again": (store, scene) =>
    store.updateSession(scene.session("first").id, scene.user, { site: siteOf("https://git.example.org") }),
  "rename a passkey": (store, scene, index) => {
    const current = scene.credential("passkey");
    return store.useCredential({ current, next: { ...current, name: `new ${index}` } }, { actor: scene.actor });
  },
  "delete a passkey": (store, scene) =>
    store.deleteCredentials(scene.user.login, { id: scene.credential("passkey").id }),
  "replace the recovery codes": (store, scene, index) =>
    store.insertCredentials(scene.user, [scene.credential(`new ${index}`, { kind: "recovery" })], {
      actor: scene.actor,
    }),
  "use a session": (store, scene) => store.touchSession(scene.session("first").id, 1_800_000_000_000),
  "log out": (store, scene) => store.deleteSession(scene.session("first").id),
  "log out everywhere": (store, { user }) => store.deleteSessions(user.login),
  "make a reset": (store, scene, index) => store.insertTicket(scene.reset(`later ${index}`), { target: scene.user }),
  "invite": (store, scene, index) => store.insertTicket(scene.invitation(`other ${index}`), { actor: scene.actor }),
  "withdraw a ticket": (store, scene) => store.deleteTicket(scene.invitation("invitation").id),
};

interface Outcome {
  readonly results: readonly unknown[];
  readonly kept: unknown;
}

/** What one operation after the other gives, in memory. @param order of the two in the pair */
async function inTurn(pair: readonly [string, string], order: readonly number[]): Promise<Outcome> {
  const store = new TableStore();
  // So that none is the last.
  await store.insertUser(userOf("root", { groups: [adminGroup] }));
  const scene = new Scene("x");
  await scene.prepare(store);
  const results: unknown[] = [];
  for (const index of order) results[index] = await operations[pair[index] ?? ""]?.(store, scene, index);
  return { results, kept: await scene.kept(store) };
}

function inBothOrders(pair: readonly [string, string]): Promise<Outcome[]> {
  return Promise.all([inTurn(pair, [0, 1]), inTurn(pair, [1, 0])]);
}

const names = Object.keys(operations);
const pairs = names.flatMap((first, index) => names.slice(index).map((second) => [first, second] as const));

Deno.test("inBothOrders() tells the orders of some pairs from each other", async () => {
  const orders = await Promise.all(pairs.map(inBothOrders));
  const differing = orders.filter(([one, other]) => JSON.stringify(one) !== JSON.stringify(other));
  assert(differing.length > pairs.length / 3, `${differing.length} of ${pairs.length}`);
});

testContended("does any two changes of a login at once as one after the other", async (store) => {
  await store.insertUser(userOf("root", { groups: [adminGroup] }));
  for (const [number, pair] of pairs.entries()) {
    const scene = new Scene(`name${number}`);
    await scene.prepare(store);
    const results = await Promise.all(pair.map((name, index) => operations[name]?.(store, scene, index)));
    const outcome = { results, kept: await scene.kept(store) };
    const orders = await inBothOrders(pair);
    const isInTurn = orders.some((order) => equal(order, outcome));
    if (!isInTurn) assertEquals(outcome, orders[0], pair.join(" and "));
  }
});
