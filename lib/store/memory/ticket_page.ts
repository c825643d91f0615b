/** What is told of the tickets in tables in memory. They are few, as administrators make them: no index is needed. */

import type { ListedTicket, Ticket, TicketPage, TicketQuery } from "../../store.ts";
import type { Tables } from "./tables.ts";

/** Whether the maker administers the register now, or is the service itself. */
export function isMadeByAdmin({ maker }: Ticket, tables: Tables): boolean {
  return maker === "" || tables.adminOf(maker) !== undefined;
}

/** The page that a query asks for. */
export function ticketPageOf(tables: Tables, { limit, after = "", now }: TicketQuery): TicketPage {
  const open = Array.from(tables.tickets())
    .filter((ticket) => ticket.purpose !== "setup" && ticket.expiresAt > now && isMadeByAdmin(ticket, tables))
    .sort((one, other) => one.id < other.id ? -1 : 1);
  const behind = open.filter(({ id }) => id > after);
  const tickets = behind.slice(0, limit)
    .map((ticket): ListedTicket => ({ ticket, madeBy: tables.adminOf(ticket.maker)?.login }));
  return { tickets, total: open.length, next: behind.length > limit ? tickets.at(-1)?.ticket.id : undefined };
}
