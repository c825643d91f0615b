/**
 * The task `copy`: all users, sessions and tickets from one store to another, of whatever kind.
 *
 * Nothing that is kept is ever overwritten or deleted: a target that holds anything that the source does not hold is
 * refused before the first change, and so a copy that was killed goes on where it was when it is run again. What counts
 * in the end is what both hold when they are opened anew and read from the first record to the last. The source is
 * never written to.
 */

import { resolve } from "node:path";
import { settings } from "../config/settings.ts";
import { countProgress, createLog, type Log, printError, runTask } from "../log.ts";
import { type PostgresAddress, shownAddress } from "../config/postgres_address.ts";
import { type Contents, contentsOf, unmatchedRecords } from "./record_comparison.ts";
import { type Store, type StoredRecord, StoreFullError } from "../store.ts";
import { realDisk } from "../store/file/disk.ts";
import { openFileStore } from "../store/file/file_store.ts";
import { isDataFile, readRunningFolder } from "../store/file/folder.ts";
import { memoryStorage, TableStore } from "../store/memory/table_store.ts";
import { PostgresStore } from "../store/postgres/postgres_store.ts";
import { asFolderError, requireUnlocked } from "../store/file/store_folder.ts";
import type { StoreLocation } from "../config/parsers.ts";
import { pathFromCaller } from "./task.ts";

/** Where a register is, or is to be. */
export interface Place {
  /** For messages: without a password. */
  readonly shown: string;
  open(): Promise<Store>;
}

/** What was copied, and what both stores hold by now. */
export interface Copied extends Contents {
  /** How many records were missing. */
  readonly added: number;
}

/** A copy that cannot be made without losing something, or that is not what it should be. */
export class CopyError extends Error {
  override name = "CopyError";
}

const usage = "Usage: deno task copy FROM TO, each a folder or postgres://USER:PASSWORD@HOST:PORT/DATABASE, or " +
  "GATEHOUSE_STORE for what that setting says. Stop the services on both first";
/** Added at once: few enough that they are one frame, or one statement, and little is lost when it is killed. */
const batch = 1_000;
/** A statement has a thousand records, and nobody waits for its answer as for that of a service. */
const callMs = 60_000;

if (import.meta.main) await runTask(() => runCommand(Deno.args, Deno.env.toObject()));

/**
 * Adds what `to` lacks of all that `from` holds, and checks that then both hold the same.
 *
 * @throws {CopyError} `from` holds nothing, `to` holds something else or is full, or one of them was changed meanwhile
 */
export async function copy(from: Place, to: Place): Promise<Copied> {
  const added = await addMissing(from, to);
  // Opened anew: what is checked is what is kept, not what this process remembers.
  const contents = await readContents(to);
  const expected = await readContents(from);
  if (contents.digest === expected.digest) return { ...contents, added };
  throw new CopyError(
    `The copy is not whole: "${from.shown}" holds ${describe(expected)}, and "${to.shown}" ${describe(contents)}. ` +
      "Something has changed one of them meanwhile: stop every service on them, and run the copy again",
  );
}

async function addMissing(from: Place, to: Place): Promise<number> {
  await using source = await from.open();
  await using target = await to.open();
  await refuseEmpty(source, from);
  for await (const record of unmatchedRecords(target, source, countProgress("compared"))) {
    throw new CopyError(
      `Cannot copy to "${to.shown}" as it holds ${nameOf(record)}, which "${from.shown}" does not hold or holds ` +
        "otherwise: copy to a new folder or an empty database",
    );
  }
  try {
    let added = 0;
    for await (const records of inBatches(unmatchedRecords(source, target, countProgress("copied")))) {
      await target.insertRecords(records);
      added += records.length;
    }
    return added;
  } catch (error) {
    if (!(error instanceof StoreFullError)) throw error;
    const text = `Cannot copy all of "${from.shown}" as there is no room in "${to.shown}"`;
    throw new CopyError(`${text}: make room and run the copy again, it goes on where it was`, { cause: error });
  }
}

async function refuseEmpty(source: Store, { shown }: Place): Promise<void> {
  for await (const records of source.records()) if (records.length > 0) return;
  throw new CopyError(`Cannot copy "${shown}" as it holds no register`);
}

async function readContents(place: Place): Promise<Contents> {
  await using store = await place.open();
  return await contentsOf(store, countProgress("checked"));
}

async function* inBatches(records: AsyncIterable<StoredRecord>): AsyncGenerator<readonly StoredRecord[]> {
  let waiting: StoredRecord[] = [];
  for await (const record of records) {
    waiting.push(record);
    if (waiting.length < batch) continue;
    yield waiting;
    waiting = [];
  }
  if (waiting.length > 0) yield waiting;
}

/** The record, without what is secret about it. */
function nameOf(record: StoredRecord): string {
  switch (record.kind) {
    case "put-user":
      return `a user "${record.user.login}" (${record.user.id})`;
    case "put-session":
      return `a session of "${record.session.login}" (${record.session.id})`;
    case "put-ticket":
      return `a ticket of the purpose "${record.ticket.purpose}"`;
  }
}

function describe({ users, sessions, tickets, digest }: Contents): string {
  return `${users} users, ${sessions} sessions, ${tickets} tickets, digest ${digest}`;
}

async function runCommand(args: readonly string[], env: Readonly<Record<string, string>>): Promise<string> {
  const [from, to] = args;
  if (from === undefined || to === undefined || args.length > 2) throw new CopyError(usage);
  const source = parsePlace(from, env);
  const target = parsePlace(to, env);
  if (await identityOf(source) === await identityOf(target)) {
    throw new CopyError(`Cannot copy "${shownPlace(source)}" to itself: name another store`);
  }
  const log = openWarningLog();
  if ("folder" in source) requireRegister(source.folder);
  const copied = await copy(sourceOf(source, log), targetOf(target, log));
  return `Copied ${copied.added} records: both hold ${describe(copied)}`;
}

/** A password is better kept out of the arguments, which every user of a machine may see: hence the setting's name. */
function parsePlace(text: string, env: Readonly<Record<string, string>>): StoreLocation {
  const { name, parse } = settings.store;
  try {
    if (text === name) return parse(env[name] ?? settings.store.default);
    const place = parse(text);
    return "folder" in place ? { folder: pathFromCaller(place.folder, env) } : place;
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new CopyError(`Cannot copy as a store is not named right: ${error.message}`, { cause: error });
  }
}

function shownPlace(place: StoreLocation): string {
  return "folder" in place ? place.folder : shownAddress(place);
}

/** The same for two names of one store, as far as that can be known. */
async function identityOf(place: StoreLocation): Promise<string> {
  if (!("folder" in place)) return JSON.stringify([place.target, place.database]);
  try {
    return await Deno.realPath(place.folder);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw asFolderError(error, { path: place.folder, action: "open" });
    return resolve(place.folder);
  }
}

/** Opened without writing to it: a source that is named wrong stays what it is. */
function sourceOf(place: StoreLocation, log: Log): Place {
  return {
    shown: shownPlace(place),
    open: () => "folder" in place ? readFolder(place.folder) : openDatabase(place, { log, isReadOnly: true }),
  };
}

function targetOf(place: StoreLocation, log: Log): Place {
  return {
    shown: shownPlace(place),
    open: () => "folder" in place ? openFileStore(place.folder, { log }) : openDatabase(place, { log }),
  };
}

async function readFolder(folder: string): Promise<Store> {
  await requireUnlocked(folder);
  return new TableStore(memoryStorage((await readRunningFolder(realDisk(folder), { action: "copy" })).tables));
}

function openDatabase(address: PostgresAddress, options: { log: Log; isReadOnly?: boolean }): Promise<Store> {
  return PostgresStore.open(address, { ...options, callMs, waitMs: 0 });
}

/** @throws {CopyError} the folder holds none */
function requireRegister(folder: string): void {
  try {
    if (realDisk(folder).list().some(isDataFile)) return;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw asFolderError(error, { path: folder, action: "copy" });
  }
  throw new CopyError(`Cannot copy "${folder}" as it holds no register`);
}

/** Of what the stores say, what a person should know. */
function openWarningLog(): Log {
  const { warn, error } = createLog((line) => printError(line.trimEnd()));
  return { info() {}, warn, error };
}
