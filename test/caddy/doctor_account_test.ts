/** The task `doctor`: the account that it logs in with, and what it prints when it has none. */
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { app, startGuarded } from "../support/caddy/guarded.ts";
import { ensureProgram } from "../support/packages.ts";
import { runDoctor } from "../support/caddy/run_doctor.ts";

const ignore = !await ensureProgram("caddy", "caddy");
const password = "mellow-otter-41-lantern";

for (const registration of ["ticket", "closed"]) {
  test(`doctor says at once that it needs an account where registration is ${registration}`, async () => {
    await using guarded = await startGuarded({ settings: { GATEHOUSE_REGISTRATION: registration } });
    const { code, output } = await runDoctor(guarded);
    const how = `DOCTOR_LOGIN=alice DOCTOR_PASSWORD=… deno task doctor ${guarded.caddy.url}`;
    const why = "Cannot register a temporary user as registration needs a ticket or is closed";
    assertEquals([code, output], [2, `${why}: name a user of the site, as in ${how}\n`]);
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
});

for (const [demand, status] of [["staff", 403], ["second-factor", 401]] as const) {
  test(`doctor does not report the demand ${demand}, which it cannot meet, as a failure`, async () => {
    await using guarded = await startGuarded({ edits: [app, ["import guard users", `import guard ${demand}`]] });
    const { code, output } = await runDoctor(guarded);
    assertEquals(code, 2, output);
    const why = `with a session the response to / is ${status}; set DOCTOR_LOGIN to a user that may see it, or --path`;
    assertStringIncludes(output, `\n           ${why}\n`);
    assertMatch(output, /^unknown {2}session /m);
    assertMatch(output, /\n9 pass, 0 fail, 12 unknown \(11 not tried without a session\)\n/);
  });
}

function test(name: string, fn: () => Promise<void>): void {
  Deno.test({ name, ignore, fn });
}
