/**
 * Changes to bytes and back: the payload of a frame is the structured clone of a list of runs, in order.
 *
 *     run := [1, ids, logins, passwordHashes, registeredAts, groups with commas, disableds]    users put
 *          | [2, logins]                                                                       users deleted
 *          | [3, ids, logins, secretHashes, createdAts, lastSeenAts, userAgents, addresses]     sessions put
 *          | [4, ids]                                                                          sessions deleted
 *          | [5, secretHashes, purposes, logins, expiresAts]                tickets put, as format 1 has them
 *          | [6, secretHashes]                                                             tickets deleted
 *          | [7, secretHashes, purposes, logins, expiresAts, ids, makers, createdAts]          tickets put
 *
 * A run is a number of changes of one kind, by columns: records as objects would repeat the names of their fields, and
 * as lists would be a list each, whose making and clearing away took a third of the time of decoding. One call
 * serializes a whole batch, as the call costs about 17 µs whatever it is given.
 */

import { deserialize, serialize } from "node:v8";
import type { Change, Session, Ticket, User } from "../store.ts";
import { checkedRun } from "./run.ts";
import { idOfOldTicket } from "./ticket_rules.ts";

/** Most users have no group: they share this one list, which saves 16 bytes a user in memory. */
const noGroups: readonly string[] = Object.freeze([]);

/** The bytes of `changes`, in their order. */
export function encodeChanges(changes: readonly Change[]): Uint8Array {
  const runs: unknown[][] = [];
  for (let start = 0, end; start < changes.length; start = end) {
    const kind = changes[start]?.kind;
    for (end = start + 1; changes[end]?.kind === kind;) end++;
    runs.push(toRun(changes.slice(start, end)));
  }
  return serialize(runs);
}

/**
 * The changes of which `bytes` were made.
 *
 * A right checksum does not say who made the bytes: a backup may come from anywhere. So the time and memory they cost
 * are linear in their number, and every value is checked.
 *
 * @throws {TypeError} they are not what `encodeChanges` makes
 * @throws {Error} they are no structured clone, or one that is nested too deeply
 */
export function decodeChanges(bytes: Uint8Array): Change[] {
  const runs: unknown = deserialize(bytes);
  if (!Array.isArray(runs)) throw new TypeError("Invalid changes: not a list");
  const changes: Change[] = [];
  const columns = new Set<unknown>();
  // By index: methods skip the holes of a list, and one of 4,294,967,295 holes has 12 bytes and takes 30 s.
  for (let index = 0; index < runs.length; index++) {
    for (const change of fromRun(runs[index], columns)) changes.push(change);
  }
  return changes;
}

/** @param changes at least one, all of one kind */
function toRun(changes: readonly Change[]): unknown[] {
  const users: User[] = [];
  const sessions: Session[] = [];
  const tickets: Ticket[] = [];
  const keys: string[] = [];
  for (const change of changes) {
    if (change.kind === "put-user") users.push(change.user);
    else if (change.kind === "put-session") sessions.push(change.session);
    else if (change.kind === "put-ticket") tickets.push(change.ticket);
    else keys.push(keyOf(change));
  }
  switch (changes[0]?.kind) {
    case "put-user":
      return [
        1,
        column(users, (user) => user.id),
        column(users, (user) => user.login),
        column(users, (user) => user.passwordHash),
        column(users, (user) => user.registeredAt),
        column(users, (user) => user.groups.join()),
        column(users, (user) => user.disabled),
      ];
    case "put-session":
      return [
        3,
        column(sessions, (session) => session.id),
        column(sessions, (session) => session.login),
        column(sessions, (session) => session.secretHash),
        column(sessions, (session) => session.createdAt),
        column(sessions, (session) => session.lastSeenAt),
        column(sessions, (session) => session.userAgent),
        column(sessions, (session) => session.address),
      ];
    case "put-ticket":
      return [
        7,
        column(tickets, (ticket) => ticket.secretHash),
        column(tickets, (ticket) => ticket.purpose),
        column(tickets, (ticket) => ticket.login),
        column(tickets, (ticket) => ticket.expiresAt),
        column(tickets, (ticket) => ticket.id),
        column(tickets, (ticket) => ticket.maker),
        column(tickets, (ticket) => ticket.createdAt),
      ];
    case "delete-user":
      return [2, keys];
    case "delete-session":
      return [4, keys];
    default:
      return [6, keys];
  }
}

/** What names the record that is deleted. */
function keyOf(change: Exclude<Change, { kind: `put-${string}` }>): string {
  switch (change.kind) {
    case "delete-user":
      return change.login;
    case "delete-session":
      return change.id;
    case "delete-ticket":
      return change.secretHash;
  }
}

/** Not by `map`: its result counts as one with holes, of which each index is serialized too, 2 bytes a field. */
function column<Item>(records: readonly Item[], field: (record: Item) => unknown): unknown[] {
  const values: unknown[] = [];
  for (const record of records) values.push(field(record));
  return values;
}

/** @param seen the columns of the runs before; those of this one are added */
function fromRun(run: unknown, seen: Set<unknown>): Change[] {
  const [kind, ...columns] = checkedRun(run);
  for (const column of columns) {
    // A clone can name one list many times, at 2 bytes each: 1 MB of that could be 10,000,000,000 changes.
    if (seen.has(column)) throw new TypeError("Invalid changes: two columns are one list");
    seen.add(column);
  }
  switch (kind) {
    case 1: {
      const [ids, logins, hashes, dates, groups, disableds] = columns;
      return ids.map((id: string, row: number): Change => ({
        kind: "put-user",
        user: {
          id,
          login: logins[row],
          passwordHash: hashes[row],
          registeredAt: dates[row],
          groups: groups[row] === "" ? noGroups : groups[row].split(","),
          disabled: disableds[row],
        },
      }));
    }
    case 2:
      return columns[0].map((login: string): Change => ({ kind: "delete-user", login }));
    case 3: {
      const [ids, logins, hashes, createdAts, lastSeenAts, userAgents, addresses] = columns;
      return ids.map((id: string, row: number): Change => ({
        kind: "put-session",
        session: {
          id,
          login: logins[row],
          secretHash: hashes[row],
          createdAt: createdAts[row],
          lastSeenAt: lastSeenAts[row],
          userAgent: userAgents[row],
          address: addresses[row],
        },
      }));
    }
    case 4:
      return columns[0].map((id: string): Change => ({ kind: "delete-session", id }));
    case 5:
    case 7: {
      // Format 1 has no more than the first four.
      const [hashes, purposes, logins, expiresAts, ids, makers, createdAts] = columns;
      return hashes.map((secretHash: string, row: number): Change => ({
        kind: "put-ticket",
        ticket: {
          id: ids?.[row] ?? idOfOldTicket(secretHash),
          secretHash,
          purpose: purposes[row],
          login: logins[row],
          maker: makers?.[row] ?? "",
          createdAt: createdAts?.[row] ?? 0,
          expiresAt: expiresAts[row],
        },
      }));
    }
    default:
      return columns[0].map((secretHash: string): Change => ({ kind: "delete-ticket", secretHash }));
  }
}
