/**
 * Changes to bytes and back: the payload of a frame is the structured clone of a list of rows.
 *
 *     row := [1, id, login, passwordHash, registeredAt, groups, disabled]           put a user
 *          | [2, login]                                                             delete a user
 *          | [3, id, login, secretHash, createdAt, lastSeenAt, userAgent, address]  put a session
 *          | [4, id]                                                                delete a session
 *
 * Rows are lists, as objects would repeat the names of their fields in each: 158 bytes a user against 231. One
 * call serializes a whole batch, as the call costs about 17 µs whatever it is given.
 */

import { deserialize, serialize } from "node:v8";
import type { Change } from "../store.ts";

/** Most users have no group: they share this one list, which saves 16 bytes a user in memory. */
const noGroups: readonly string[] = Object.freeze([]);

/** The bytes of `changes`, in their order. */
export function encodeChanges(changes: readonly Change[]): Uint8Array {
  return serialize(changes.map(toRow));
}

/**
 * The changes of which `bytes` were made.
 *
 * @throws {TypeError} they are not what `encodeChanges` makes
 */
export function decodeChanges(bytes: Uint8Array): Change[] {
  const rows: unknown = deserialize(bytes);
  if (!Array.isArray(rows)) throw new TypeError("Cannot decode changes: not a list");
  return rows.map(fromRow);
}

function toRow(change: Change): unknown[] {
  switch (change.kind) {
    case "put-user": {
      const { id, login, passwordHash, registeredAt, groups, disabled } = change.user;
      return [1, id, login, passwordHash, registeredAt, groups, disabled];
    }
    case "delete-user":
      return [2, change.login];
    case "put-session": {
      const { id, login, secretHash, createdAt, lastSeenAt, userAgent, address } = change.session;
      return [3, id, login, secretHash, createdAt, lastSeenAt, userAgent, address];
    }
    case "delete-session":
      return [4, change.id];
  }
}

/**
 * The checksum has shown that these are the bytes that were written, so the shape needs no check but of the kind:
 * a later version may have written kinds that this one does not know.
 */
function fromRow(row: unknown): Change {
  if (!Array.isArray(row)) throw new TypeError("Cannot decode a change: not a list");
  switch (row[0]) {
    case 1: {
      const [, id, login, passwordHash, registeredAt, groups, disabled] = row;
      const shared = groups.length === 0 ? noGroups : groups;
      return { kind: "put-user", user: { id, login, passwordHash, registeredAt, groups: shared, disabled } };
    }
    case 2:
      return { kind: "delete-user", login: row[1] };
    case 3: {
      const [, id, login, secretHash, createdAt, lastSeenAt, userAgent, address] = row;
      return {
        kind: "put-session",
        session: { id, login, secretHash, createdAt, lastSeenAt, userAgent, address },
      };
    }
    case 4:
      return { kind: "delete-session", id: row[1] };
    default:
      throw new TypeError(`Cannot decode a change of kind ${row[0]}: a later version wrote it`);
  }
}
