/** Users, sessions and tickets for tests of stores: whole records, told apart by their login and number. */

import type { Session, Ticket, User } from "../../../lib/store.ts";

/** A user of that login; `changes` say what is special about it. */
export function userOf(login: string, changes: Partial<User> = {}): User {
  return {
    id: `01M81Q8R1S${login.slice(0, 16).toUpperCase().padStart(16, "0")}`,
    login,
    passwordHash: `$pbkdf2-sha256$i=1$${"s".repeat(22)}$${"h".repeat(43)}`,
    registeredAt: 1_795_343_739_123,
    groups: [],
    disabled: false,
    ...changes,
  };
}

/** A session of `login`; `id` is any text here. */
export function sessionOf(login: string, id: string, changes: Partial<Session> = {}): Session {
  return {
    id,
    login,
    secretHash: "5e".repeat(32),
    createdAt: 1_795_343_740_000,
    lastSeenAt: 1_795_343_740_000,
    userAgent: "curl/8",
    address: "192.0.2.1",
    ...changes,
  };
}

/** A ticket for anyone's registration; `secretHash` is any text here. */
export function ticketOf(secretHash: string, changes: Partial<Ticket> = {}): Ticket {
  return { secretHash, purpose: "register", login: "", expiresAt: 1_900_000_000_000, ...changes };
}
