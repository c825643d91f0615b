/** A journal on a simulated disk, and what is in it. */
import type { Change } from "../../../lib/store.ts";
import { Journal, type JournalOptions } from "../../../lib/store/file/journal.ts";
import { readJournal } from "../../../lib/store/file/folder.ts";
import { createJournal } from "../../../lib/store/file/journal_file.ts";
import { userOf } from "./records.ts";
import { type Call, type Fault, SimulatedDisk } from "./simulated_disk.ts";

/** Opens a journal. */
export async function openJournal(options: Partial<JournalOptions> & { extendBytes: number } = { extendBytes: 4096 }) {
  const disk = new SimulatedDisk();
  const applied: string[] = [];
  const apply = (change: Change) =>
    void applied.push("record" in change && change.kind === "user" ? change.record.login : change.kind);
  await createJournal(disk, { generation: 1, changesBefore: 0 }, options.extendBytes);
  const journal = new Journal(disk, readJournal(disk, 1, apply), { apply, ...options });
  return { disk, journal, applied };
}

/** A change that inserts a user of that login. */
export function put(login: string): Change {
  return { kind: "user", record: userOf(login) };
}

/** The logins in a journal. */
export function logins(disk: SimulatedDisk, generation: number): string[] {
  const found: string[] = [];
  readJournal(
    disk,
    generation,
    (change) => void found.push("record" in change && change.kind === "user" ? change.record.login : "?"),
  );
  return found;
}

/** Lets the next call of that kind fail. */
export function failNext(disk: SimulatedDisk, kind: Call["kind"], fault: Fault): void {
  let isDone = false;
  disk.script = (call) => {
    if (isDone || call.kind !== kind) return undefined;
    isDone = true;
    return fault;
  };
}
