/** Starting the service: what it takes, what keeps it from starting, and what an operator sees. */
import { assert, assertEquals, assertLess, assertMatch, assertStringIncludes } from "@std/assert";
import { TestProcess } from "./support/process.ts";
import { addressOf, rawPost, sendRaw } from "./support/raw_request.ts";
import { startService } from "./support/service.ts";

const alice = { login: "alice", password: "seven purple wombats sing" };
const cheap = { GATEHOUSE_PBKDF2_ITERATIONS: "1000", NO_COLOR: "1" };
const anyPort = "127.0.0.1:0";

/** How a start ended that could not succeed. */
interface FailedStart {
  readonly code: number;
  readonly stderr: string;
  readonly ms: number;
}

async function failToStart(
  env: Readonly<Record<string, string>>,
  args = ["run", "-A", "main.ts"],
): Promise<FailedStart> {
  const { DENO_DIR, HOME, PATH } = Deno.env.toObject();
  const inherited = Object.entries({ DENO_DIR, HOME, PATH }).filter(([, value]) => value !== undefined);
  const startedAt = performance.now();
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args,
    cwd: `${import.meta.dirname}/..`,
    clearEnv: true,
    env: { ...Object.fromEntries(inherited), ...cheap, ...env },
    stdin: "null",
    // It would otherwise run on when it does start.
    signal: AbortSignal.timeout(10_000),
  }).output();
  return { code, stderr: new TextDecoder().decode(stderr), ms: performance.now() - startedAt };
}

/** Whether a start ended at once, with status 1 and one line like `line` on standard error. */
function assertRefused({ code, stderr, ms }: FailedStart, line: RegExp): void {
  assertMatch(stderr, line);
  assertEquals([code, stderr.split("\n").length], [1, 2], stderr);
  assertLess(ms, 5_000);
}

/** A folder for what a test keeps. */
async function temporaryFolder(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await Deno.makeTempDir({ prefix: "gatehouse-" });
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }) };
}

/** Starts the service by `args`, and waits until it listens. */
async function startBy(args: string[], env: Readonly<Record<string, string>>) {
  const process = new TestProcess(Deno.execPath(), { args, env: { ...cheap, ...env } });
  const at = await process.until(
    () => /"event":"listening","at":"([^"]+)"/.exec(process.output)?.[1],
    { what: "the service to listen" },
  );
  return { process, at, [Symbol.asyncDispose]: () => process[Symbol.asyncDispose]() };
}

Deno.test("a second start on the same folder ends with one line that names the first", async () => {
  await using service = await startService();
  const failed = await failToStart({ GATEHOUSE_STORE: service.folder, GATEHOUSE_LISTEN: anyPort });
  assertRefused(failed, /^Cannot open store ".+" as it is locked: process \d+ holds it\. .*GATEHOUSE_STORE/);
  assertStringIncludes(failed.stderr, `"${service.folder}"`);
  assertStringIncludes(failed.stderr, `process ${service.pid} `);
  assertEquals((await sendRaw(addressOf(service.url), [rawPost("/user/", JSON.stringify(alice))])).status, 201);
});

Deno.test("a port in use ends the start with one line that names it, and the folder stays free", async () => {
  await using service = await startService();
  await using folder = await temporaryFolder();
  const env = { GATEHOUSE_STORE: folder.path, GATEHOUSE_LISTEN: new URL(service.url).host };
  assertRefused(
    await failToStart(env),
    /^Cannot listen on http:\/\/127\.0\.0\.1:\d+ as it is in use: .*GATEHOUSE_LISTEN$/m,
  );
  await using second = await startService({ env: { GATEHOUSE_STORE: folder.path } });
  assertEquals((await sendRaw(addressOf(second.url), [rawPost("/user/", JSON.stringify(alice))])).status, 201);
});

Deno.test("an address that is not this machine's ends the start with one line that names it", async () => {
  await using folder = await temporaryFolder();
  const env = { GATEHOUSE_STORE: folder.path, GATEHOUSE_LISTEN: "192.0.2.1:8000" };
  assertRefused(await failToStart(env), /^Cannot listen on http:\/\/192\.0\.2\.1:8000: /);
});

Deno.test("bad settings end the start with all of them, before anything is made", async () => {
  await using folder = await temporaryFolder();
  const { code, stderr } = await failToStart({
    GATEHOUSE_STORE: `${folder.path}/data`,
    GATEHOUSE_LISTEN: "8000",
    GATEHOUSE_PASSWORD_MIN_LENGTH: "7",
    GATEHOUSE_LOGIN_ERROR: "exact",
  });
  assertEquals(code, 1);
  const [first, ...faults] = stderr.trimEnd().split("\n");
  assertEquals(first, "Cannot start with these settings:");
  assertEquals(faults.length, 3);
  for (const text of ["GATEHOUSE_LISTEN ", "GATEHOUSE_PASSWORD_MIN_LENGTH ", "did you mean GATEHOUSE_LOGIN_ERRORS?"]) {
    assertStringIncludes(stderr, text);
  }
  assertEquals(Array.from(Deno.readDirSync(folder.path)), []);
});

Deno.test("a name that is not a setting also ends a start by the task, which cannot list the environment", async () => {
  await using folder = await temporaryFolder();
  const env = { GATEHOUSE_STORE: `${folder.path}/data`, GATEHOUSE_LISTEN: anyPort, GATEHOUSE_LOGIN_ERROR: "exact" };
  const { code, stderr } = await failToStart(env, ["task", "--quiet", "start"]);
  assertEquals(
    [code, stderr],
    [
      1,
      "Cannot start with these settings:\n" +
      "  GATEHOUSE_LOGIN_ERROR is not a setting: did you mean GATEHOUSE_LOGIN_ERRORS?\n",
    ],
  );
  assertEquals(Array.from(Deno.readDirSync(folder.path)), []);
});

Deno.test("an uncaught error ends the service with status 1 and is the last line of the log", async () => {
  const faults = ["throw new Error('boom')", "Promise.reject(new Error('boom'))"];
  for (const fault of faults) {
    await using folder = await temporaryFolder();
    await Deno.writeTextFile(`${folder.path}/fault.js`, `Deno.addSignalListener("SIGUSR2", () => { ${fault}; });`);
    const env = { GATEHOUSE_STORE: `${folder.path}/data`, GATEHOUSE_LISTEN: anyPort };
    await using service = await startBy(["run", "-A", "--preload", `${folder.path}/fault.js`, "main.ts"], env);
    assertEquals((await service.process.stop("SIGUSR2")).code, 1);
    const { output } = service.process;
    assertMatch(
      output,
      /"level":"error","instance":"[^"]+","event":"uncaught-error","error":\{"name":"Error","message":"boom","stack":/,
    );
    assertMatch(output, /^boom$/m);
  }
});

Deno.test("a folder that cannot be had ends the start with one line that names it", async () => {
  await using folder = await temporaryFolder();
  await Deno.writeTextFile(`${folder.path}/file`, "");
  const failed = await failToStart({ GATEHOUSE_STORE: `${folder.path}/file`, GATEHOUSE_LISTEN: anyPort });
  assertRefused(failed, /file/);
});

Deno.test("a damaged folder ends the start with one line: file, offset, and what to do", async () => {
  await using folder = await temporaryFolder();
  await Deno.writeTextFile(`${folder.path}/journal-1`, "HELLO".repeat(100));
  const failed = await failToStart({ GATEHOUSE_STORE: folder.path, GATEHOUSE_LISTEN: anyPort });
  assertRefused(failed, /^Cannot read ".+\/journal-1" as it is damaged at byte 0: .*Nothing was changed\. /);
  assertEquals((await Deno.readTextFile(`${folder.path}/journal-1`)).length, 500);
});

Deno.test("it serves on a unix socket, also where a killed process left one", async () => {
  await using folder = await temporaryFolder();
  const path = `${folder.path}/socket`;
  const env = { GATEHOUSE_STORE: `${folder.path}/data`, GATEHOUSE_LISTEN: `unix:${path}` };
  const register = () => sendRaw({ transport: "unix", path }, [rawPost("/user/", JSON.stringify(alice))]);
  {
    await using first = await startBy(["run", "-A", "main.ts"], env);
    assertEquals(first.at, `unix:${path}`);
    assertEquals((await register()).status, 201);
    await first.process.stop("SIGKILL");
    assert((await Deno.lstat(path)).isSocket);
  }
  await using second = await startBy(["run", "-A", "main.ts"], env);
  assertEquals((await register()).status, 409);

  const third = { GATEHOUSE_STORE: `${folder.path}/other`, GATEHOUSE_LISTEN: `unix:${path}` };
  assertRefused(await failToStart(third), /^Cannot listen on unix:\/.+\/socket as it is in use: /);
  assertEquals((await register()).status, 409);
  assertEquals((await second.process.stop("SIGTERM")).code, 0);
});

Deno.test("a file in the place of a unix socket ends the start, and stays as it is", async () => {
  await using folder = await temporaryFolder();
  const path = `${folder.path}/precious`;
  await Deno.writeTextFile(path, "gold");
  const env = { GATEHOUSE_STORE: `${folder.path}/data`, GATEHOUSE_LISTEN: `unix:${path}` };
  assertRefused(await failToStart(env), /^Cannot listen on unix:\/.+\/precious as it is in use: /);
  assertEquals(await Deno.readTextFile(path), "gold");
});

Deno.test("deno task start serves with the permissions that it names, and asks for no other", async () => {
  await using folder = await temporaryFolder();
  // Several folders have to be made, of which the permissions name the last alone.
  const store = `${folder.path}/new/folders/data`;
  const env = { GATEHOUSE_STORE: store, GATEHOUSE_LISTEN: anyPort, GATEHOUSE_PASSWORD_HASH: "argon2id" };
  await using started = await startBy(["task", "start"], env);
  // The task hands on no signal that kills: without this the service would outlive a test that fails.
  const pid = Number(await Deno.readTextFile(`${store}/lock`));
  try {
    const address = addressOf(started.at);
    const send = async (path: string, body: unknown) => {
      const { status } = await sendRaw(address, [rawPost(path, JSON.stringify(body))]);
      return status;
    };
    assertEquals(await send("/user/", alice), 201);
    assertEquals(await send("/session/", alice), 201);
    assertEquals(await send("/session/", { ...alice, login: "bob" }), 401);
    assertEquals((await started.process.stop("SIGTERM")).code, 0);
  } finally {
    if (isAlive(pid)) Deno.kill(pid, "SIGKILL");
  }
  const { output } = started.process;
  assert(!/NotCapable|--allow-|prompt|┏/i.test(output.replace(/^Task start.*$/m, "")), output);
  assert(!/"level":"error"|"freed-memory-kept"/.test(output), output);
  // Written at the end, so the service did not just die.
  assertMatch(Array.from(Deno.readDirSync(store), ({ name }) => name).join(), /snapshot-/);
});

Deno.test("deno task inspect shows who is registered, since when, and the hash, while the service runs", async () => {
  await using service = await startService();
  const before = Date.now();
  const logins = ["alice", "bob@example.org"];
  for (const login of logins) {
    const sent = rawPost("/user/", JSON.stringify({ ...alice, login }));
    assertEquals((await sendRaw(addressOf(service.url), [sent])).status, 201);
  }
  assertEquals((await sendRaw(addressOf(service.url), [rawPost("/session/", JSON.stringify(alice))])).status, 201);

  const { code, stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["task", "inspect", service.folder],
    cwd: `${import.meta.dirname}/..`,
    stdin: "null",
  }).output();
  assertEquals(code, 0);
  const records = new TextDecoder().decode(stdout).trimEnd().split("\n").map((line) => JSON.parse(line));
  assertEquals(records.map(({ kind, login, purpose, name }) => `${kind} ${login ?? name} ${purpose ?? ""}`).sort(), [
    "secret ceremony ",
    "secret decoy ",
    "session alice ",
    "ticket  setup",
    "user alice ",
    "user bob@example.org ",
  ]);
  for (const user of records.slice(0, 2)) {
    const registeredAt = Date.parse(user.registered_at);
    assert(before <= registeredAt && registeredAt <= Date.now());
    assertMatch(user.password_hash, /^\$pbkdf2-sha256\$i=1000\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/);
  }
  assertEquals((await sendRaw(addressOf(service.url), [rawPost("/session/", JSON.stringify(alice))])).status, 201);
});

function isAlive(pid: number): boolean {
  try {
    Deno.kill(pid, "SIGCONT");
    return true;
  } catch {
    return false;
  }
}
