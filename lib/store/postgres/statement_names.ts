/**
 * Names for statements: PostgreSQL parses and plans a named statement once a connection, which is most of the time of a
 * short one.
 *
 * PgBouncer in transaction mode sends each transaction to any connection of the server, where the name is unknown or
 * already in use (PgBouncer 1.21 and later prevent this with `max_prepared_statements`). Then nothing has been done,
 * and no statement is named any more. The name is a hash, so that it never stands for another text, not even one of
 * another version behind the same PgBouncer.
 */

import { createHash } from "node:crypto";
import { codeOf, messageOf, type Value } from "./connection.ts";

/** More than there are statements. Those for many rows have one text for each number of rows. */
const maxNames = 100;
/** Unknown name (26000), name in use (42P05); PgBouncer itself reports a violation of the protocol (08P01). */
const lostNameCodes = /^(26000|42P05)$/;
const protocolViolation = "08P01";
const lostNameText = /prepared statement/;

/** The names of the statements of a database. */
export class StatementNames {
  readonly #names = new Map<string, string>();
  #areUsable = true;

  /** The name of a statement; `undefined` for one that runs without. Those without values are rare, or cheap. */
  nameOf(text: string, values: readonly Value[]): string | undefined {
    if (!this.#areUsable || values.length === 0) return undefined;
    const known = this.#names.get(text);
    if (known !== undefined || this.#names.size === maxNames) return known;
    const name = createHash("sha256").update(text).digest("hex").slice(0, 32);
    this.#names.set(text, name);
    return name;
  }

  /** Whether an error says that a name is lost. Then no statement has a name from now on. */
  stopIfLost(error: unknown): boolean {
    const code = codeOf(error);
    const isLost = lostNameCodes.test(code) || code === protocolViolation && lostNameText.test(messageOf(error));
    if (isLost) this.#areUsable = false;
    return isLost;
  }
}
