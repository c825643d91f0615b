/**
 * Imports the users of a foreign file into a store, in batches.
 *
 * A user that exists is never changed. Users are added in whole batches, so an import that is killed leaves some of the
 * first ones, and continues when it is run again. In the end the store is read, as services may have changed it.
 */

import { isAdmin, type Store, type User } from "../store.ts";
import { type UserContents, userContentsOf } from "../store_contents.ts";
import type { ForeignFile, ForeignFormat, RefusedRecord } from "./foreign_format.ts";
import { type MapOptions, type MappedUser, mapUser, tailOf } from "./map_user.ts";

export interface ImportOptions extends MapOptions {
  readonly format: ForeignFormat;
  readonly file: ForeignFile;
  /** Whether nothing is hashed and stored. */
  readonly isDryRun: boolean;
  /** Wraps a fast hash, in about the time of a login. */
  readonly wrap: (passwordHash: string) => Promise<string>;
  /** Called for each record that is refused, and each that has no password. */
  readonly report: (record: RefusedRecord) => void;
  /** Called for each record. */
  readonly onRecord: () => void;
}

/** What an import did, or would do, with the records of the file; and what the store holds afterwards. */
export interface ImportResult extends UserContents {
  readonly imported: number;
  /** Users that an import had added before. */
  readonly present: number;
  readonly refused: number;
  readonly withoutPassword: number;
  /** Administrators among the imported users. */
  readonly admins: number;
  /** Imported users whose hash is wrapped. */
  readonly wrapped: number;
}

/** A user of the store or of the file. */
interface KnownUser {
  readonly id: string;
  /** Where it stands in the file; `undefined` if it does not. */
  readonly line: number | undefined;
  readonly isPresent: boolean;
}

/** Added at once: one frame or one statement. */
const batchSize = 1_000;
/** More than cores, as with the hashes of logins: see `lib/passwords/hasher.ts`. */
const concurrency = Math.min(navigator.hardwareConcurrency + 1, 30);

/**
 * Adds the users of a file to a store.
 *
 * @throws {ForeignFileError} the file cannot be read; the users before that are in the store
 */
export async function importUsers(store: Store, options: ImportOptions): Promise<ImportResult> {
  return await new Import(store, options).run();
}

class Import {
  readonly #store: Store;
  readonly #options: ImportOptions;
  /** By login. */
  readonly #known = new Map<string, KnownUser>();
  readonly #ids = new Set<string>();
  readonly #counts = { imported: 0, present: 0, refused: 0, withoutPassword: 0, admins: 0, wrapped: 0 };

  constructor(store: Store, options: ImportOptions) {
    this.#store = store;
    this.#options = options;
  }

  async run(): Promise<ImportResult> {
    await userContentsOf(this.#store, ({ login, id }) => this.#know(login, { id, line: undefined, isPresent: true }));
    let batch: MappedUser[] = [];
    for await (const record of this.#options.format.read(this.#options.file)) {
      this.#options.onRecord();
      const mapped = "reason" in record ? record : mapUser(record, this.#options);
      const refusal = "reason" in mapped ? mapped : this.#refusalOf(mapped);
      if (refusal !== undefined) this.#refuse(refusal);
      else if ("user" in mapped && this.#isNew(mapped) && batch.push(mapped) === batchSize) {
        await this.#add(batch);
        batch = [];
      }
    }
    await this.#add(batch);
    const contents = await this.#check();
    return { ...this.#counts, ...contents };
  }

  #know(login: string, user: KnownUser): void {
    this.#known.set(login, user);
    this.#ids.add(user.id);
  }

  /** Why a user of the file cannot be added. */
  #refusalOf({ line, user: { login, id } }: MappedUser): RefusedRecord | undefined {
    const known = this.#known.get(login);
    const { unit } = this.#options.format;
    if (known?.line !== undefined) {
      return { line, login, reason: `the login is that of ${unit} ${known.line} too: remove or rename one of them` };
    }
    if (known !== undefined && tailOf(known.id) !== tailOf(id)) {
      return { line, login, reason: "the login is taken by another user of the store: rename it with --rename" };
    }
    if (known === undefined && this.#ids.has(id)) {
      return { line, login, reason: "the id is that of another user: leave it out" };
    }
    return undefined;
  }

  /** Whether the user is not in the store. Remembers where it stands in the file. */
  #isNew({ line, user: { login, id } }: MappedUser): boolean {
    const known = this.#known.get(login);
    const isPresent = known !== undefined;
    this.#know(login, { id: known?.id ?? id, line, isPresent });
    if (isPresent) this.#counts.present++;
    return !isPresent;
  }

  #refuse(record: RefusedRecord): void {
    if (record.isWithoutPassword) this.#counts.withoutPassword++;
    else this.#counts.refused++;
    this.#options.report(record);
  }

  async #add(batch: readonly MappedUser[]): Promise<void> {
    const { isDryRun, wrap } = this.#options;
    const users = isDryRun ? batch.map(({ user }) => user) : await wrapped(batch, wrap);
    if (!isDryRun) await this.#store.insertRecords(users.map((user) => ({ kind: "user", record: user })));
    this.#counts.imported += users.length;
    this.#counts.admins += users.filter(isAdmin).length;
    this.#counts.wrapped += batch.filter(({ isFast }) => isFast).length;
  }

  /** Reads the store, and refuses the users of the file that it lacks after all. */
  async #check(): Promise<UserContents> {
    const contents = await userContentsOf(this.#store, ({ login, id }) => {
      const known = this.#known.get(login);
      if (known !== undefined && tailOf(known.id) === tailOf(id)) this.#known.delete(login);
    });
    if (this.#options.isDryRun) return contents;
    for (const [login, { line, isPresent }] of this.#known) {
      if (line === undefined) continue;
      this.#counts[isPresent ? "present" : "imported"]--;
      this.#refuse({ line, login, reason: "the login was registered or deleted during the import: run it again" });
    }
    return contents;
  }
}

/** The users with the hashes that they are stored with. */
async function wrapped(
  batch: readonly MappedUser[],
  wrap: ImportOptions["wrap"],
): Promise<readonly User[]> {
  const users = batch.map(({ user }) => user);
  const indexes = batch.keys().filter((index) => batch[index]?.isFast);
  // All of them take the next index from the same iterator.
  await Promise.all(Array.from({ length: concurrency }, async () => {
    for (const index of indexes) {
      const user = users[index];
      if (user !== undefined) users[index] = { ...user, passwordHash: await wrap(user.passwordHash) };
    }
  }));
  return users;
}
