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
import { idOfOldTicket } from "./memory/ticket_rules.ts";

/** Most users have no group: they share this one list, which saves 16 bytes a user in memory. */
const noGroups: readonly string[] = Object.freeze([]);

/** Of the version of structured clones that V8 has written since format 1; older ones mean other things by the tags. */
const leastVersion = 15;
/** What begins each part of a clone. V8 writes a list by index that may have holes, though it has none. */
const tags = {
  version: 0xff,
  padding: 0x00,
  text: 0x22,
  wideText: 0x63,
  integer: 0x49,
  double: 0x4e,
  true: 0x54,
  false: 0x46,
  list: 0x41,
  listEnd: 0x24,
  listByIndex: 0x61,
  listByIndexEnd: 0x40,
} as const;

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
  requirePlain(bytes);
  const runs: unknown = deserialize(bytes);
  if (!Array.isArray(runs)) throw new TypeError("Invalid changes: not a list");
  const changes: Change[] = [];
  // By index: methods skip the holes of a list.
  for (let index = 0; index < runs.length; index++) {
    for (const change of fromRun(runs[index])) changes.push(change);
  }
  return changes;
}

/**
 * Refuses a structured clone of anything but lists, texts, numbers and booleans, or of lists that are longer than the
 * bytes that their items take. V8 makes room for a list before it reads the items: 200 lists without any, 11 bytes
 * each, took all memory, which ends the process. Nor may a list be named again, at 2 bytes: 1 MB of that could be
 * 10,000,000,000 changes.
 *
 * What `serialize` writes is a sequence of tags, each followed by its own data (V8, `value-serializer.cc`).
 */
function requirePlain(bytes: Uint8Array): void {
  let at = 2;
  let itemCount = 0;
  const number = () => {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = bytes[at++] ?? 0;
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value >>> 0;
    }
    throw new TypeError("Invalid changes: a number in the clone is too long");
  };
  if (bytes[0] !== tags.version || (bytes[1] ?? 0) < leastVersion) throw new TypeError("Invalid changes: no clone");
  while (at < bytes.length) {
    const tag = bytes[at++];
    if (tag === tags.text || tag === tags.wideText) {
      // A statement of its own: `at += number()` would add to what `at` was before.
      const length = number();
      at += length;
    } else if (tag === tags.integer) number();
    else if (tag === tags.double) at += 8;
    else if (tag === tags.list || tag === tags.listByIndex) itemCount += number();
    else if (tag === tags.listEnd || tag === tags.listByIndexEnd) (number(), number());
    else if (tag !== tags.true && tag !== tags.false && tag !== tags.padding) {
      throw new TypeError(`Invalid changes: the clone has something else than lists, at byte ${at - 1}`);
    }
    if (itemCount > bytes.length) throw new TypeError("Invalid changes: a list is longer than its items");
  }
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

function fromRun(run: unknown): Change[] {
  const [kind, ...columns] = checkedRun(run);
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
