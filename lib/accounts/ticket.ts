/**
 * Tickets: single-use codes for registration, or for a new password without the old one.
 *
 * A code is 32 random bytes as base64url. It is shown once, to its maker; only its SHA-256 is stored. A fast hash
 * suffices, as 256 random bits cannot be guessed. All invalid codes have the same outcome. A ticket acts with the
 * rights of its maker and is void without them, see `lib/store/rules.ts`.
 */

import { hash, randomBytes } from "node:crypto";
import { ulid } from "@std/ulid";
import { hostWithPort, type Listen } from "../config/listen.ts";
import type { Store, Ticket } from "../store.ts";

/** A ticket that is not stored yet, and its code. */
export interface NewTicket {
  readonly ticket: Ticket;
  readonly code: string;
}

interface TicketOptions extends Pick<Ticket, "login" | "maker"> {
  readonly now: number;
  readonly ttlMs: number;
  /** By default a random one. */
  readonly code?: string;
}

/** Creates a ticket; the caller stores it. @param options `login` "" allows any; `maker` "" is the service */
export function createTicket(purpose: Ticket["purpose"], options: TicketOptions): NewTicket {
  const { login, maker, now, ttlMs, code = randomBytes(32).toString("base64url") } = options;
  const times = { createdAt: now, expiresAt: now + ttlMs };
  return { ticket: { id: ulid(now), secretHash: hashCode(code), purpose, login, maker, ...times }, code };
}

/** The text that a start without an administrator prints. @param address where the service listens */
export function setupNotice(made: NewTicket, address: Deno.Addr): string {
  const use = "There is no administrator yet: register with this ticket to become the administrator";
  return `${ticketNotice(made, { use, address, note: "; the next start of any instance prints a new one instead" })}\n`;
}

/**
 * The code of a ticket for the person at the terminal: its use, its end, and a link. The page reads what follows "#" in
 * the link, which browsers do not send: see `routes/page/link.js`.
 */
export function ticketNotice(
  { ticket: { purpose, login, expiresAt }, code }: NewTicket,
  { use, address, note = "" }: { use: string; address: Deno.Addr | Listen; note?: string },
): string {
  const name = purpose === "reset" ? "reset" : "ticket";
  const fragment = `#${new URLSearchParams({ [name]: code, ...login !== "" && { login } })}`;
  const link = "hostname" in address && address.port !== 0
    ? `On this machine: ${localOrigin(address)}/${fragment} (behind a proxy, the same at its address)`
    : `The link is the address of the page with ${fragment} at its end`;
  return `${use}: ${code}\nIt is valid once, until ${new Date(expiresAt).toISOString()}${note}. ${link}`;
}

/** A listener at every address is reached as localhost. */
function localOrigin(address: { readonly hostname: string; readonly port: number }): string {
  const isAny = ["0.0.0.0", "::"].includes(address.hostname);
  return `http://${isAny ? `localhost:${address.port}` : hostWithPort(address)}`;
}

interface FindOptions {
  readonly store: Store;
  readonly purposes: readonly Ticket["purpose"][];
  /** By default any. */
  readonly login?: string;
  readonly now: number;
}

/** Finds the ticket of a code, if it is for one of the purposes and this login, and has not expired at `now`. */
export async function findGoodTicket(code: string, options: FindOptions): Promise<Ticket | undefined> {
  const { store, purposes, login, now } = options;
  const ticket = await store.findTicket(hashCode(code));
  if (ticket === undefined || !purposes.includes(ticket.purpose) || now >= ticket.expiresAt) return undefined;
  return ticket.login === "" || ticket.login === (login ?? ticket.login) ? ticket : undefined;
}

function hashCode(code: string): string {
  return hash("sha256", code, "hex");
}
