/**
 * The task `import`: users of another program, with their passwords, into the store of the settings.
 *
 * Into a folder that no service uses, or into a database, also while services run. `lib/import/README.md` has the
 * formats and rules.
 */

import { readRows } from "../import/csv.ts";
import { readConfig } from "../config/config.ts";
import type { StoreLocation } from "../config/parsers.ts";
import { openForeignFile } from "../import/foreign_file.ts";
import type { FieldNames, ForeignFormat, RefusedRecord } from "../import/foreign_format.ts";
import { formats } from "../import/formats.ts";
import { type ImportOptions, type ImportResult, importUsers } from "../import/import_users.ts";
import { passwordSchemeOf } from "../passwords/password_hash.ts";
import { wrapHash } from "../passwords/stored_hash.ts";
import { type Store, StoreFullError, StoreUnavailableError } from "../store.ts";
import { realDisk } from "../store/file/disk.ts";
import { isDataFile } from "../store/file/folder.ts";
import { StoreLockedError } from "../store/file/store_folder.ts";
import { TableStore } from "../store/memory/table_store.ts";
import { nameOfLocation, openToRead, openToWrite, storeOf } from "./open_store.ts";
import { countProgress, pathFromCaller, printError, printLine, runTask, type TaskCall, TaskError } from "./task.ts";

/** Of `FieldNames`, as options. */
const fieldOptions = ["login", "password", "date", "groups", "disabled", "id"] as const;
/** Characters of a login and of a line of the report. */
const [maxShownLogin, maxShownLine] = [64, 400];

if (import.meta.main) {
  const options = fieldOptions.map((field) => ` [--${field}-field NAME]`).join("");
  await runTask({
    usage: `import FORMAT FILE [--dry-run] [--rename FILE]${options}`,
    help:
      "Adds the users of a file of another program, with their passwords, to GATEHOUSE_STORE. Users that exist are\n" +
      "not changed. Stop the service first if the store is a folder; with a database it may run. An import that was\n" +
      "stopped continues when it is run again. The exit status is 0 when all users of the file are in the store.\n\n" +
      "  --dry-run       reads the file and reports the same, and changes nothing\n" +
      "  --rename FILE   new names of logins and groups, as lines OLD,NEW; OLD, leaves a group out\n" +
      "  --…-field NAME  the field of logins, passwords, …, if the format names its fields; NAME may be empty\n\n" +
      `Formats:\n\n${formats.map(describeFormat).join("\n")}\n\nlib/import/README.md has the rules.`,
    run: (call) => runImport(call),
  });
}

async function runImport({ args: [name = ""], paths: [, path = ""], options, env }: TaskCall): Promise<number> {
  const format = formatOf(name);
  const location = storeOf(env);
  const isDryRun = options["dry-run"] !== undefined;
  const file = { path, fields: fieldNames(format, options) };
  const { rename, unused } = await readRenames(options["rename"] && pathFromCaller(options["rename"], env));
  // Before the store is opened, which creates it.
  const modifiedAt = await modificationTime(path);
  printError(`The store is "${nameOfLocation(location)}"`);
  await using store = await (isDryRun ? openToTry(location) : openUnused(location));
  const scheme = passwordSchemeOf(readConfig(env));
  const onWrap = countProgress("wrapped");
  const result = await importOrExplain(store, {
    format,
    file,
    rename,
    modifiedAt,
    isDryRun,
    wrap: async (hash) => {
      const text = await wrapHash(hash, scheme);
      onWrap();
      return text;
    },
    report: (record) => printError(lineOf(record, format)),
    onRecord: countProgress("read"),
  });
  for (const old of unused()) {
    printError(`Nothing was renamed from ${quoted(old)}, as the file has no such login or group`);
  }
  printLine(describe(result, { path, location, isDryRun }));
  return result.refused > 0 ? 1 : 0;
}

async function importOrExplain(store: Store, options: ImportOptions): Promise<ImportResult> {
  const { path } = options.file;
  let result: ImportResult;
  try {
    result = await importUsers(store, options);
  } catch (error) {
    if (error instanceof StoreUnavailableError) {
      throw new TaskError(`${error.message}. Run the import again, which continues it`, { cause: error });
    }
    if (!(error instanceof StoreFullError)) throw error;
    throw new TaskError(
      `Cannot import all of "${path}" as the store has no room: make room and run the import again, which continues it`,
      { cause: error },
    );
  }
  const { imported, present, refused, withoutPassword } = result;
  if (imported + present + refused + withoutPassword > 0) return result;
  throw new TaskError(`Cannot import "${path}" as it has no users of the format ${options.format.name}`);
}

async function openUnused(location: StoreLocation): Promise<Store> {
  try {
    return await openToWrite(location);
  } catch (error) {
    if (!(error instanceof StoreLockedError)) throw error;
    const name = nameOfLocation(location);
    const text = `Cannot import into "${name}" as a service uses it: stop the service, import, and start it again`;
    throw new TaskError(text, { cause: error });
  }
}

/** The store as it is; an empty one if the import would create it. */
async function openToTry(location: StoreLocation): Promise<Store> {
  if ("folder" in location && !hasStore(location.folder)) return new TableStore();
  return await openToRead(location, { action: "import into" });
}

function hasStore(folder: string): boolean {
  try {
    return realDisk(folder).list().some(isDataFile);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    // `openToRead` says what is wrong.
    return true;
  }
}

function formatOf(name: string): ForeignFormat {
  const format = formats.find((format) => format.name === name);
  if (format !== undefined) return format;
  const names = formats.map(({ name }) => name).join(", ");
  throw new TaskError(`Cannot import the format "${name}" as it is unknown: use one of ${names}`);
}

/** @throws {TaskError} the format has no such field */
function fieldNames({ name, fields }: ForeignFormat, options: TaskCall["options"]): FieldNames {
  const given = fieldOptions.flatMap((field) => {
    const value = options[`${field}-field`];
    return value === undefined ? [] : [[field, value] as const];
  });
  const [[field] = []] = given;
  if (fields === undefined && field !== undefined) {
    throw new TaskError(`Cannot use --${field}-field as the fields of the format ${name} have no names`);
  }
  const none: FieldNames = { login: "", password: "", date: "", groups: "", disabled: "", id: "" };
  return { ...fields ?? none, ...Object.fromEntries(given) };
}

/** @returns the renaming, and the old names that were not met. @throws {TaskError} the file is wrong */
async function readRenames(path: string | undefined) {
  const renames = new Map<string, string>();
  if (path !== undefined) {
    for await (const row of readRows(path)) {
      const [old = "", name, more] = "fields" in row ? row.fields : [];
      if (name === undefined || more !== undefined || renames.has(old)) {
        const reason = renames.has(old) ? "it renames what an earlier line renames" : "it is not OLD,NEW";
        throw new TaskError(`Cannot read "${path}" as a list of new names: line ${row.line}: ${reason}`);
      }
      renames.set(old, name);
    }
  }
  const met = new Set<string>();
  return {
    rename(name: string): string {
      const renamed = renames.get(name);
      if (renamed !== undefined) met.add(name);
      return renamed ?? name;
    },
    unused: () => renames.keys().filter((old) => !met.has(old)),
  };
}

async function modificationTime(path: string): Promise<number> {
  using file = await openForeignFile(path);
  return (await file.stat()).mtime?.getTime() ?? 0;
}

function lineOf({ line, login, reason, isWithoutPassword }: RefusedRecord, { unit }: ForeignFormat): string {
  const name = login === undefined ? "" : `, ${quoted(login)}`;
  const text = `${isWithoutPassword ? "Skipped" : "Refused"} ${unit} ${line}${name}: ${reason}`;
  return text.slice(0, maxShownLine);
}

function quoted(login: string): string {
  return JSON.stringify(login.slice(0, maxShownLogin));
}

function describe(
  result: ImportResult,
  { path, location, isDryRun }: { path: string; location: StoreLocation; isDryRun: boolean },
): string {
  const { imported, present, refused, withoutPassword, admins, wrapped, users, digest } = result;
  const store = nameOfLocation(location);
  return [
    `${isDryRun ? "Would import" : "Imported"} ${imported} users from "${path}" to "${store}": ` +
    `${present} already there, ${refused} refused, ${withoutPassword} without a password`,
    `Administrators among them: ${admins}. Fast hashes, stored wrapped: ${wrapped}`,
    `"${store}" holds ${users} users, digest ${digest}`,
  ].join("\n");
}

function describeFormat({ name, help }: ForeignFormat): string {
  return `  ${name.padEnd(16)}${help}`;
}
