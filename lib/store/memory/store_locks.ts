/**
 * The locks under which changes in memory are made: of a login, of a ticket, of all tickets, of all admins. They are
 * taken in this order, and of two logins the first in the alphabet first, so that no two changes wait for each other.
 *
 * A change holds its locks from the look at what is kept to the end of its commit. What it may not do is a value.
 */

import { KeyedLock } from "../../keyed_lock.ts";
import { type Actor, type Change, isAdmin, type User } from "../../store.ts";
import type { Tables } from "./tables.ts";

/** Locks of their own, as that of each ticket: no login has a space. */
const ticketsKey = "all tickets";
const adminsKey = "all admins";

/** The locks of one store, and what they are held for. */
export class StoreLocks {
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
   * Runs `change` under the locks of the login and of the actor's, unless the actor's rights have gone: whatever takes
   * them away needs the actor's lock too.
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

  /** Runs `change` with what uses up the ticket, if there is one, so that of any number at once one finds it. */
  async withTicket<Outcome>(
    ticketHash: string | undefined,
    change: (used: readonly Change[]) => Promise<Outcome>,
  ): Promise<Outcome | "no-ticket"> {
    if (ticketHash === undefined) return await change([]);
    return await this.#lock.run(`ticket ${ticketHash}`, async () => {
      if (this.#tables.ticket(ticketHash) === undefined) return "no-ticket";
      return await change([{ kind: "delete-ticket", secretHash: ticketHash }]);
    });
  }

  /** Runs `change` unless it takes away the last admin: one at a time, as two admins could each remove the other. */
  async keepingAnAdmin<Outcome>(
    { login, next }: { login: string; next?: User },
    change: () => Promise<Outcome>,
  ): Promise<Outcome | "last-admin"> {
    const isAdminNow = () => isAdminUser(this.#tables.user(login));
    if (!isAdminNow() || isAdminUser(next)) return await change();
    return await this.#lock.run(adminsKey, async () => {
      if (isAdminNow() && this.#tables.adminCount === 1) return "last-admin";
      return await change();
    });
  }

  #mayAct({ session, asAdmin }: Actor): boolean {
    if (this.#tables.session(session.id) === undefined) return false;
    return !asAdmin || isAdminUser(this.#tables.user(session.login));
  }
}

function isAdminUser(user: User | undefined): boolean {
  return user !== undefined && isAdmin(user);
}
