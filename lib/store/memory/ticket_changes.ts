/** What `TableStore` does with tickets. There are few, as administrators create them, so they have no index. */

import type { Change, Ticket, TicketOptions, TicketPage } from "../../store.ts";
import type { TicketQuery } from "../queries.ts";
import { isSameUser } from "../rules.ts";
import type { TableLocks, Tables, TableStorage } from "./tables.ts";

/** Adds a ticket, as `Store.insertTicket`. */
export function insertTicket(
  storage: TableStorage,
  ticket: Ticket,
  { actor, target, locks }: TicketOptions & { readonly locks: TableLocks },
): Promise<"done" | "missing" | "stale" | "forbidden"> {
  return locks.as({ actor, login: ticket.login }, () =>
    locks.ofTickets(async () => {
      const user = storage.tables.users.get(ticket.login);
      if (ticket.purpose === "reset" && user === undefined) return "missing";
      if (target !== undefined && !isSameUser(user, target)) return "stale";
      const isReplaced = (other: Ticket) => other.purpose === "setup" && other.secretHash !== ticket.secretHash;
      const replaced = ticket.purpose === "setup" ? ticketDeletions(storage.tables, isReplaced) : [];
      await storage.commit([{ kind: "put-ticket", ticket }, ...replaced]);
      return "done";
    }));
}

/** Returns a page of valid tickets. There are few, as administrators create them. */
export function ticketPageOf(tables: Tables, { limit, after = "", now }: TicketQuery): TicketPage {
  const valid = Array.from(tables.tickets.values())
    .filter((ticket) => ticket.purpose !== "setup" && ticket.expiresAt > now && isMadeByAdmin(ticket, tables))
    .sort((one, other) => one.id < other.id ? -1 : 1);
  const later = valid.filter(({ id }) => id > after);
  const tickets = later.slice(0, limit).map((ticket) => ({ ticket, madeBy: tables.adminOf(ticket.maker)?.login }));
  return { tickets, total: valid.length, next: later.length > limit ? tickets.at(-1)?.ticket.id : undefined };
}

/** Reports whether the maker is an administrator now, or the service itself. */
export function isMadeByAdmin({ maker }: Ticket, tables: Tables): boolean {
  return maker === "" || tables.adminOf(maker) !== undefined;
}

/** Reports whether a ticket resets the password of this user. */
export function isResetOf({ purpose, login }: Ticket, ofLogin: string): boolean {
  return purpose === "reset" && login === ofLogin;
}

/** Returns the changes that delete tickets. */
export function ticketDeletions(tables: Tables, isDeleted: (ticket: Ticket) => boolean): Change[] {
  return Array.from(tables.tickets.values()).filter(isDeleted)
    .map(({ secretHash }) => ({ kind: "delete-ticket", secretHash }));
}
