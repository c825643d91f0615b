/** The task `doctor`: the account that it logs in with, and what it prints when it has none. */
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { app, startGuarded } from "../support/caddy/guarded.ts";
import { ensureProgram } from "../support/packages.ts";
import { runDoctor } from "../support/caddy/run_doctor.ts";

const ignore = !await ensureProgram("caddy", "caddy");
const password = "mellow-otter-41-lantern";

for (const [registration, reason] of [["ticket", "needs a ticket"], ["closed", "is closed"]] as const) {
  test(`doctor ends with 2 without an account where registration ${reason}`, async () => {
    await using guarded = await startGuarded({ settings: { GATEHOUSE_REGISTRATION: registration } });
    const { code, output } = await runDoctor(guarded);
    assertEquals(code, 2, output);
    const told = output.split(`Registration ${reason}: set DOCTOR_LOGIN and DOCTOR_PASSWORD\n`);
    assertEquals(told.length, 2, output);
    assertMatch(output, /\n9 pass, 0 fail, 12 unknown \(12 not tried, as printed above\)\n/);
  });
}

test("doctor ends with 1 when a check fails, also without an account", async () => {
  const config = new URL("./doctor/metrics.Caddyfile", import.meta.url).pathname;
  await using guarded = await startGuarded({ config, settings: { GATEHOUSE_REGISTRATION: "ticket" } });
  const { code, output } = await runDoctor(guarded);
  assertEquals(code, 1, output);
  assertMatch(output, /\n8 pass, 1 fail, 12 unknown \(12 not tried, as printed above\)\n/);
});

test("doctor prints another reason why it cannot register", async () => {
  const full = "@full {\n\t\tmethod POST\n\t\tpath /auth/user/\n\t}\n\trespond @full 507\n\thandle_path /auth/* {";
  await using guarded = await startGuarded({ edits: [app, ["handle_path /auth/* {", full]] });
  const { code, output } = await runDoctor(guarded);
  assertEquals(code, 2, output);
  assertMatch(output, /^Cannot register: 507$/m);
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
  assertEquals(wrong.output.match(/^Cannot log in: 401 .*$/gm)?.length, 1, wrong.output);
});

test("doctor does not report a group that it is not in as a failure", async () => {
  await using guarded = await startGuarded({ edits: [app, ["import guard users", "import guard staff"]] });
  const { code, output } = await runDoctor(guarded);
  assertEquals(code, 2, output);
  assertMatch(output, /^unknown {2}session .*\n.* 403; set DOCTOR_LOGIN to a user that may see it$/m);
  assertEquals(
    output.match(/^The session is not admitted, so the remaining checks cannot be tried$/gm)?.length,
    1,
    output,
  );
  assertMatch(output, /\n9 pass, 0 fail, 12 unknown \(11 not tried, as printed above\)\n/);
});

function test(name: string, fn: () => Promise<void>): void {
  Deno.test({ name, ignore, fn });
}
