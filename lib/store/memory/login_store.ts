/** The rules of sessions and credentials over tables in memory. `TableStore` adds those of users and tickets. */

import {
  type ActorOptions,
  type Change,
  type Credential,
  type CredentialUse,
  type DeleteCredentialsOptions,
  type InsertSessionOptions,
  isSecondFactor,
  maxSessionAheadMs,
  type Session,
  type SessionUpdate,
  type User,
} from "../../store.ts";
import type { ExpiryLimits, SessionQuery } from "../queries.ts";
import { canLogIn, isSameUser, replacedBy, updated } from "../rules.ts";
import { forEachYielding, pageOf, seenLongestAgo } from "./scan.ts";
import { type TableChanges, ticketKeys } from "./table_changes.ts";
import { deletionsOf, type Tables } from "./tables.ts";

/** Users whose sessions are ended side by side. */
const maxUsersAtOnce = 1_000;

/** The part of a `TableStore` that holds sessions and credentials. */
export abstract class LoginStore {
  readonly #tables: Tables;
  readonly #changes: TableChanges;

  constructor(tables: Tables, changes: TableChanges) {
    this.#tables = tables;
    this.#changes = changes;
  }

  findSession(id: string) {
    const session = this.#tables.sessions.get(id);
    const user = session && this.#tables.users.get(session.login);
    return Promise.resolve(session && user && { session, user });
  }

  insertSession(session: Session, user: User, options: InsertSessionOptions = {}) {
    const { login } = session;
    const { maxSessions = Infinity, ...proof } = options;
    return this.#changes.run([login, ...ticketKeys(proof.ticketHash)], async () => {
      const used = this.#tables.usesOf(proof);
      if (!canLogIn(this.#tables.users.get(login), user) || used === undefined) return false;
      const ended = await seenLongestAgo(this.#tables.sessionsOf(login), maxSessions - 1);
      // Users can log in on a full disk too.
      await this.#changes.commitOrApply([{ kind: "session", record: session }, ...used], ended);
      return true;
    });
  }

  updateSession(id: string, user: User, update: SessionUpdate) {
    const { login } = user;
    return this.#changes.run([login, ...ticketKeys(update.ticketHash)], async () => {
      const session = this.#tables.sessions.get(id);
      const used = this.#tables.usesOf(update);
      const isValid = session?.login === login && canLogIn(this.#tables.users.get(login), user);
      if (!isValid || used === undefined) return false;
      await this.#changes.commitOrApply([{ kind: "session", record: updated(session, update) }, ...used]);
      return true;
    });
  }

  async touchSession(id: string, lastSeenAt: number) {
    await this.#changes.runOnSession({ id }, async (session) => {
      const isAhead = Math.max(session.createdAt, session.lastSeenAt, session.authenticatedAt) - lastSeenAt >
        maxSessionAheadMs;
      if (session.lastSeenAt >= lastSeenAt && !isAhead) return;
      const createdAt = Math.min(session.createdAt, lastSeenAt);
      const authenticatedAt = Math.min(session.authenticatedAt, lastSeenAt);
      const record = { ...session, createdAt, lastSeenAt, authenticatedAt };
      await this.#changes.commit([{ kind: "session", record }]);
    });
  }

  deleteSession(id: string, { actor }: ActorOptions = {}) {
    return this.#changes.runOnSession({ id, actor }, (session) => this.#changes.commit([], [session]));
  }

  listSessions(login: string, { lastSeenUntil = -Infinity, createdUntil = -Infinity, ...query }: SessionQuery) {
    const isListed = (session: Session) => session.lastSeenAt > lastSeenUntil && session.createdAt > createdUntil;
    return pageOf(this.#tables.sessionsOf(login), { ...query, isListed });
  }

  deleteSessions(login: string, { actor }: ActorOptions = {}) {
    return this.#changes.runAs({ keys: [login], actor }, async () => {
      const user = this.#tables.users.get(login);
      const ended = this.#tables.sessionsOf(login);
      await this.#changes.commit(this.#tables.ticketDeletions(({ maker }) => maker === user?.id), ended);
      return ended.length;
    });
  }

  async deleteExpiredSessions({ lastSeenUntil, createdUntil }: ExpiryLimits) {
    const isExpired = (session: Session) => session.lastSeenAt <= lastSeenUntil || session.createdAt <= createdUntil;
    const found = new Set<string>();
    await forEachYielding(this.#tables.sessions.values(), (session) => {
      if (isExpired(session)) found.add(session.login);
    });
    let total = 0;
    const endExpired = (login: string) =>
      this.#changes.run([login], async () => {
        // Again under the lock: a session may have been seen meanwhile.
        const ended = this.#tables.sessionsOf(login).filter(isExpired);
        await this.#changes.commit([], ended);
        return total += ended.length;
      });
    const logins = [...found];
    while (logins.length > 0) await Promise.all(logins.splice(-maxUsersAtOnce).map(endExpired));
    return total;
  }

  listCredentials(login: string) {
    return Promise.resolve(this.#tables.credentialsOf(login));
  }

  findCredential(kind: Credential["kind"], key: string) {
    const credential = this.#tables.credentials.get(key);
    const user = credential && this.#tables.users.get(credential.login);
    return Promise.resolve(credential?.kind === kind && user !== undefined ? { credential, user } : undefined);
  }

  insertCredentials(user: User, credentials: readonly Credential[], { actor }: ActorOptions = {}) {
    const { login } = user;
    // The keys too: users may add the same passkey at once.
    const keys = [login, ...credentials.map(({ key }) => `credential ${key}`)];
    return this.#changes.runAs({ keys, actor }, async () => {
      if (!isSameUser(this.#tables.users.get(login), user)) return "stale";
      const replaced = replacedBy(credentials, this.#tables.credentialsOf(login));
      if (typeof replaced === "string") return replaced;
      const isTaken = ({ key }: Credential) =>
        this.#tables.credentials.has(key) && replaced.every((credential) => credential.key !== key);
      if (credentials.some(isTaken)) return "taken";
      const puts = credentials.map((record): Change => ({ kind: "credential", record }));
      await this.#changes.commit([...deletionsOf("credential", replaced.map(({ key }) => key)), ...puts]);
      return "done";
    });
  }

  useCredential(use: CredentialUse, { actor }: ActorOptions = {}) {
    return this.#changes.runAs({ keys: [use.current.login], actor }, async () => {
      const used = this.#tables.usesOf({ use });
      if (used === undefined) return "stale";
      await this.#changes.commit(used);
      return "done";
    });
  }

  deleteCredentials(login: string, { id, actor, keepsFactor = false }: DeleteCredentialsOptions = {}) {
    return this.#changes.runAs({ keys: [login], actor }, async () => {
      const kept = this.#tables.credentialsOf(login);
      const deleted = kept.filter((credential) => id === undefined || credential.id === id);
      const lacksFactor = !kept.some((credential) => !deleted.includes(credential) && isSecondFactor(credential));
      if (keepsFactor && deleted.length > 0 && lacksFactor) return "last";
      await this.#changes.commit(deletionsOf("credential", deleted.map(({ key }) => key)));
      return deleted.length;
    });
  }
}
