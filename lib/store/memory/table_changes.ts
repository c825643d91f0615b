/** Changes of the tables: their locks, and how they are committed. */

import { KeyedLock } from "../../keyed_lock.ts";
import { type Actor, type Change, isAdmin, type Session, StoreFullError } from "../../store.ts";
import { deletionsOf, type TableStorage } from "./tables.ts";

/** Sessions that end in one change: few enough for a short frame. */
const maxEndsAtOnce = 1_000;

/** Runs changes one after another where they depend on the same record, and commits them. */
export class TableChanges {
  readonly #storage: TableStorage;
  readonly #lock = new KeyedLock();

  constructor(storage: TableStorage) {
    this.#storage = storage;
  }

  /** Runs `change` under the locks of the keys, which are logins and others with a space. */
  run<Outcome extends string | number | boolean>(
    keys: readonly string[],
    change: () => Promise<Outcome>,
  ): Promise<Outcome> {
    return this.#lock.run(keys, change);
  }

  /** Runs `change` under the locks of the keys and of the actor's login, unless the actor has lost the rights. */
  runAs<Outcome extends string | number | boolean>(
    { keys, actor }: { keys: readonly string[]; actor: Actor | undefined },
    change: () => Promise<Outcome>,
  ): Promise<Outcome | "forbidden"> {
    if (actor === undefined) return this.run<Outcome | "forbidden">(keys, change);
    const { session: { id, login }, asAdmin } = actor;
    // Every change that takes the rights away has the lock of the login too.
    return this.run<Outcome | "forbidden">([...keys, login], async () => {
      const { sessions, users } = this.#storage.tables;
      const user = users.get(login);
      const mayAct = sessions.has(id) && (!asAdmin || user !== undefined && isAdmin(user));
      return mayAct ? await change() : "forbidden";
    });
  }

  /** Runs `change` under the lock of the session's login. @returns `false` if the session ended or the actor may not */
  async runOnSession(
    { id, actor }: { id: string; actor?: Actor | undefined },
    change: (session: Session) => Promise<void>,
  ): Promise<boolean> {
    const { sessions } = this.#storage.tables;
    const login = sessions.get(id)?.login;
    if (login === undefined) return false;
    const outcome = await this.runAs({ keys: [login], actor }, async () => {
      const session = sessions.get(id);
      if (session !== undefined) await change(session);
      return session !== undefined;
    });
    return outcome === true;
  }

  /** Commits the changes and the ends of sessions as one change; of thousands of sessions, most in changes before. */
  async commit(changes: readonly Change[], ended: readonly Session[] = []): Promise<void> {
    const ends = [...endsOf(ended)];
    while (ends.length > maxEndsAtOnce) await this.#storage.commit(ends.splice(0, maxEndsAtOnce));
    if (changes.length + ends.length > 0) await this.#storage.commit([...changes, ...ends]);
  }

  /**
   * As `commit`; on a full disk what the changes put, and the ends of the sessions, last until the next start only.
   * What the changes delete stays deleted: there is room for deletions.
   */
  async commitOrApply(changes: readonly Change[], ended: readonly Session[] = []): Promise<void> {
    try {
      await this.commit(changes, ended);
    } catch (error) {
      if (!(error instanceof StoreFullError)) throw error;
      const puts = changes.filter((change) => "record" in change);
      await this.commit(changes.filter((change) => !("record" in change)));
      for (const change of [...endsOf(ended), ...puts]) this.#storage.tables.apply(change);
    }
  }
}

/** Returns the keys of the lock of a ticket, if a change needs one. */
export function ticketKeys(secretHash: string | undefined): readonly string[] {
  return secretHash === undefined ? [] : [`ticket ${secretHash}`];
}

function endsOf(sessions: readonly Session[]): readonly Change[] {
  return deletionsOf("session", sessions.map(({ id }) => id));
}
