/**
 * The task `copy`: all records from one store to another, of any kind.
 *
 * Nothing is ever overwritten or deleted: a target with a record that the source lacks is rejected before the first
 * change, so a copy that was killed continues when it is run again. In the end both stores are reopened and compared
 * record by record. The source is never written to.
 */

import type { StoreLocation } from "../config/parsers.ts";
import { addPassword } from "../config/password_file.ts";
import { type Environment, settings } from "../config/settings.ts";
import { type Store, type StoredRecord, StoreFullError } from "../store.ts";
import { asFolderError, requireUnlocked } from "../store/file/store_folder.ts";
import { nameOfLocation, openToRead, openToWrite, storeOf } from "./open_store.ts";
import { type Contents, contentsOf, shownCounts, unmatchedRecords } from "../store_contents.ts";
import { countProgress, pathFromCaller, runTask, TaskError } from "./task.ts";

/** A store that can be opened several times. */
export interface NamedStore {
  /** For messages: without a password. */
  readonly name: string;
  open(): Promise<Store>;
}

/** What both stores hold after a copy, and how many records were added. */
export interface Copied extends Contents {
  readonly added: number;
}

/** Records added at once: one frame or one statement, so little is lost when the copy is killed. */
const batchSize = 1_000;

if (import.meta.main) {
  await runTask({
    usage: "copy FROM TO",
    help: "Each is a folder or postgres://USER:PASSWORD@HOST:PORT/DATABASE. Write GATEHOUSE_STORE instead of the\n" +
      "address to keep the password out of `ps`. Stop the services on both first: the copy refuses while a service\n" +
      "uses a folder; it cannot detect one that uses a database.",
    run: ({ args: [from = "", to = ""], env }) => runCopy(parseLocation(from, env), parseLocation(to, env)),
  });
}

/**
 * Adds to `to` what it lacks of `from`, and checks that then both hold the same.
 * @throws {TaskError} `from` is empty, `to` holds other records or is full, or one of them was changed meanwhile
 */
export async function copy(from: NamedStore, to: NamedStore): Promise<Copied> {
  const added = await addMissing(from, to);
  // Reopened: what counts is what is stored, not what this process remembers.
  const target = await readContents(to);
  const source = await readContents(from);
  if (target.digest === source.digest) return { ...target, added };
  throw new TaskError(
    `The copy is not complete: "${from.name}" holds ${describe(source)}, and "${to.name}" ${describe(target)}. ` +
      "One of them has changed meanwhile: stop every service that uses them, and run the copy again",
  );
}

async function addMissing(from: NamedStore, to: NamedStore): Promise<number> {
  await using source = await from.open();
  await using target = await to.open();
  if (await isEmpty(source)) throw new TaskError(`Cannot copy "${from.name}" as it holds no records`);
  for await (const record of unmatchedRecords(target, { other: source, onRecord: countProgress("compared") })) {
    throw new TaskError(
      `Cannot copy to "${to.name}" as it holds ${nameOf(record)}, which differs from "${from.name}" or is missing ` +
        "there: copy to a new folder or an empty database",
    );
  }
  try {
    let added = 0;
    const missing = unmatchedRecords(source, { other: target, onRecord: countProgress("copied") });
    for await (const records of inBatches(missing)) {
      await target.insertRecords(records);
      added += records.length;
    }
    return added;
  } catch (error) {
    if (!(error instanceof StoreFullError)) throw error;
    const text = `Cannot copy all of "${from.name}" as there is no room in "${to.name}"`;
    throw new TaskError(`${text}: make room and run the copy again, which continues it`, { cause: error });
  }
}

async function isEmpty(store: Store): Promise<boolean> {
  for await (const records of store.records()) if (records.length > 0) return false;
  return true;
}

async function readContents(store: NamedStore): Promise<Contents> {
  await using opened = await store.open();
  return await contentsOf(opened, countProgress("checked"));
}

async function* inBatches(records: AsyncIterable<StoredRecord>): AsyncGenerator<readonly StoredRecord[]> {
  let batch: StoredRecord[] = [];
  for await (const record of records) {
    if (batch.push(record) < batchSize) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}

/** The record without its secrets. */
function nameOf({ kind, record }: StoredRecord): string {
  if (kind === "ticket") return `a ticket of the purpose "${record.purpose}"`;
  if (kind === "secret") return `the secret "${record.name}" of a service that ran on it`;
  return kind === "user" ? `a user "${record.login}" (${record.id})` : `a ${kind} of "${record.login}" (${record.id})`;
}

function describe({ counts, digest }: Contents): string {
  return `${shownCounts(counts)}, digest ${digest}`;
}

async function runCopy(source: StoreLocation, target: StoreLocation): Promise<string> {
  const from = { name: nameOfLocation(source), open: () => openSource(source) };
  const to = { name: nameOfLocation(target), open: () => openToWrite(target) };
  const copied = await copy(from, to);
  return `Copied ${copied.added} records from "${from.name}" to "${to.name}": both hold ${describe(copied)}`;
}

function parseLocation(text: string, env: Environment): StoreLocation {
  const { name, parse } = settings.store;
  if (text === name) return storeOf(env);
  try {
    const location = parse(text);
    return "folder" in location ? { folder: pathFromCaller(location.folder, env) } : addPassword(location, env);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new TaskError(`Cannot copy as a store is named wrongly: ${error.message}`, { cause: error });
  }
}

async function openSource(location: StoreLocation): Promise<Store> {
  if ("folder" in location) {
    await requireUnlocked(location.folder).catch((error) => {
      throw asFolderError(error, { path: location.folder, action: "copy" });
    });
  }
  return await openToRead(location, { action: "copy" });
}
