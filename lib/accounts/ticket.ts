/**
 * Tickets: single-use codes that let somebody register, or set a password without the old one.
 *
 * A code is 32 random bytes as base64url and is shown once, to whoever made it. Only its SHA-256 is kept: a fast hash
 * will do, as nobody guesses 256 random bits. Every way in which a code is bad has one outcome: none. A ticket acts
 * with the rights of its maker, and is void once they have gone: see `lib/store/memory/ticket_rules.ts`.
 */

import { hash } from "node:crypto";
import { ulid } from "@std/ulid";
import { hostWithPort } from "../config/listen.ts";
import type { Store, Ticket } from "../store.ts";

const codeBytes = 32;

export interface NewTicket {
  readonly ticket: Ticket;
  /** Given away, once, and kept nowhere. */
  readonly code: string;
}

/**
 * Makes a ticket; it is not stored yet.
 *
 * @param login the only one that it is for; "" is any. @param maker its administrator's `User.id`; "" is the service
 */
export function createTicket(
  purpose: Ticket["purpose"],
  options: { login: string; maker: string; now: number; ttlMs: number },
): NewTicket {
  const { login, maker, now, ttlMs } = options;
  const code = crypto.getRandomValues(new Uint8Array(codeBytes))
    .toBase64({ alphabet: "base64url", omitPadding: true });
  const ticket: Ticket = {
    id: ulid(now),
    secretHash: hashCode(code),
    purpose,
    login,
    maker,
    createdAt: now,
    expiresAt: now + ttlMs,
  };
  return { ticket, code };
}

/**
 * What a start without an administrator prints. What follows "#" in the link is sent to no server, and is read by the
 * page: see `routes/page/link.js`.
 *
 * @param address where the service listens; a socket has no page that a browser could open
 */
export function setupNotice({ ticket, code }: NewTicket, address: Deno.Addr): string {
  const origin = originAt(address);
  const link = origin === undefined
    ? ""
    : `. On this machine: ${origin}/#ticket=${code} (behind a proxy, the same at its address)`;
  return `There is no administrator yet: register with this ticket to become the administrator: ${code}\n` +
    `It is good once, until ${new Date(ticket.expiresAt).toISOString()}; a restart prints a new one${link}\n`;
}

/** Where a browser on this machine reaches the service. */
function originAt(address: Deno.Addr): string | undefined {
  if (address.transport !== "tcp") return undefined;
  const { hostname, port } = address;
  // These two mean every address to a listener, and none to whoever connects.
  if (hostname === "0.0.0.0" || hostname === "::") return `http://localhost:${port}`;
  return `http://${hostWithPort(address)}`;
}

/** The ticket of a code, if there is one, for one of the purposes and this login, and not expired at `now`. */
export async function findGoodTicket(
  code: string,
  options: { store: Store; purposes: readonly Ticket["purpose"][]; login: string; now: number },
): Promise<Ticket | undefined> {
  const { store, purposes, login, now } = options;
  const ticket = await store.findTicket(hashCode(code));
  if (ticket === undefined || !purposes.includes(ticket.purpose) || now >= ticket.expiresAt) return undefined;
  return ticket.login === "" || ticket.login === login ? ticket : undefined;
}

function hashCode(code: string): string {
  return hash("sha256", code, "hex");
}
