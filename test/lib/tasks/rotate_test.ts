import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { rotate } from "../../../lib/tasks/rotate.ts";
import { StoreFolderError } from "../../../lib/store/file/store_folder.ts";
import { CorruptFileError } from "../../../lib/store/file/file_header.ts";
import { verify } from "../../../lib/tasks/backup.ts";
import { TaskError } from "../../../lib/tasks/task.ts";
import { open } from "../../support/store/file_store.ts";
import { userOf } from "../../support/store/records.ts";

const dayMs = 24 * 60 * 60 * 1_000;
const firstDay = Date.parse("2026-11-26T00:00:00.000Z");

function namesIn(folder: string): string[] {
  return Array.from(Deno.readDirSync(folder), ({ name }) => name).sort();
}

/** A store with one user, and a folder for its backups with files of other programs. */
async function scene() {
  const path = await Deno.makeTempDir();
  const [data, folder] = [`${path}/data`, `${path}/backups`];
  await addUser(data, "alice");
  await Deno.mkdir(folder);
  for (const name of ["gatehouse-old.backup", "notes"]) await Deno.writeTextFile(`${folder}/${name}`, "precious");
  const back = (day: number, keep = 2) => rotate(data, { folder, keep, now: firstDay + day * dayMs });
  return { data, folder, back, backups: () => namesIn(folder).filter((name) => /^gatehouse-2026/.test(name)) };
}

async function addUser(folder: string, login: string): Promise<void> {
  await using store = await open(folder);
  await store.insertUser(userOf(login));
}

Deno.test("rotate() keeps the newest backups, the new one whole, and every other file", async () => {
  const { data, folder, back, backups } = await scene();
  await back(0);
  await back(1);
  assertEquals(backups(), ["gatehouse-20261126T000000Z.backup", "gatehouse-20261127T000000Z.backup"]);
  await addUser(data, "bob");
  await Deno.writeTextFile(`${folder}/gatehouse-20261127T120000Z.backup.tmp`, "of a backup that was killed");
  // Neither is a backup that it made: it must not open, count or delete them.
  await Deno.mkdir(`${folder}/gatehouse-20991231T000000Z.backup`);
  await Deno.symlink("missing", `${folder}/gatehouse-20991231T000001Z.backup`);
  const { file, deleted, counts } = await back(2);
  assertEquals(deleted, ["gatehouse-20261126T000000Z.backup"]);
  assertEquals(backups(), ["gatehouse-20261127T000000Z.backup", "gatehouse-20261128T000000Z.backup"]);
  assertEquals([counts.user, (await verify(file)).counts.user], [2, 2]);
  const others = ["gatehouse-20991231T000000Z.backup", "gatehouse-20991231T000001Z.backup"];
  assertEquals(namesIn(folder).slice(-4), [...others, "gatehouse-old.backup", "notes"]);
  await back(3, 1);
  assertEquals(backups(), ["gatehouse-20261129T000000Z.backup"]);
  // Not the new one itself, on a machine with a clock that was set back.
  assertEquals((await back(-1, 1)).deleted, ["gatehouse-20261129T000000Z.backup"]);
  assertEquals(backups(), ["gatehouse-20261125T000000Z.backup"]);
});

Deno.test("rotate() deletes nothing when the backup fails", async () => {
  const { data, folder, back, backups } = await scene();
  await back(0);
  await back(1);
  const before = backups();
  // The same second: the name is taken.
  await assertRejects(() => back(1, 1), TaskError, "as there is a file");
  const journal = namesIn(data).find((name) => name.startsWith("snapshot-"));
  const bytes = await Deno.readFile(`${data}/${journal}`);
  await Deno.writeFile(`${data}/${journal}`, bytes.with(40, 99));
  await assertRejects(() => back(2, 1), CorruptFileError);
  await Deno.remove(data, { recursive: true });
  await Deno.mkdir(data);
  await assertRejects(() => back(2, 1), StoreFolderError);
  assertEquals(backups(), before);
  await assertRejects(() => rotate(data, { folder: `${folder}/missing`, keep: 1 }), Error);
});

Deno.test("rotate() deletes nothing while an older backup has more changes, as if the store was lost", async () => {
  const { data, back, backups } = await scene();
  await addUser(data, "bob");
  await back(0);
  await Deno.remove(data, { recursive: true });
  await addUser(data, "mallory");
  for (const day of [1, 2, 3]) await assertRejects(() => back(day, 1), TaskError, "has 2 changes and the store only 1");
  assertEquals(backups().length, 4);
  await addUser(data, "bob");
  assertEquals((await back(4, 1)).deleted.length, 4);
});

Deno.test("deno task rotate says what it made, and refuses a wrong number", async () => {
  const { data, folder, backups } = await scene();
  const run = async (...args: string[]) => {
    const command = new Deno.Command(Deno.execPath(), {
      args: ["task", "--quiet", "rotate", folder, ...args],
      env: { GATEHOUSE_STORE: data },
      stdin: "null",
    });
    const { code, stdout, stderr } = await command.output();
    return { code, output: new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr) };
  };
  for (const keep of ["0", "two", "-1"]) {
    const { code, output } = await run(`--keep=${keep}`);
    assertEquals([code, output.includes("--keep is 1 to 9999"), backups().length], [1, true, 0], output);
  }
  const { code, output } = await run("--keep", "1");
  assertEquals([code, backups().length], [0, 1], output);
  assertStringIncludes(
    output,
    `Backed up 1 users from "${data}" to "${folder}/${backups()[0]}", and deleted 0 old backups`,
  );
});
