/**
 * The locks of changes in memory: of a login, of a ticket, of all tickets, of all administrators. They are acquired in
 * this order, and those of two logins in alphabetical order, so that changes never deadlock.
 *
 * A change holds its locks from the check to the end of its commit.
 */

import { KeyedLock } from "../../keyed_lock.ts";
import { type Actor, type Change, isAdmin, type User } from "../../store.ts";
import type { Tables } from "./tables.ts";

/** These and the keys of single tickets contain a space, so no login equals them. */
const ticketsKey = "all tickets";
const adminsKey = "all admins";

/** The locks of one store, with the checks that need them. */
export class TableLocks {
  readonly #tables: Tables;
  readonly #lock = new KeyedLock();

  constructor(tables: Tables) {
    this.#tables = tables;
  }

  ofLogin<Outcome>(login: string, change: () => Promise<Outcome>): Promise<Outcome> {
    return this.#lock.run(login, change);
  }

  ofTickets<Outcome>(change: () => Promise<Outcome>): Promise<Outcome> {
    return this.#lock.run(ticketsKey, change);
  }

  /**
   * Runs `change` under the locks of the login and of the actor, unless the actor has lost the rights. Every change that
   * takes them away needs the lock of the actor too.
   */
  async as<Outcome>(
    { actor, login }: { actor: Actor | undefined; login: string },
    change: () => Promise<Outcome>,
  ): Promise<Outcome | "forbidden"> {
    if (actor === undefined) return await this.#lock.run(login, change);
    const checked = async () => this.#mayAct(actor) ? await change() : "forbidden" as const;
    const own = actor.session.login;
    if (own === login) return await this.#lock.run(login, checked);
    const [first, second] = own < login ? [own, login] : [login, own];
    return await this.#lock.run(first, () => this.#lock.run(second, checked));
  }

  /** Runs `change` with the deletion of the ticket, if one is given. Of parallel changes only one finds the ticket. */
  async withTicket<Outcome>(
    secretHash: string | undefined,
    change: (used: readonly Change[]) => Promise<Outcome>,
  ): Promise<Outcome | "no-ticket"> {
    if (secretHash === undefined) return await change([]);
    return await this.#lock.run(`ticket ${secretHash}`, async () => {
      if (this.#tables.tickets.get(secretHash) === undefined) return "no-ticket";
      return await change([{ kind: "delete-ticket", secretHash }]);
    });
  }

  /** Runs `change` unless it removes the last administrator. One at a time, as two could remove each other. */
  async keepingAnAdmin<Outcome>(
    { login, next }: { login: string; next?: User },
    change: () => Promise<Outcome>,
  ): Promise<Outcome | "last-admin"> {
    const isAdminNow = () => isAdminUser(this.#tables.users.get(login));
    if (!isAdminNow() || isAdminUser(next)) return await change();
    return await this.#lock.run(adminsKey, async () => {
      if (isAdminNow() && this.#tables.adminCount === 1) return "last-admin";
      return await change();
    });
  }

  #mayAct({ session, asAdmin }: Actor): boolean {
    if (this.#tables.sessions.get(session.id) === undefined) return false;
    return !asAdmin || isAdminUser(this.#tables.users.get(session.login));
  }
}

function isAdminUser(user: User | undefined): boolean {
  return user !== undefined && isAdmin(user);
}
