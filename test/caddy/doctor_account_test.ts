/** The task `doctor`: the account that it logs in with, and what it prints when it has none. */
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { examine } from "../../caddy/doctor.ts";
import { findHome } from "../../caddy/doctor_account.ts";
import { app, type Guarded, startGuarded } from "../support/caddy/guarded.ts";
import { addTotp } from "../support/page/factors.ts";
import { accountsOf } from "../support/page/site.ts";
import { ensureProgram } from "../support/packages.ts";
import type { Edit } from "../support/caddy/edited_caddyfile.ts";
import { freePort } from "../support/process.ts";
import { runDoctor, runTask } from "../support/caddy/run_doctor.ts";

const ignore = !await ensureProgram("caddy", "caddy");
const password = "mellow-otter-41-lantern";

for (const registration of ["ticket", "closed"]) {
  test(`doctor says at once that it needs an account where registration is ${registration}`, async () => {
    await using guarded = await startGuarded({ settings: { GATEHOUSE_REGISTRATION: registration } });
    const { code, output } = await runDoctor(guarded);
    const how = `DOCTOR_LOGIN=alice DOCTOR_PASSWORD=… deno task doctor ${guarded.caddy.url}`;
    const why = "Cannot register a temporary user as registration needs a ticket or is closed";
    assertEquals([code, output], [2, `The proxy is Caddy\n${why}: name a user of the site, as in ${how}\n`]);
  });
}

test("doctor prints another reason why it cannot register", async () => {
  const full = "@full {\n\t\tmethod POST\n\t\tpath /auth/user/\n\t}\n\trespond @full 507\n\thandle_path /auth/* {";
  await using guarded = await startGuarded({ edits: [app, ["handle_path /auth/* {", full]] });
  const { code, output } = await runDoctor(guarded);
  assertEquals(code, 2, output);
  assertMatch(output, /^unknown {2}session .*\n {11}Cannot register: 507$/m);
  assertMatch(output, /\n9 pass, 0 fail, 12 unknown \(11 not tried without a session\)\n/);
});

test("doctor logs in as a given user if registration is closed, and ends its sessions", async () => {
  const settings = { GATEHOUSE_REGISTRATION: "closed" };
  await using guarded = await startGuarded({ settings });
  const cookie = await guarded.enterAsAdmin("root");
  const { code, output } = await runDoctor(guarded, { DOCTOR_LOGIN: "root", DOCTOR_PASSWORD: password });
  assertEquals([code, output.includes(password)], [0, false], output);
  assertStringIncludes(output, "\n21 pass, 0 fail, 0 unknown\n");
  const sessions = await guarded.ask("/auth/user/root/session/", { headers: { cookie } });
  assertEquals((await sessions.json()).sessions.length, 1);

  const wrong = await runDoctor(guarded, { DOCTOR_LOGIN: "root", DOCTOR_PASSWORD: "wrong" });
  assertEquals(wrong.code, 2, wrong.output);
  assertEquals(wrong.output.match(/^ {11}Cannot log in: 401 .*$/gm)?.length, 1, wrong.output);

  await addTotp(accountsOf(guarded.service), { login: "root", token: cookie.replace(/^[^=]*=/, "") });
  const second = await runDoctor(guarded, { DOCTOR_LOGIN: "root", DOCTOR_PASSWORD: password });
  assertEquals(second.code, 2, second.output);
  assertStringIncludes(second.output, "Cannot log in: root has a second factor, name a user without one\n");
});

const factor = "requires a second factor, which the doctor does not have: use --path, or run it before you set " +
  "GATEHOUSE_SECOND_FACTOR=all";
const demands = [
  ["the group staff", "staff", "optional", "with a session the response to / is 403; set DOCTOR_LOGIN"],
  ["a second factor", "users/second-factor", "optional", `/ ${factor}`],
  ["a second factor everywhere", "users", "all", `/ ${factor}`],
] as const;
for (const [what, demand, policy, why] of demands) {
  test(`doctor does not report as a failure that a page demands ${what}, and deletes its user`, async () => {
    const edits = [app, ["import guard users", `import guard ${demand}`]] as const;
    await using guarded = await startGuarded({ edits, settings: { GATEHOUSE_SECOND_FACTOR: policy } });
    const { code, output } = await runDoctor(guarded);
    assertEquals(code, 2, output);
    assertStringIncludes(output, `\n           ${why}`);
    assertMatch(output, /^unknown {2}session /m);
    assertMatch(output, /\n9 pass, 0 fail, 12 unknown \(11 not tried without a session\)\n/);
    await guarded.service.logged(/"event":"(user-deleted)"/);
  });
}

test("doctor logs in at the home of a site, with its own user and with a given one", async () => {
  await using guarded = await startWithHome();
  const atHome = `The proxy is Caddy\nUsers log in at ${guarded.home}\npass     no-session `;
  const own = await runDoctor(guarded);
  assertEquals([own.code, own.output.slice(0, atHome.length)], [0, atHome], own.output);
  assertStringIncludes(own.output, "\n21 pass, 0 fail, 0 unknown\n");
  await guarded.service.logged(/"event":"(user-deleted)"/);

  const { addUser, logIn, ask } = accountsOf(guarded.service);
  await addUser("alice");
  const given = await runDoctor(guarded, { DOCTOR_LOGIN: "alice", DOCTOR_PASSWORD: password });
  assertEquals([given.code, given.output.includes(password)], [0, false], given.output);
  const { sessions } = await ask(await logIn("alice"), "GET", "/user/alice/session/");
  assertEquals((sessions as unknown[]).length, 1);
});

test("doctor finds a site that is taken for its home", async () => {
  const atAuth = "max_size 64KiB\n\t\t}\n\t\treverse_proxy {$UPSTREAM:127.0.0.1:8000}";
  const withHost = (lines: string): Edit => [atAuth, `${atAuth} {\n\t\t\t${lines}\n\t\t}`];
  const rows: [Edit[], string[]][] = [
    [[withHost("header_up X-Forwarded-Host 127.0.0.1:{http.request.port}")], ["page", "session"]],
    [[withHost("trusted_proxies 127.0.0.1/8"), ["request_header -*Forwarded*", ""]], ["decision", "forwarded"]],
  ];
  for (const [edits, expected] of rows) {
    await using guarded = await startWithHome({ edits });
    const place = { site: guarded.client, home: await findHome(guarded.client) };
    const findings = await Array.fromAsync(examine(place, { path: "/" }));
    const failures = findings.filter(({ failure }) => typeof failure === "string");
    assertEquals(failures.map(({ id }) => id), expected);
    assertMatch(String(failures[0]?.failure), /belong to https:\/\/127\.0\.0\.1:\d+ only|as if the site were its home/);
  }
});

test("doctor says at once that a site is not one of its home, or is the home", async () => {
  await using guarded = await startWithHome({ sites: "https://files.example.org" });
  const { code, output } = await runDoctor(guarded);
  const { origin } = new URL(guarded.caddy.url);
  const why = `Cannot check ${origin} as Gatehouse does not list it, so that it is closed: add it to GATEHOUSE_SITES`;
  assertEquals([code, output], [2, `The proxy is Caddy\n${why} as ${origin}, and restart Gatehouse\n`]);

  const { home, rootPath } = guarded;
  await using task = runTask([home, "--ca", rootPath], {});
  assertEquals((await task.status).code, 2);
  const whyHome = `Cannot check ${home} as it is Gatehouse itself: use the address of a site that it guards`;
  assertEquals(task.output, `The proxy is Caddy\n${whyHome}\n`);
});

/** Starts a site with a home, on one port of one proxy: hosts differ, `localhost` and its address. */
async function startWithHome(
  { sites, edits = [] }: { sites?: string; edits?: readonly Edit[] } = {},
): Promise<Guarded & { readonly home: string }> {
  const port = freePort();
  const home = `https://127.0.0.1:${port}`;
  const siteBlock = "{$SITE:https://localhost:8443} {";
  const homeBlock = `${home} {\n\tbind 127.0.0.1\n\ttls internal\n\treverse_proxy {$UPSTREAM}\n}\n\n`;
  const settings = { GATEHOUSE_HOME: home, GATEHOUSE_SITES: sites ?? `https://localhost:${port}` };
  const guarded = await startGuarded({ port, settings, edits: [app, [siteBlock, homeBlock + siteBlock], ...edits] });
  return Object.assign(guarded, { home });
}

function test(name: string, fn: () => Promise<void>): void {
  Deno.test({ name, ignore, fn });
}
