/** What the opening of a data folder changes or warns about: its permissions, and folders that cannot be synced. */
import { assert, assertEquals } from "@std/assert";
import { createLog } from "../../../../lib/log.ts";
import { realDisk } from "../../../../lib/store/file/disk.ts";
import { openFileStore } from "../../../../lib/store/file/file_store.ts";
import { userOf } from "../../../support/store/records.ts";
import { SimulatedDisk } from "../../../support/store/simulated_disk.ts";

const isRoot = Deno.uid() === 0;

Deno.test("openFileStore() makes its folder private, also one of a clone, and says so", async () => {
  for (const mode of [0o755, 0o750, 0o777, 0o701]) {
    const path = await Deno.makeTempDir();
    await Deno.writeTextFile(`${path}/.gitkeep`, "");
    await Deno.chmod(path, mode);
    const events = await openAndLog(path);
    assertEquals(events, [{ event: "folder-made-private", folder: path, mode: mode.toString(8) }]);
    assertEquals(await modeOf(path), 0o700);
    assertEquals(await openAndLog(path), []);
  }
});

Deno.test("openFileStore() warns of a folder that others can look into and that it cannot make private", async () => {
  const shared = await Deno.makeTempDir();
  await Deno.chmod(shared, 0o755);
  await Deno.writeTextFile(`${shared}/notes.txt`, "");
  assertEquals(await warningsOf(shared), [["folder-not-private", "755", "it contains other files"]]);
  assertEquals(await modeOf(shared), 0o755);

  const refusing = await Deno.makeTempDir();
  await Deno.chmod(refusing, 0o755);
  const { chmod } = Deno;
  try {
    Deno.chmod = () => Promise.reject(new Error("no modes here"));
    assertEquals(await warningsOf(refusing), [["folder-not-private", "755", "Error: no modes here"]]);
  } finally {
    Deno.chmod = chmod;
  }
});

Deno.test({
  name: "openFileStore() leaves the permissions of another user's folder as they are, and warns",
  ignore: !isRoot,
  async fn() {
    const path = await Deno.makeTempDir();
    await Deno.chmod(path, 0o755);
    await Deno.chown(path, 65_534, 65_534);
    assertEquals(await warningsOf(path), [["folder-not-private", "755", "it belongs to another user"]]);
    assertEquals(await modeOf(path), 0o755);
  },
});

for (const error of ["Invalid argument (os error 22)", "Operation not supported (os error 95)"]) {
  Deno.test(`a file store works, with a warning at the start, if a folder cannot be synced: ${error}`, async () => {
    const disk = new SimulatedDisk();
    disk.errorText = error;
    disk.script = ({ kind }) => kind === "syncFolder" ? "fail" : undefined;
    const lines: string[] = [];
    const store = await openFileStore("", { disk, log: createLog((line) => lines.push(line)), extendBytes: 4_096 });
    const [warning] = lines.map((line) => JSON.parse(line));
    assertEquals([lines.length, warning.event, warning.folder], [1, "folder-not-synced", "simulated"]);
    assert(warning.problem.includes(error) && warning.remedy.includes("local disk"), lines[0]);
    await store.insertUser(userOf("alice"));
    await store[Symbol.asyncDispose]();
    assertEquals(disk.list().sort(), ["journal-2", "snapshot-2"]);
  });
}

Deno.test("openFileStore() makes a folder whose parent cannot be synced", async () => {
  const folder = await Deno.makeTempDir();
  const invalid = "TypeError: Invalid argument (os error 22)";
  const { sync } = Deno.FsFile.prototype;
  try {
    Deno.FsFile.prototype.sync = () => Promise.reject(new TypeError("Invalid argument (os error 22)"));
    assertEquals(await warningsOf(`${folder}/new/data`), [["folder-not-synced", undefined, invalid]]);
  } finally {
    Deno.FsFile.prototype.sync = sync;
  }
});

/** What a start says, without time and level. */
async function openAndLog(path: string): Promise<Record<string, unknown>[]> {
  const lines: string[] = [];
  await using _store = await openFileStore(path, {
    log: createLog((line) => lines.push(line)),
    extendBytes: 4_096,
    disk: realDisk(path),
  });
  return lines.map((line) => {
    const { time: _time, level: _level, ...event } = JSON.parse(line);
    return event;
  });
}

async function warningsOf(path: string): Promise<unknown[]> {
  return (await openAndLog(path)).map(({ event, mode, problem }) => [event, mode, problem]);
}

async function modeOf(path: string): Promise<number> {
  return ((await Deno.stat(path)).mode ?? 0) & 0o7777;
}
