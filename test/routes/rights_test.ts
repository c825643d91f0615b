/**
 * Rights that go while a request is answered: while its body comes, while a password is hashed, and right before the
 * change. Whatever of it needs those rights is refused, in every store.
 */

import { assert, assertEquals } from "@std/assert";
import type { Store, User } from "../../lib/store.ts";
import { type AdminApp, newPassword, openAdminApp, outcomeOf, sessionIdOf } from "../support/accounts.ts";
import { alice } from "../support/app.ts";
import { makeAppPassword } from "../support/factors/credentials.ts";
import { beginTotp } from "../support/factors/set_up.ts";
import { dripping } from "../support/dripping_body.ts";
import { testStores } from "../support/store/stores.ts";

/** Who loses the rights, and whom the request is about. */
interface Scene {
  readonly opened: AdminApp;
  /** An administrator, besides root. */
  readonly actor: string;
  readonly actorId: string;
  /** Of the actor's session. */
  readonly token: string;
  readonly target: string;
  /** Of the target's session. */
  readonly targetToken: string;
  /** The id of a ticket of root's. */
  readonly ticketId: string;
  /** The id of a credential of the target's. */
  readonly credentialId: string;
}

/** The moment at which the rights go. */
type Moment = "body" | "hash" | "change";

interface Row {
  readonly route: string;
  /** Prepares what the body needs. @returns the body */
  readonly json?: (scene: Scene) => Promise<unknown> | unknown;
  /** Whether the request goes by a ticket of the actor, and not by the actor's session. */
  readonly isByTicket?: boolean;
  /** Whether it is about the actor's own account. */
  readonly isOwn?: boolean;
  readonly moments: readonly Moment[];
  /** What it is answered with when the actor is no administrator any more; by default 403 forbidden. */
  readonly demoted?: string;
}

const noTicket = "403 ticket-invalid";

const rows: readonly Row[] = [
  { route: "PATCH /user/:target", json: () => ({ groups: ["admin"] }), moments: ["body", "change"] },
  { route: "PATCH /user/:target", json: () => ({ disabled: true }), moments: ["body", "change"] },
  { route: "PATCH /user/:actor", json: () => ({ groups: ["admin"], disabled: false }), moments: ["body", "change"] },
  { route: "POST /ticket/", json: () => ({ purpose: "register" }), moments: ["body", "change"] },
  { route: "POST /ticket/", json: ({ target }) => ({ purpose: "reset", login: target }), moments: ["body", "change"] },
  { route: "DELETE /ticket/:ticket", moments: ["change"] },
  { route: "DELETE /user/:target", moments: ["change"] },
  { route: "DELETE /user/:target/session/", moments: ["change"] },
  { route: "DELETE /user/:target/credential/", moments: ["change"] },
  { route: "DELETE /user/:target/credential/:credential", moments: ["change"] },
  { route: "DELETE /user/:target/session/:session", moments: ["change"] },
  {
    route: "PUT /user/:actor/password",
    json: () => ({ current_password: alice.password, password: newPassword }),
    isOwn: true,
    moments: ["body", "hash", "change"],
    demoted: "204",
  },
  { route: "POST /user/:actor/recovery-code/", isOwn: true, moments: ["change"], demoted: "201" },
  {
    route: "POST /user/:actor/totp/",
    json: async ({ opened, actor, token }) => {
      const { setup_token, code } = await beginTotp(opened, { login: actor, token });
      return { setup_token, code: code() };
    },
    isOwn: true,
    moments: ["body", "change"],
    demoted: "201",
  },
  { route: "DELETE /user/:actor/credential/", isOwn: true, moments: ["change"], demoted: "204" },
  {
    route: "POST /session/authentication/",
    json: () => ({ password: alice.password }),
    isOwn: true,
    moments: ["body", "change"],
    demoted: "200",
  },
  { route: "DELETE /user/:actor", isOwn: true, moments: ["change"], demoted: "204" },
  { route: "DELETE /user/:actor/session/", isOwn: true, moments: ["change"], demoted: "204" },
  {
    route: "PUT /user/:target/password",
    json: async (scene) => ({ ticket: await makeTicket(scene, "reset"), password: newPassword }),
    isByTicket: true,
    moments: ["body", "hash", "change"],
    demoted: noTicket,
  },
  {
    route: "POST /user/",
    json: async (scene) => ({ ...alice, login: `${scene.target}-new`, ticket: await makeTicket(scene, "register") }),
    isByTicket: true,
    moments: ["body", "hash", "change"],
    demoted: noTicket,
  },
];

/** How rights go, and what is said then to whom has a session. */
const fates: Readonly<Record<string, (store: Store, user: User, sessionId: string) => Promise<unknown>>> = {
  "is demoted": (store, user) => store.replaceUser(user, { ...user, groups: [] }),
  "is disabled": (store, user) => store.replaceUser(user, { ...user, disabled: true }),
  "is deleted": (store, user) => store.deleteUser(user),
  "logs out": (store, _, sessionId) => store.deleteSession(sessionId),
  "is logged out everywhere": (store, user) => store.deleteSessions(user.login),
};

async function makeTicket({ opened, token, target }: Scene, purpose: "register" | "reset"): Promise<unknown> {
  const json = { purpose, ...purpose === "reset" && { login: target } };
  const reply = await opened.send("POST", "/ticket/", { token, json });
  assertEquals(outcomeOf(reply), "201");
  return reply.json.ticket;
}

for (const [fate, takeAway] of Object.entries(fates)) {
  testStores(`refuses what needs the rights of an administrator who ${fate} meanwhile`, async (store) => {
    const watched = watch(store);
    const opened = await openAdminApp({ store: watched.store });
    let number = 0;
    for (const row of rows) {
      for (const moment of row.moments) {
        const scene = await openScene(opened, ++number);
        const what = `${row.route} ${moment}`;
        const before = await othersOf(store, scene);
        const outcome = await send(row, scene, { moment, watched, takeAway });
        // A ticket is void when all of the maker's sessions were ended, and not when one was.
        const isKept = row.isByTicket && fate === "logs out";
        if (isKept) {
          assert(/^20[14]$/.test(outcome), `${what}: ${outcome}`);
          continue;
        }
        const expected = row.isByTicket
          ? noTicket
          : fate === "is demoted"
          ? row.demoted ?? "403 forbidden"
          : "401 not-authenticated";
        assertEquals(outcome, expected, what);
        if (!row.isOwn) assertEquals(await othersOf(store, scene), before, what);
      }
    }
  });
}

/** Registers an administrator and another user, and logs both in. */
async function openScene(opened: AdminApp, number: number): Promise<Scene> {
  const [actor, target] = [`grace-${number}`, `bob-${number}`];
  const targetToken = await opened.addUser(target);
  const token = await opened.addUser(actor);
  const json = { groups: ["admin"] };
  const reply = await opened.send("PATCH", `/user/${actor}`, { token: opened.admin, json });
  assertEquals(outcomeOf(reply), "200");
  const made = await opened.send("POST", "/ticket/", { token: opened.admin, json: { purpose: "register" } });
  const ticketId = String(made.json.id);
  const { id: credentialId } = await makeAppPassword(opened, target, { token: targetToken });
  return { opened, actor, actorId: String(reply.json.id), token, target, targetToken, ticketId, credentialId };
}

/** All that a refused request must not change: the target, who else is there, and what is not the actor's. */
async function othersOf(store: Store, { actor, actorId }: Scene): Promise<unknown> {
  const records = (await Array.fromAsync(store.records())).flat();
  return records.filter((record) => {
    if (record.kind === "secret") return true;
    return record.kind === "ticket" ? record.record.maker !== actorId : record.record.login !== actor;
  });
}

interface Watched {
  readonly store: Store;
  /** Called once, before the next change. */
  before: (() => Promise<unknown>) | undefined;
}

const changes = new Set(
  ["insertUser", "replaceUser", "deleteUser", "deleteSession", "deleteSessions"]
    .concat(["insertTicket", "deleteTicket", "insertCredentials", "deleteCredential", "deleteCredentials"])
    .concat(["updateSession"]),
);

/** The store, with something to happen between the look at it and the change. */
function watch(store: Store): Watched {
  const watched: { before: Watched["before"] } = { before: undefined };
  const proxy = new Proxy(store, {
    get(_, name) {
      const value = Reflect.get(store, name, store);
      if (typeof value !== "function") return value;
      return async (...all: unknown[]) => {
        const { before } = watched;
        if (changes.has(String(name))) {
          watched.before = undefined;
          await before?.();
        }
        return await value.apply(store, all);
      };
    },
  });
  return Object.assign(watched, { store: proxy });
}

interface SendingOptions {
  readonly moment: Moment;
  readonly watched: Watched;
  readonly takeAway: (store: Store, user: User, sessionId: string) => Promise<unknown>;
}

/** Sends the request, and takes the rights away at the moment. @returns the outcome */
async function send(row: Row, scene: Scene, { moment, watched, takeAway }: SendingOptions): Promise<string> {
  const { opened, actor, token, target, targetToken, ticketId, credentialId } = scene;
  const { hasher, store } = opened.app;
  const json = await row.json?.(scene);
  const [method = "", template = ""] = row.route.split(" ");
  const path = template.replace(":actor", actor).replace(":target", target).replace(":ticket", ticketId)
    .replace(":session", sessionIdOf(targetToken)).replace(":credential", credentialId);
  let isTaken = false;
  const take = async () => {
    const user = await store.findUser(actor);
    assert(user !== undefined && !isTaken);
    isTaken = true;
    await takeAway(store, user, sessionIdOf(token));
  };
  const hash = hasher.hash.bind(hasher);
  if (moment === "change") watched.before = take;
  if (moment === "hash") {
    hasher.hash = async (...all) => {
      await take();
      return await hash(...all);
    };
  }
  const body = json === undefined ? {} : moment === "body" ? { body: dripping(json, take) } : { json };
  const headers = { "content-type": "application/json" };
  const reply = await opened.send(method, path, { ...body, headers, ...!row.isByTicket && { token } });
  hasher.hash = hash;
  assert(isTaken, `${row.route} ${moment}`);
  return outcomeOf(reply);
}
