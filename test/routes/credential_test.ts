/** `/user/:login/credential/`, and how credentials are set up. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { auditOf, countOutcomes, openAdminApp, openWithAlice, outcomeOf } from "../support/accounts.ts";
import { alice, openAppOfAlice, type TestApp } from "../support/app.ts";
import { Authenticator } from "../support/factors/authenticator.ts";
import { beginLogin, beginTotp, page, setUpPasskey, setUpTotp } from "../support/factors/set_up.ts";

const minuteMs = 60_000;

interface Shown {
  readonly id: string;
  readonly kind: string;
  readonly name: string;
  readonly last_used_at: string | null;
}

async function listed({ send }: TestApp, token: string): Promise<[credentials: Shown[], codeCount: unknown]> {
  const { status, json } = await send("GET", "/user/alice/credential/", { token });
  assertEquals(status, 200);
  return [json.credentials as Shown[], json.recovery_codes_left];
}

Deno.test("a user sets up TOTP by a code of the app, and gets recovery codes with the first factor", async () => {
  const opened = await openAppOfAlice({ settings: { GATEHOUSE_TITLE: "My house" } });
  const { send, token } = opened;
  const setup = await send("POST", "/user/alice/totp/setup/", { token });
  assertMatch(String(setup.json.uri), /^otpauth:\/\/totp\/My%20house:alice\?secret=[A-Z2-7]{32}&issuer=My%20house$/);
  assertEquals(await listed(opened, token), [[], 0]);
  const { codes } = await setUpTotp(opened, { token });
  assertEquals(new Set(codes).size, 10);
  const [[totp], codeCount] = await listed(opened, token);
  assertEquals([totp?.kind, totp?.name, totp?.last_used_at, codeCount], ["totp", "", null, 10]);
  assertEquals((await send("GET", "/session/", { token })).json.factors, ["password", "totp"]);
  const { event, kind } = auditOf(opened.lines).at(-1) ?? {};
  assertEquals([event, kind], ["credential-added", "totp"]);
  // The second factor comes without codes, and new TOTP replaces the old one.
  opened.clock.now += 1;
  assertEquals((await setUpTotp(opened, { token })).codes, []);
  const [[replaced, ...others]] = await listed(opened, token);
  assertEquals([others.length, replaced?.id === totp?.id], [0, false]);
});

Deno.test("TOTP needs a right code within 5 minutes, in the session that began", async () => {
  const opened = await openAppOfAlice();
  const { send, token, clock } = opened;
  const { setup_token, code } = await beginTotp(opened, { token });
  const confirm = async (by: string, json: unknown) =>
    outcomeOf(await send("POST", "/user/alice/totp/", { token: by, json }));
  assertEquals(await confirm(token, { setup_token, code: code(40) }), "403 wrong-factor");
  assertEquals(await confirm(await opened.logIn(), { setup_token, code: code() }), "403 wrong-factor");
  assertEquals(await confirm(token, { setup_token: `${setup_token}A`, code: code() }), "403 wrong-factor");
  clock.now += 5 * minuteMs;
  assertEquals(await confirm(token, { setup_token, code: code() }), "403 wrong-factor");
  clock.now -= 1;
  assertEquals(await confirm(token, { setup_token, code: code() }), "201");
});

Deno.test("a user registers passkeys, each once", async () => {
  const opened = await openWithAlice();
  const { send, token } = opened;
  const authenticator = await Authenticator.create();
  const begin = async (token: string, login: string) => {
    const { json } = await send("POST", `/user/${login}/passkey/options/`, { token, headers: page });
    // deno-lint-ignore no-explicit-any -- options come as JSON.
    return json.publicKey as any;
  };
  const register = (token: string, login: string, passkey: unknown) => {
    const json = { name: "YubiKey 🔑", passkey };
    return send("POST", `/user/${login}/passkey/`, { token, json, headers: page });
  };
  const options = await begin(token, "alice");
  assertEquals([options.rp, options.user.name], [{ id: "gatehouse.test", name: "Gatehouse" }, "alice"]);
  const passkey = authenticator.register(options, { origin: page.origin });
  const other = authenticator.register(options, { origin: "https://evil.test" });
  assertEquals(outcomeOf(await register(token, "alice", other)), "403 wrong-factor");
  const { status, json } = await register(token, "alice", passkey);
  assertEquals([status, json.name, (json.recovery_codes as string[]).length], [201, "YubiKey 🔑", 10]);
  assertEquals(outcomeOf(await register(token, "alice", passkey)), "403 wrong-factor");
  assertEquals((await begin(token, "alice")).excludeCredentials.length, 1);
  const stolen = authenticator.register(await begin(opened.admin, "root"), { origin: page.origin });
  assertEquals(outcomeOf(await register(opened.admin, "root", stolen)), "403 wrong-factor");
  assertEquals((await send("GET", "/session/", { token })).json.factors, ["password", "passkey"]);
});

Deno.test("a user has at most 50 credentials", async () => {
  const opened = await openAppOfAlice();
  const { send, token } = opened;
  for (let count = 0; count < 50; count++) {
    assertEquals((await send("POST", "/user/alice/app-password/", { token, json: { name: "git" } })).status, 201);
  }
  const { setup_token, code } = await beginTotp(opened, { token });
  const json = { setup_token, code: code() };
  assertEquals(outcomeOf(await send("POST", "/user/alice/totp/", { token, json })), "409 too-many-credentials");
});

Deno.test("new recovery codes make the earlier ones void", async () => {
  const opened = await openAppOfAlice();
  const { send, token } = opened;
  const { codes } = await setUpTotp(opened, { token });
  const { status, json } = await send("POST", "/user/alice/recovery-code/", { token });
  assertEquals(status, 201);
  const [fresh] = json.recovery_codes as string[];
  const login_token = await beginLogin(opened, alice);
  for (const [recovery_code, outcome] of [[codes[0], "403 wrong-factor"], [fresh, "201"]]) {
    const reply = await send("POST", "/session/second-factor/", { json: { login_token, recovery_code } });
    assertEquals(outcomeOf(reply), outcome);
  }
  assertEquals((await listed(opened, token))[1], 9);
});

Deno.test("a user renames and deletes its credentials, and not those of another", async () => {
  const opened = await openWithAlice();
  const { send, token } = opened;
  const bob = await opened.addUser("bob");
  await setUpPasskey(opened, { token });
  const [[key]] = await listed(opened, token);
  const path = `/user/alice/credential/${key?.id}`;
  const json = { name: "phone" };
  for (const by of [bob, opened.admin]) {
    assertEquals(outcomeOf(await send("PATCH", path, { token: by, json })), "403 forbidden");
  }
  assertEquals(outcomeOf(await send("GET", "/user/alice/credential/", { token: bob })), "403 forbidden");
  assertEquals(outcomeOf(await send("DELETE", path, { token: bob })), "403 forbidden");
  assertEquals(outcomeOf(await send("DELETE", "/user/alice/credential/", { token: bob })), "403 forbidden");
  const ofBob = `/user/bob/credential/${key?.id}`;
  assertEquals(outcomeOf(await send("PATCH", ofBob, { token: bob, json })), "404 not-found");
  assertEquals(outcomeOf(await send("DELETE", ofBob, { token: bob })), "404 not-found");
  const renamed = await send("PATCH", path, { token, json });
  assertEquals([renamed.status, renamed.json.name], [200, "phone"]);
  for (const name of ["", "x".repeat(65), "a\nb"]) {
    assertEquals((await send("PATCH", path, { token, json: { name } })).status, 422);
  }
  const recovery = (await opened.app.store.listCredentials("alice")).find(({ kind }) => kind === "recovery");
  assert(recovery !== undefined);
  const ofCode = await send("DELETE", `/user/alice/credential/${recovery.id}`, { token });
  assertEquals(outcomeOf(ofCode), "404 not-found");
  assertEquals((await listed(opened, token))[0].map(({ name }) => name), ["phone"]);
  assertEquals(outcomeOf(await send("DELETE", path, { token })), "204");
  assertEquals(outcomeOf(await send("DELETE", path, { token })), "404 not-found");
  // With recovery codes alone, the password suffices.
  assertEquals(typeof await opened.logIn(), "string");
});

Deno.test("an administrator deletes the credentials of a user who has lost them", async () => {
  const opened = await openWithAlice();
  await setUpTotp(opened, opened);
  const path = "/user/alice/credential/";
  assertEquals(outcomeOf(await opened.send("DELETE", path, { token: opened.admin })), "204");
  const { event, by, user, count } = auditOf(opened.lines).at(-1) ?? {};
  assertEquals([event, by, user, count], ["credential-deleted", "root", "alice", 11]);
  assertEquals(await listed(opened, await opened.logIn()), [[], 0]);
  const nobody = await opened.send("DELETE", "/user/nobody/credential/", { token: opened.admin });
  assertEquals(outcomeOf(nobody), "404 not-found");
});

Deno.test("users keep a second factor that they must have, also of two deleted at once", async () => {
  const opened = await openAdminApp({ settings: { GATEHOUSE_SECOND_FACTOR: "all" } });
  const token = await opened.addUser("alice");
  await setUpPasskey(opened, { token });
  await setUpTotp(opened, { token });
  const [credentials] = await listed(opened, token);
  const removed = credentials.map(({ id }) => opened.send("DELETE", `/user/alice/credential/${id}`, { token }));
  assertEquals(countOutcomes(await Promise.all(removed)), { "204": 1, "409 last-second-factor": 1 });
});

Deno.test("users keep the last second factor that they must have, unless an administrator deletes it", async () => {
  const opened = await openAdminApp({ settings: { GATEHOUSE_SECOND_FACTOR: "all" } });
  const { send, admin } = opened;
  await setUpTotp(opened, { login: "root", token: admin });
  const token = await opened.addUser("alice");
  await setUpPasskey(opened, { token });
  await setUpTotp(opened, { token });
  const [[first, second]] = await listed(opened, token);
  const remove = async (by: string, id = "") => {
    return outcomeOf(await send("DELETE", `/user/alice/credential/${id}`, { token: by }));
  };
  assertEquals(await remove(token), "409 last-second-factor");
  assertEquals(await remove(token, first?.id), "204");
  assertEquals(await remove(token, second?.id), "409 last-second-factor");
  assertEquals(await remove(admin, second?.id), "204");
});

Deno.test("credentials that change meanwhile are renamed and added nevertheless", async () => {
  const opened = await openAppOfAlice();
  const { store } = opened.app;
  await setUpTotp(opened, opened);
  const [[totp]] = await listed(opened, opened.token);
  const { useCredential, insertCredentials } = store;
  store.useCredential = async (use, options) => {
    store.useCredential = useCredential;
    await store.useCredential({ current: use.current, next: { ...use.current, lastUsedAt: 5 } });
    return await store.useCredential(use, options);
  };
  const path = `/user/alice/credential/${totp?.id}`;
  const renamed = await opened.send("PATCH", path, { token: opened.token, json: { name: "app" } });
  assertEquals([renamed.json.name, renamed.json.last_used_at], ["app", "1970-01-01T00:00:00.005Z"]);
  store.insertCredentials = async (user, credentials, options) => {
    store.insertCredentials = insertCredentials;
    await store.replaceUser(user, { ...user, groups: ["staff"] });
    return await store.insertCredentials(user, credentials, options);
  };
  await setUpPasskey(opened, opened);
  assertEquals((await listed(opened, opened.token))[0].length, 2);
});
