/**
 * The rules of a store over tables in memory: each method checks a change against the tables and commits it. Those of
 * sessions and credentials are in `LoginStore`.
 *
 * The storage it is given holds the tables and commits changes to them: in memory only, or to a data folder first
 * (`lib/store/file/file_store.ts`). A change holds the locks of all that it depends on from the check to the end of the
 * commit: the login, the login of the actor, a ticket. So changes of one login never interleave.
 */

import {
  type ActorOptions,
  type Change,
  isAdmin,
  type ReplaceOptions,
  type Secret,
  type Store,
  type StoredRecord,
  type Ticket,
  type TicketOptions,
  type User,
} from "../../store.ts";
import type { Days, TicketQuery, UserQuery } from "../queries.ts";
import { canLogIn, isForUser, isOfLogin, isPublic, isSameUser, maxPendingLogins, voidedTickets } from "../rules.ts";
import { LoginStore } from "./login_store.ts";
import { hashWorksOf, pageOf, recordsOf, registrationsOn } from "./scan.ts";
import { TableChanges, ticketKeys } from "./table_changes.ts";
import { deletionsOf, memoryStorage, type Tables, type TableStorage } from "./tables.ts";

/** The lock of changes that could remove the last administrator. No login has a space. */
const adminsKey = "all admins";

/** A store that answers from memory. */
export class TableStore extends LoginStore implements Store {
  readonly #storage: TableStorage;
  readonly #tables: Tables;
  readonly #changes: TableChanges;

  constructor(storage: TableStorage = memoryStorage()) {
    const changes = new TableChanges(storage);
    super(storage.tables, changes);
    this.#storage = storage;
    this.#tables = storage.tables;
    this.#changes = changes;
  }

  findUser(login: string) {
    return Promise.resolve(this.#tables.users.get(login));
  }

  listUsers({ prefix = "", contains = "", group = "", sort, ...query }: UserQuery) {
    return pageOf(this.#tables.users.values(), {
      ...query,
      isListed: ({ login, groups }) =>
        login.startsWith(prefix) && login.includes(contains) && (group === "" || groups.includes(group)),
      ...sort === "login" && { keyOf: ({ login }: User) => login },
      isDescending: sort === "-registered_at",
    });
  }

  countAdmins() {
    return Promise.resolve(this.#tables.adminCount);
  }

  countRegistrations(days: Days) {
    return registrationsOn(days, this.#tables.users.values());
  }

  hashWorks() {
    return hashWorksOf(this.#tables.users.values());
  }

  insertUser(user: User, ticketHash?: string) {
    return this.#changes.run([user.login, ...ticketKeys(ticketHash)], async () => {
      const used = this.#tables.usesOf({ ticketHash });
      if (used === undefined) return "no-ticket";
      if (this.#tables.users.has(user.login)) return "taken";
      await this.#changes.commit([{ kind: "user", record: user }, ...used]);
      return "done";
    });
  }

  replaceUser(current: User, next: User, { actor, keepSessionId, ticketHash }: ReplaceOptions = {}) {
    const { id, login } = current;
    if (login !== next.login) throw new TypeError(`Cannot replace user "${login}": its login cannot change`);
    const isDemoted = isAdmin(current) && !isAdmin(next);
    const keys = [login, ...ticketKeys(ticketHash), ...isDemoted ? [adminsKey] : []];
    return this.#changes.runAs({ keys, actor }, async () => {
      const used = this.#tables.usesOf({ ticketHash });
      if (used === undefined) return "no-ticket";
      if (!isSameUser(this.#tables.users.get(login), current)) return "stale";
      if (isDemoted && this.#tables.adminCount === 1) return "last-admin";
      const keptId = next.disabled ? "" : keepSessionId;
      const ended = keptId === undefined ? [] : this.#tables.sessionsOf(login).filter(({ id }) => id !== keptId);
      const voided = voidedTickets({ current, next, isNewPassword: keepSessionId !== undefined });
      const deletions = this.#tables.ticketDeletions((ticket) =>
        voided.made && ticket.maker === id || ticket.login === login &&
          (voided.resets && ticket.purpose === "reset" || voided.logins && isOfLogin(ticket))
      );
      await this.#changes.commit([{ kind: "user", record: next }, ...deletions, ...used], ended);
      return "done";
    });
  }

  deleteUser(user: User, { actor }: ActorOptions = {}) {
    const { id, login } = user;
    return this.#changes.runAs({ keys: [login, ...isAdmin(user) ? [adminsKey] : []], actor }, async () => {
      const kept = this.#tables.users.get(login);
      if (kept?.id !== id) return "missing";
      if (!isSameUser(kept, user)) return "stale";
      if (isAdmin(user) && this.#tables.adminCount === 1) return "last-admin";
      const deletions = this.#tables.ticketDeletions((ticket) =>
        ticket.maker === id || isForUser(ticket) && ticket.login === login
      );
      const credentials = deletionsOf("credential", this.#tables.credentialsOf(login).map(({ key }) => key));
      const changes = [...deletionsOf("user", [login]), ...deletions, ...credentials];
      await this.#changes.commit(changes, this.#tables.sessionsOf(login));
      return "done";
    });
  }

  findTicket(secretHash: string) {
    const ticket = this.#tables.tickets.get(secretHash);
    return Promise.resolve(ticket !== undefined && this.#tables.isMadeByAdmin(ticket) ? ticket : undefined);
  }

  async listTickets({ now, ...query }: TicketQuery) {
    const isListed = (ticket: Ticket) =>
      isPublic(ticket) && ticket.expiresAt > now && this.#tables.isMadeByAdmin(ticket);
    const { items, ...rest } = await pageOf(this.#tables.tickets.values(), { ...query, isListed });
    return { items: items.map((ticket) => ({ ticket, madeBy: this.#tables.adminOf(ticket.maker)?.login })), ...rest };
  }

  insertTicket(ticket: Ticket, { actor, target }: TicketOptions = {}) {
    const { login, purpose, secretHash } = ticket;
    // Setup tickets for any login share the lock of "".
    return this.#changes.runAs({ keys: [login], actor }, async () => {
      const user = this.#tables.users.get(login);
      if (isForUser(ticket) && user === undefined) return "missing";
      if (target !== undefined && !canLogIn(user, target)) return "stale";
      // The oldest are first.
      const deletions = this.#tables.ticketDeletions((other) =>
        other.purpose === purpose && other.login === login && other.secretHash !== secretHash
      );
      const keptCount = isOfLogin(ticket) ? maxPendingLogins - 1 : purpose === "setup" ? 0 : Infinity;
      const replaced = deletions.slice(0, Math.max(0, deletions.length - keptCount));
      const changes: Change[] = [{ kind: "ticket", record: ticket }, ...replaced];
      // Users can log in on a full disk too.
      if (isOfLogin(ticket)) await this.#changes.commitOrApply(changes);
      else await this.#changes.commit(changes);
      return "done";
    });
  }

  deleteTicket(id: string, { actor }: ActorOptions = {}) {
    const found = this.#tables.tickets.values().find((ticket) => ticket.id === id && isPublic(ticket));
    return this.#changes.runAs({ keys: ticketKeys(found?.secretHash), actor }, async () => {
      const used = found && this.#tables.usesOf({ ticketHash: found.secretHash });
      if (used === undefined) return "missing";
      await this.#changes.commit(used);
      return "done";
    });
  }

  async deleteExpiredTickets(expiresUntil: number) {
    const deletions = this.#tables.ticketDeletions(({ expiresAt }) => expiresAt <= expiresUntil);
    await this.#changes.commit(deletions);
    return deletions.length;
  }

  ensureSecret(secret: Secret) {
    return this.#changes.run([`secret ${secret.name}`], async () => {
      await this.insertRecords([{ kind: "secret", record: secret }]);
      return this.#tables.secrets.get(secret.name)?.value ?? secret.value;
    });
  }

  records(): AsyncIterable<readonly StoredRecord[]> {
    return recordsOf(this.#tables);
  }

  insertRecords(records: readonly StoredRecord[]) {
    return this.#changes.commit(records.filter((record) => !this.#tables.has(record)));
  }

  size() {
    const { tables: { users, sessions }, bytes } = this.#storage;
    return Promise.resolve({ users: users.size, sessions: sessions.size, bytes });
  }

  failure() {
    return Promise.resolve(this.#storage.failure);
  }

  [Symbol.asyncDispose]() {
    return this.#storage.close();
  }
}
