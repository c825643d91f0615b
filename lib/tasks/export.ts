/**
 * The task `export`: all users with their password hashes in a file that other programs read, and that `import` reads
 * back to the same digest.
 *
 * It reads the store as `inspect` and `copy` do, so the service may run. The file is whole or does not exist, only its
 * owner can read it, and nothing is ever overwritten.
 */

import { basename, dirname } from "node:path";
import { exportedFields } from "../import/named_fields.ts";
import type { Store, User } from "../store.ts";
import { type DiskFile, realDisk } from "../store/file/disk.ts";
import { reasonOf } from "../store/file/store_folder.ts";
import { createWhole } from "../store/file/whole_file.ts";
import { nameOfLocation, openToRead, storeOf } from "./open_store.ts";
import { type UserContents, userContentsOf } from "../store_contents.ts";
import { countProgress, printError, runTask, TaskError } from "./task.ts";

/** Characters between writes. */
const chunkLength = 256 * 1024;

/** A format: what comes first, and the line of a user. */
interface ExportFormat {
  readonly head: string;
  readonly lineOf: (user: User) => string;
}

const { login, password, date, groups, disabled, id } = exportedFields;
const formats: Readonly<Record<string, ExportFormat>> = {
  jsonl: { head: "", lineOf: (user) => `${JSON.stringify(recordOf(user))}\n` },
  csv: {
    head: `${[id, login, password, date, groups, disabled].join()}\n`,
    lineOf: (user) => `${Object.values(recordOf(user)).map((value) => quoted(String(value))).join()}\n`,
  },
};

if (import.meta.main) {
  await runTask({
    usage: "export FORMAT FILE",
    help: "Writes all users of GATEHOUSE_STORE, with their password hashes, to a new file. The service may run\n" +
      `meanwhile. FORMAT is ${Object.keys(formats).join(" or ")}.`,
    async run({ args: [name = ""], paths: [, file = ""], env }) {
      const location = storeOf(env);
      const format = formatOf(name);
      await using store = await openToRead(location, { action: "export" });
      const { users, digest } = await exportUsers(store, { format, file });
      printError(`"${file}" has the password hashes of all users: keep it secret, and delete it after use`);
      return `Exported ${users} users, digest ${digest}, from "${nameOfLocation(location)}" to "${file}"`;
    },
  });
}

function formatOf(name: string): ExportFormat {
  const format = Object.hasOwn(formats, name) ? formats[name] : undefined;
  if (format !== undefined) return format;
  const names = Object.keys(formats).join(" or ");
  throw new TaskError(`Cannot export the format "${name}" as it is unknown: use ${names}`);
}

/** @throws {TaskError} the file exists or cannot be written, or there are no users */
async function exportUsers(
  store: Store,
  { format, file }: { readonly format: ExportFormat; readonly file: string },
): Promise<UserContents> {
  const disk = realDisk(dirname(file), { isOverwriting: false });
  const name = basename(file);
  for (const path of [name, `${name}.tmp`]) {
    if (!disk.mayHave(path)) continue;
    throw new TaskError(`Cannot write "${disk.path}/${path}" as there is a file of that name: choose another name`);
  }
  let contents: UserContents | undefined;
  try {
    using _file = await createWhole(disk, name, async (opened) => {
      contents = await writeUsers(store, { format, file: opened });
    });
  } catch (error) {
    if (!(error instanceof Error) || error instanceof TaskError) throw error;
    throw new TaskError(`Cannot write "${file}": ${reasonOf(error)}`, { cause: error });
  }
  if (contents === undefined) throw new TypeError("Cannot return what was not written");
  return contents;
}

async function writeUsers(
  store: Store,
  { format, file }: { readonly format: ExportFormat; readonly file: DiskFile },
): Promise<UserContents> {
  const onUser = countProgress("written");
  let text = format.head;
  let offset = 0;
  const flush = async () => {
    const bytes = new TextEncoder().encode(text);
    await file.write(bytes, offset);
    offset += bytes.length;
    text = "";
  };
  const contents = await userContentsOf(store, async (user) => {
    text += format.lineOf(user);
    onUser();
    if (text.length > chunkLength) await flush();
  });
  // A service with other settings creates such a store: its export would look like a success.
  if (contents.users === 0) {
    throw new TaskError("Cannot export as there are no users: set GATEHOUSE_STORE as for the service");
  }
  await flush();
  return contents;
}

function recordOf(user: User) {
  return {
    [id]: user.id,
    [login]: user.login,
    [password]: user.passwordHash,
    [date]: new Date(user.registeredAt).toISOString(),
    [groups]: user.groups,
    [disabled]: user.disabled,
  };
}

/** A field of CSV, in quotes, which are doubled within. */
function quoted(text: string): string {
  return `"${text.replaceAll('"', '""')}"`;
}
