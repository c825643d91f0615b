import { assertEquals, assertMatch } from "@std/assert";
import { readConfig } from "../../../lib/config/config.ts";
import { permissionFlags } from "../../../lib/tasks/permissions.ts";

const root = new URL("../../../", import.meta.url);
/** Of the folder `data`, as a value of `--allow-net`. */
const socket = `unix:${root.pathname}data/socket`;
const variables = "GATEHOUSE_*,MALLOC_MMAP_THRESHOLD_";
/** The modules of the Worker. */
const code = "lib/passwords";
const system = "--allow-sys=systemMemoryInfo";

Deno.test("permissionFlags() allows the address and the folder or database, and nothing else", () => {
  const rows: readonly (readonly [listen: string, store: string, flags: string])[] = [
    ["127.0.0.1:8000", "data", `--allow-net=${socket},127.0.0.1:8000 --allow-read=data,${code} --allow-write=data`],
    ["localhost:0", "/d", `--allow-net=unix:/d/socket,localhost:0 --allow-read=/d,${code} --allow-write=/d`],
    ["[::1]:8000", "data", `--allow-net=${socket},[::1]:8000 --allow-read=data,${code} --allow-write=data`],
    ["unix:/s", "data", `--allow-net=${socket},unix:/s --allow-read=data,/s,${code} --allow-write=data,/s`],
    ["127.0.0.1:1", "my data", "--allow-net=127.0.0.1:1 --allow-read --allow-write"],
    ["127.0.0.1:1", "a\u00a0b", "--allow-net=127.0.0.1:1 --allow-read --allow-write"],
    ["127.0.0.1:1", "a,b", "--allow-net=127.0.0.1:1 --allow-read --allow-write"],
    ["unix:/a b", "data", "--allow-net --allow-read --allow-write"],
    ["127.0.0.1:1", "postgres://me@localhost/d", `--allow-net=localhost:5432,127.0.0.1:1 --allow-read=${code}`],
    ["[::1]:1", "postgres://me@[::1]:6/d", `--allow-net=[::1]:6,[::1]:1 --allow-read=${code}`],
    ["127.0.0.1:1", "postgres://me@a:7,b/d?sslmode=require", `--allow-net=a:7,b:5432,127.0.0.1:1 --allow-read=${code}`],
    [
      "127.0.0.1:1",
      "postgres://me@db/d?sslmode=verify-full&sslrootcert=/etc/ca.crt",
      `--allow-net=db:5432,127.0.0.1:1 --allow-read=/etc/ca.crt,${code}`,
    ],
    [
      "127.0.0.1:1",
      "postgres://me@/d?host=/run/pg",
      `--allow-net=unix:/run/pg/.s.PGSQL.5432,127.0.0.1:1 --allow-read=/run/pg/.s.PGSQL.5432,${code} ` +
      "--allow-write=/run/pg/.s.PGSQL.5432",
    ],
    [
      "unix:/s",
      "postgres://me@/d?host=/p",
      `--allow-net=unix:/p/.s.PGSQL.5432,unix:/s --allow-read=/p/.s.PGSQL.5432,/s,${code} ` +
      "--allow-write=/p/.s.PGSQL.5432,/s",
    ],
  ];
  for (const [listen, store, flags] of rows) {
    const config = readConfig({ GATEHOUSE_LISTEN: listen, GATEHOUSE_STORE: store });
    const env = store.startsWith("postgres:") ? `${variables},PG*` : variables;
    assertEquals(permissionFlags(config), `--allow-env=${env} ${flags} ${system}`);
  }
});

Deno.test("permissionFlags() allows to read the files of settings and PGPASSFILE, and where they lead", async () => {
  const folder = await Deno.realPath(await Deno.makeTempDir());
  await Deno.writeTextFile(`${folder}/store`, "postgres://me@localhost/d\n");
  // Kubernetes links to the current version of a secret.
  await Deno.symlink("store", `${folder}/link`);
  await Deno.writeTextFile(`${folder}/pass`, "*:*:*:*:secret", { mode: 0o600 });
  const env = { GATEHOUSE_STORE_FILE: `${folder}/link`, PGPASSFILE: `${folder}/pass`, GATEHOUSE_LISTEN: "127.0.0.1:1" };
  assertEquals(
    permissionFlags(readConfig(env)),
    `--allow-env=${variables},PG* --allow-net=localhost:5432,127.0.0.1:1 ` +
      `--allow-read=${folder}/link,${folder}/store,${folder}/pass,${code} ${system}`,
  );
});

Deno.test("permissionFlags() allows where a path leads too, even if it does not exist yet behind a link", async () => {
  const folder = await Deno.realPath(await Deno.makeTempDir());
  await Deno.mkdir(`${folder}/real`);
  await Deno.symlink("real", `${folder}/link`);
  await Deno.symlink("nowhere", `${folder}/dangling`);
  await Deno.symlink("loop", `${folder}/loop`);
  await Deno.writeTextFile(`${folder}/file`, "");
  const rows: readonly (readonly [store: string, paths: string])[] = [
    ["real", `${folder}/real`],
    ["link", `${folder}/link,${folder}/real`],
    ["link/new/data", `${folder}/link/new/data,${folder}/real/new/data`],
    ["dangling", `${folder}/dangling`],
    ["loop/data", `${folder}/loop/data`],
    ["file/data", `${folder}/file/data`],
  ];
  for (const [store, paths] of rows) {
    const config = readConfig({ GATEHOUSE_STORE: `${folder}/${store}`, GATEHOUSE_LISTEN: "127.0.0.1:1" });
    const net = `unix:${folder}/${store}/socket,127.0.0.1:1`;
    const access = `--allow-read=${paths},${code} --allow-write=${paths}`;
    assertEquals(permissionFlags(config), `--allow-env=${variables} --allow-net=${net} ${access} ${system}`);
  }
  const onSocket = readConfig({ GATEHOUSE_STORE: `${folder}/real`, GATEHOUSE_LISTEN: `unix:${folder}/link/s` });
  const paths = `${folder}/real,${folder}/link/s,${folder}/real/s`;
  assertEquals(
    permissionFlags(onSocket),
    `--allow-env=${variables} --allow-net=unix:${folder}/real/socket,unix:${folder}/link/s ` +
      `--allow-read=${paths},${code} --allow-write=${paths} ${system}`,
  );
});

Deno.test("permissionFlags() names the logo, to be read and not written", () => {
  const config = readConfig({ GATEHOUSE_LOGO: "img/logo.svg", GATEHOUSE_STORE: "data" });
  const flags = `--allow-net=${socket},127.0.0.1:8000 --allow-read=data,img/logo.svg,${code} --allow-write=data`;
  assertEquals(permissionFlags(config), `--allow-env=${variables} ${flags} ${system}`);
});

Deno.test("permissionFlags() allows both addresses if /metrics has its own", () => {
  const config = readConfig({ GATEHOUSE_METRICS_LISTEN: "unix:/m", GATEHOUSE_STORE: "data" });
  const flags = `--allow-net=${socket},127.0.0.1:8000,unix:/m --allow-read=data,/m,${code} --allow-write=data,/m`;
  assertEquals(permissionFlags(config), `--allow-env=${variables} ${flags} ${system}`);
});

/** Does what the service does with its address and folder, then what it must not do, and prints the outcomes. */
const probe = `
  import "@zxcvbn-ts/core";
  import "@zxcvbn-ts/language-common";
  import v8 from "node:v8";
  import zlib from "node:zlib";
  import process from "node:process";
  import { readConfig, readEnvironment } from "${new URL("lib/config/config.ts", root)}";

  const { listen, store: { folder: store } } = readConfig(readEnvironment());
  await Deno.mkdir(store, { recursive: true });
  using lock = await Deno.open(store + "/lock", { read: true, write: true, create: true });
  if (!await lock.tryLock(true)) throw new Error("not locked");
  await lock.write(v8.serialize(zlib.crc32("x") + navigator.hardwareConcurrency));
  if (Deno.systemMemoryInfo().total < 1 || process.constrainedMemory() < 0) throw new Error("no memory");
  await lock.syncData();
  lock.statSync();
  await Deno.rename(store + "/lock", store + "/renamed");
  using folder = await Deno.open(store);
  await folder.sync();
  for await (const _ of Deno.readDir(store));
  await Deno.remove(store + "/renamed");
  if ("path" in listen) await Deno.writeTextFile(listen.path, "").then(() => Deno.remove(listen.path));
  const server = Deno.serve({ ...listen, onListen() {} }, () => new Response());
  await server.shutdown();
  if (!/[\\s,]/.test(store)) Deno.listen({ transport: "unix", path: store + "/socket" }).close();

  const outcome = (act) => Promise.try(act).then(() => "yes", (error) => error.name);
  console.log(JSON.stringify({
    read: await outcome(() => Deno.readTextFile("../outside")),
    write: await outcome(() => Deno.writeTextFile("../outside", "")),
    listen: await outcome(() => Deno.listen({ hostname: "127.0.0.2", port: 0 }).close()),
    connect: await outcome(() => Deno.connect({ hostname: "127.0.0.2", port: 1 })),
    run: await outcome(() => new Deno.Command("true").output()),
    variable: await outcome(() => Deno.env.get("HOME")),
    nodeVariable: await outcome(() => process.env.HOME),
    allVariables: await outcome(() => Deno.env.toObject()),
    system: await outcome(() => Deno.hostname()),
    library: await outcome(() => Deno.dlopen("libc.so.6", {})),
  }));
`;

const names = "read write listen connect run variable nodeVariable allVariables system library".split(" ");
const allRefused = Object.fromEntries(names.map((name) => [name, "NotCapable"]));

interface ProbeRow {
  readonly title: string;
  readonly env: Readonly<Record<string, string>>;
  readonly outcomes: Readonly<Record<string, string>>;
}

const probes: readonly ProbeRow[] = [
  { title: "of the defaults", env: { GATEHOUSE_LISTEN: "127.0.0.1:0" }, outcomes: allRefused },
  {
    title: "of a deeper folder",
    env: { GATEHOUSE_LISTEN: "localhost:0", GATEHOUSE_STORE: "a/b" },
    outcomes: allRefused,
  },
  {
    title: "of a folder with characters that a shell would expand",
    env: { GATEHOUSE_LISTEN: "0.0.0.0:0", GATEHOUSE_STORE: "./$HOME/~*[a'\"\\;&" },
    outcomes: allRefused,
  },
  {
    title: "of a folder with a space",
    env: { GATEHOUSE_LISTEN: "127.0.0.1:0", GATEHOUSE_STORE: "my data" },
    outcomes: { ...allRefused, read: "yes", write: "yes" },
  },
  {
    title: "of a folder with a comma",
    env: { GATEHOUSE_LISTEN: "127.0.0.1:0", GATEHOUSE_STORE: "a,b" },
    outcomes: { ...allRefused, read: "yes", write: "yes" },
  },
  {
    title: "of a folder behind a link",
    env: { GATEHOUSE_LISTEN: "127.0.0.1:0", GATEHOUSE_STORE: "CWD/link" },
    outcomes: allRefused,
  },
  { title: "of a unix socket", env: { GATEHOUSE_LISTEN: "unix:CWD/s" }, outcomes: allRefused },
];

for (const { title, env, outcomes } of probes) {
  Deno.test(`permissionFlags() ${title} are sufficient through the task's shell, and are limits`, async () => {
    const { success, stdout, stderr } = await runProbe(probe, env);
    assertEquals([stderr, success], ["", true]);
    assertEquals(JSON.parse(stdout), outcomes);
  });
}

Deno.test("permissions.ts grants only the environment and reading when the settings are wrong", async () => {
  const source = `
    const names = ["env", "net", "read", "write", "run"];
    console.log(JSON.stringify(names.map((name) => Deno.permissions.querySync({ name }).state)));`;
  const { success, stdout, stderr } = await runProbe(source, { GATEHOUSE_STORE: "" });
  assertEquals([stderr, success], ["", true]);
  assertEquals(JSON.parse(stdout), ["granted", "prompt", "granted", "prompt", "prompt"]);
});

Deno.test("the task start downloads no code, whatever the service imports", async () => {
  const rows = [
    ["https://deno.land/std@0.224.0/version.ts", "Requires import access"],
    ["https://raw.githubusercontent.com/denoland/std/main/version.ts", "Requires import access"],
    ["jsr:@std/assert@1.0.0", "--cached-only is specified"],
    ["npm:left-pad@1.3.0", "--cached-only is specified|lockfile is out of date"],
    [new URL("lib/http/html.ts", root).href, "Requires read access"],
  ] as const;
  for (const [specifier, refusal] of rows) {
    // Not as a literal: that is fetched with the program, which is trusted.
    const source = `const name = ${JSON.stringify(specifier)};
      console.log(await import(name).then(() => "imported", (error) => error.message));`;
    const { stdout, stderr } = await runProbe(source, {});
    assertEquals(stderr, "", specifier);
    assertMatch(stdout, new RegExp(refusal), specifier);
  }
});

/** Runs `source` as `deno task start` runs `main.ts`, in a new folder, which CWD in a setting stands for. */
async function runProbe(source: string, env: Readonly<Record<string, string>>) {
  const parent = await Deno.makeTempDir();
  try {
    const cwd = `${parent}/cwd`;
    await Deno.mkdir(`${cwd}/real`, { recursive: true });
    await Deno.symlink("real", `${cwd}/link`);
    await Deno.writeTextFile(`${parent}/outside`, "");
    await Deno.writeTextFile(`${cwd}/probe.js`, source);
    const config = new URL("deno.json", root).pathname;
    const { tasks } = JSON.parse(await Deno.readTextFile(config));
    const task = tasks.start.command.replaceAll("main.ts", "probe.js")
      .replace("lib/tasks/permissions.ts", new URL("lib/tasks/permissions.ts", root).pathname)
      .replaceAll(/deno (run|cache)/g, `$& --config ${config}`)
      .replaceAll("--lock=deno.lock", `--lock=${new URL("deno.lock", root).pathname}`);
    const settings = Object.entries(env).map(([name, value]) => [name, value.replace("CWD", cwd)]);
    const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["task", "--quiet", "--eval", task],
      cwd,
      env: Object.fromEntries(settings),
    }).output();
    const decoder = new TextDecoder();
    return { success, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
  } finally {
    await Deno.remove(parent, { recursive: true });
  }
}
