/** A page that demands a second factor, behind Caddy and nginx: curl with sessions and by HTTP Basic, and `recover`. */
import { assertEquals } from "@std/assert";
import { Buffer } from "node:buffer";
import { createSession } from "../../lib/accounts/session.ts";
import { createLog } from "../../lib/log.ts";
import type { Factor } from "../../lib/store.ts";
import { openFileStore } from "../../lib/store/file/file_store.ts";
import { app, type Guarded, impatience, type Proxy, startGuarded, testProxies } from "../support/caddy/guarded.ts";
import { ensureProgram } from "../support/packages.ts";
import { phcByNode } from "../support/passwords/phc.ts";
import { TestProcess } from "../support/process.ts";
import { startService } from "../support/service.ts";
import { credentialOf, userOf } from "../support/store/records.ts";

const password = "mellow-otter-41-lantern";
const navigation = ["--header", "Sec-Fetch-Mode: navigate"];
const ledger = "route /ledger* {\n\t\timport guard users/second-factor\n\t\treverse_proxy {$APP}\n\t}\n\n\t";
const location =
  "\tlocation /ledger {\n\t\tset $gatehouse_demands users/second-factor;\n\t\tproxy_pass http://127.0.0.1:3000;\n\t}\n";
const edits = {
  caddy: [["route {\n\t\timport guard", `${ledger}route {\n\t\timport guard`], app, impatience],
  nginx: [["\tlocation /staff {", `${location}\tlocation /staff {`]],
} as const;

/** A folder with alice, who has TOTP and a session by it, and bob, who has neither. @returns the cookies */
async function fillFolder(folder: string) {
  await using store = await openFileStore(folder, { log: createLog(() => {}) });
  const enter = async (login: string, ...factors: Factor[]) => {
    const user = await store.findUser(login) ??
      userOf(login, { passwordHash: phcByNode(password, { salt: Buffer.alloc(16), iterations: 1_000 }) });
    await store.insertUser(user);
    const client = { now: Date.now(), userAgent: "", address: "127.0.0.1" };
    const { session, token } = createSession(login, { ...client, factors });
    assertEquals(await store.insertSession(session, user), true);
    return ["--cookie", `__Host-gatehouse=${token}`];
  };
  const cookies = {
    alice: await enter("alice", "password", "totp"),
    old: await enter("alice", "password"),
    bob: await enter("bob", "password"),
  };
  const alice = userOf("alice", { passwordHash: (await store.findUser("alice"))?.passwordHash ?? "" });
  const totp = credentialOf("alice", alice.id, { kind: "totp", secret: "JBSWY3DPEHPK3PXP" });
  assertEquals(await store.insertCredentials(alice, [totp]), "done");
  return cookies;
}

/** Asks by curl. @returns the status, and where a redirect leads or which problem it is */
async function curl({ caddy, rootPath }: Guarded, path: string, args: readonly string[]): Promise<string> {
  const options = ["--silent", "--cacert", rootPath, "--write-out", "\n%{http_code} %header{location}"];
  const { stdout } = await new Deno.Command("curl", { args: [...options, ...args, `${caddy.url}${path}`] }).output();
  const [, body = "", status = ""] = /^(.*)\n(.*)$/s.exec(new TextDecoder().decode(stdout)) ?? [];
  const problem = /"type":"\/problem\/([\w-]+)"/.exec(body)?.[1] ?? "";
  return `${status.trim()} ${problem}`.trim();
}

if (await ensureProgram("curl", "curl")) {
  await testProxies("demands a second factor, and leads to it and back", demandFactor);
}

async function demandFactor(proxy: Proxy): Promise<void> {
  const folder = `${await Deno.makeTempDir({ prefix: "gatehouse-" })}/data`;
  const { alice, old, bob } = await fillFolder(folder);
  await using service = await startService({ env: { GATEHOUSE_STORE: folder } });
  await using site = await startGuarded({ service, proxy, edits: edits[proxy] });
  const page = "/auth/?need=second-factor&next=%2Fledger%3Fpage%3D2";
  const required = "401 second-factor-required";
  for (
    const [path, args, outcome] of [
      ["/", bob, "200"],
      ["/ledger?page=2", alice, "200"],
      ["/ledger?page=2", bob, required],
      ["/ledger?page=2", old, required],
      ["/ledger?page=2", [...navigation, ...bob], `302 ${page}`],
      ["/ledger?page=2", navigation, "302 /auth/?next=%2Fledger%3Fpage%3D2"],
      ["/ledger?page=2", [], "401 not-authenticated"],
      // The page stays until the session has a second factor.
      [page, [...navigation, ...bob], "200"],
      [page, [...navigation, ...alice], "302 /ledger?page=2"],
      ["/", ["--user", `bob:${password}`], "200"],
      ["/ledger", ["--user", `bob:${password}`], required],
      ["/", ["--user", `alice:${password}`], required],
      ["/", ["--user", "alice:wrong"], "401 wrong-credentials"],
    ] as const
  ) {
    assertEquals(await curl(site, path, args), outcome, `${path} ${args}`);
  }
  const json = ["--header", "Content-Type: application/json", "--header", "Sec-Fetch-Site: same-origin"];
  const make = ["--data", '{"name":"git"}', ...json, ...alice];
  const { stdout } = await new Deno.Command("curl", {
    args: ["--silent", "--cacert", site.rootPath, ...make, `${site.caddy.url}/auth/user/alice/app-password/`],
  }).output();
  const app = ["--user", `alice:${JSON.parse(new TextDecoder().decode(stdout)).password}`];
  for (const [path, outcome] of [["/", "200"], ["/ledger", required], ["/auth/session/", "401 not-authenticated"]]) {
    assertEquals(await curl(site, path ?? "", app), outcome);
  }

  const env = { GATEHOUSE_STORE: folder, NO_COLOR: "1" };
  await using task = new TestProcess(Deno.execPath(), {
    args: ["run", "-A", "lib/tasks/ticket.ts", "recover", "alice"],
    env,
  });
  assertEquals((await task.status).code, 0, task.output);
  await service.logged(/("event":"credential-deleted","audit":true,"onMachine":true,"user":"alice","count":2)/);
  assertEquals(await curl(site, "/", app), "401 wrong-credentials");
  assertEquals(await curl(site, "/", ["--user", `alice:${password}`]), "200");
  assertEquals(site.arrived.includes("GET /ledger?page=2"), true);
}
