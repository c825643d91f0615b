import { assert, assertEquals, assertRejects } from "@std/assert";
import { backUp, restore, verify } from "../../../lib/tasks/backup.ts";
import { TaskError } from "../../../lib/tasks/task.ts";
import { StoreFolderError } from "../../../lib/store/file/store_folder.ts";
import { CorruptFileError } from "../../../lib/store/file/file_header.ts";
import { deleteByLogin, sessionOf, siteOf, ticketOf, userOf } from "../../support/store/records.ts";
import { open } from "../../support/store/file_store.ts";

Deno.test("backUp() of a folder in use and restore() make a folder with the same records", async () => {
  const folder = await Deno.makeTempDir();
  const session = sessionOf("alice", "s1", { sites: [siteOf("https://wiki.example.org")] });
  await using store = await open(`${folder}/data`);
  await store.insertUser(userOf("alice", { groups: ["admin", "staff"] }));
  await store.insertSession(session, userOf("alice", { groups: ["admin", "staff"] }));
  await store.insertUser(userOf("bob"));
  await deleteByLogin(store, "bob");

  await store.insertTicket(ticketOf("t1"));
  await store.ensureSecret({ name: "decoy", value: "one" });

  const holdings = {
    counts: { user: 1, session: 1, ticket: 1, secret: 1, credential: 0 },
    changeCount: 6,
    torn: undefined,
  };
  assertEquals(await backUp(`${folder}/data`, `${folder}/backup`), holdings);
  assertEquals(await verify(`${folder}/backup`), holdings);
  assertEquals(await verify(`${folder}/data`), holdings);
  assertEquals(await restore(`${folder}/backup`, `${folder}/new`), holdings);
  assertEquals(await verify(`${folder}/new`), holdings);

  await using restored = await open(`${folder}/new`);
  assertEquals(await restored.findUser("alice"), userOf("alice", { groups: ["admin", "staff"] }));
  assertEquals((await restored.findSession("s1"))?.session, session);
  assertEquals(await restored.findTicket("t1"), ticketOf("t1"));
  assertEquals(await restored.ensureSecret({ name: "decoy", value: "other" }), "one");
  await restored.insertUser(userOf("carol"));
  assertEquals((await verify(`${folder}/new`)).changeCount, 7);
});

Deno.test("backUp() contains every user acknowledged before it, during changes and compactions", async () => {
  const folder = await Deno.makeTempDir();
  await using store = await open(`${folder}/data`, { minCompactBytes: 4_096 });
  let acknowledged = 0;
  let isOver = false;
  const load = (async () => {
    while (!isOver) {
      await Promise.all([1, 2, 3, 4].map((part) => store.insertUser(userOf(`user${acknowledged + part}`))));
      acknowledged += 4;
    }
  })();
  try {
    for (let round = 0; round < 5; round++) {
      while (acknowledged < (round + 1) * 200) await new Promise((resolve) => setTimeout(resolve, 1));
      const before = acknowledged;
      // In another process, as the task is, so that this one is not blocked.
      const { success, stderr } = await runTask(["backup", `${folder}/${round}`], {
        GATEHOUSE_STORE: `${folder}/data`,
      });
      assert(success, stderr);
      await restore(`${folder}/${round}`, `${folder}/new${round}`);
      await using restored = await open(`${folder}/new${round}`);
      for (let index = 1; index <= before; index++) {
        assert(await restored.findUser(`user${index}`) !== undefined, `user${index} of ${before}`);
      }
    }
  } finally {
    isOver = true;
    await load;
  }
});

Deno.test("backUp() rejects a store without users, and the task warns when no service uses the store", async () => {
  const folder = await Deno.makeTempDir();
  const env = { GATEHOUSE_STORE: `${folder}/data` };
  {
    await using store = await open(`${folder}/data`);
    await store.insertTicket(ticketOf("t1", { purpose: "setup" }));
    const message = `Cannot back up "${folder}/data" as it holds no users: set GATEHOUSE_STORE as for the service`;
    await assertRejects(() => backUp(`${folder}/data`, `${folder}/backup`), TaskError, message);
    await assertRejects(() => Deno.stat(`${folder}/backup`), Deno.errors.NotFound);
    await store.insertUser(userOf("alice"));
    assertEquals((await runTask(["backup", `${folder}/used`], env)).stderr, "");
  }
  const { success, stderr } = await runTask(["backup", `${folder}/unused`], env);
  assert(success);
  assertEquals(
    stderr,
    `No service uses "${folder}/data" now. If one runs, its users are elsewhere: set GATEHOUSE_STORE as for it\n`,
  );
});

Deno.test("backUp() overwrites no file, and rejects a folder without records", async () => {
  const folder = await Deno.makeTempDir();
  await Deno.mkdir(`${folder}/empty`);
  await assertRejects(() => backUp(`${folder}/empty`, `${folder}/backup`), StoreFolderError, "Cannot back up");
  {
    await using store = await open(`${folder}/data`);
    await store.insertUser(userOf("alice"));
  }
  await Deno.writeTextFile(`${folder}/backup`, "precious");
  await assertRejects(() => backUp(`${folder}/data`, `${folder}/backup`), TaskError, "as there is a file");
  assertEquals(await Deno.readTextFile(`${folder}/backup`), "precious");
  await Deno.writeTextFile(`${folder}/other.tmp`, "precious");
  await assertRejects(() => backUp(`${folder}/data`, `${folder}/other`), TaskError, "other.tmp");
  await Deno.symlink(`${folder}/nowhere`, `${folder}/link`);
  await assertRejects(() => backUp(`${folder}/data`, `${folder}/link`), TaskError, "as there is a file");
  await assertRejects(() => backUp(`${folder}/data`, `${folder}/data/snapshot-9`), TaskError, "of such names");
});

for (const name of ["backup.tmp", "backup"]) {
  Deno.test(`backUp() neither follows nor replaces a link created as ${name} while it reads`, async () => {
    for (const make of [Deno.symlinkSync, Deno.linkSync]) {
      const folder = await Deno.makeTempDir();
      {
        await using store = await open(`${folder}/data`);
        await store.insertUser(userOf("alice"));
      }
      await Deno.writeTextFile(`${folder}/precious`, "gold");
      const { readDirSync } = Deno;
      try {
        Deno.readDirSync = (path) => {
          Deno.readDirSync = readDirSync;
          make(`${folder}/precious`, `${folder}/${name}`);
          return readDirSync(path);
        };
        await assertRejects(() => backUp(`${folder}/data`, `${folder}/backup`), TaskError, "Cannot write backup");
      } finally {
        Deno.readDirSync = readDirSync;
      }
      assertEquals(await Deno.readTextFile(`${folder}/precious`), "gold");
      assertEquals(await Deno.readTextFile(`${folder}/${name}`), "gold");
    }
  });
}

Deno.test("backUp() reads the file back, and rejects bytes that it did not write", async () => {
  const folder = await Deno.makeTempDir();
  {
    await using store = await open(`${folder}/data`);
    await store.insertUser(userOf("alice"));
  }
  const { rename } = Deno;
  try {
    Deno.rename = async (from, to) => {
      await rename(from, to);
      const bytes = await Deno.readFile(to);
      await Deno.writeFile(to, bytes.with(60, 0xee));
    };
    await assertRejects(() => backUp(`${folder}/data`, `${folder}/backup`), CorruptFileError, "at byte 32");
  } finally {
    Deno.rename = rename;
  }
});

Deno.test("backUp() names the file that it cannot write", async () => {
  const folder = await Deno.makeTempDir();
  {
    await using store = await open(`${folder}/data`);
    await store.insertUser(userOf("alice"));
  }
  const file = `${folder}/none/backup`;
  await assertRejects(() => backUp(`${folder}/data`, file), TaskError, `Cannot write backup "${file}": No such file`);
});

Deno.test("the tasks backup, verify and restore print their result, or the reason with exit status 1", async () => {
  const folder = await Deno.makeTempDir();
  {
    await using store = await open(`${folder}/data`);
    await store.insertUser(userOf("alice"));
  }
  // `deno task` sets it to the folder where it was called.
  const env = { GATEHOUSE_STORE: `${folder}/data`, INIT_CWD: folder };
  const held = "1 users, 0 sessions, 0 tickets, 0 secrets, 0 credentials, up to change 1";
  const rows: readonly [args: string[], success: boolean, text: string][] = [
    [["backup", `${folder}/backup`], true, `Backed up ${held}, from "${folder}/data" to "${folder}/backup"\n`],
    [["verify", `${folder}/backup`], true, `Whole: ${held}, in "${folder}/backup"\n`],
    [
      ["restore", `${folder}/backup`, `${folder}/new`],
      true,
      `Restored ${held}, from "${folder}/backup" to "${folder}/new"\n`,
    ],
    [["backup", "relative"], true, `Backed up ${held}, from "${folder}/data" to "${folder}/relative"\n`],
    [["verify", "./relative"], true, `Whole: ${held}, in "${folder}/relative"\n`],
    [["verify", "."], false, `Cannot verify "${folder}" as it contains no store`],
    [["backup", `${folder}/backup`], false, "as there is a file"],
    [["backup"], false, "Usage: deno task backup FILE"],
    [["verify", `${folder}/none`], false, "No such file"],
    [["restore", `${folder}/backup`], false, "Usage"],
  ];
  for (const [args, success, text] of rows) {
    const result = await runTask(args, env);
    assertEquals(result.success, success, result.stderr);
    assert((success ? result.stdout : result.stderr).includes(text), result.stdout + result.stderr);
  }
});

async function runTask(args: string[], env: Record<string, string>) {
  const script = new URL("../../../lib/tasks/backup.ts", import.meta.url).pathname;
  const output = await new Deno.Command(Deno.execPath(), { args: ["run", "-A", script, ...args], env }).output();
  const text = new TextDecoder();
  return { success: output.success, stdout: text.decode(output.stdout), stderr: text.decode(output.stderr) };
}
