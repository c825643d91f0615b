/** Logins with a second factor, and at a home, on a full disk: users can log in. */
import { assertEquals, assertRejects } from "@std/assert";
import { createLog } from "../../lib/log.ts";
import { type Store, StoreFullError } from "../../lib/store.ts";
import { openFileStore } from "../../lib/store/file/file_store.ts";
import { keptUser, outcomeOf } from "../support/accounts.ts";
import { alice, openAppOfAlice } from "../support/app.ts";
import { homeSettings } from "../support/home.ts";
import { assertion, beginLogin, setUpPasskey, setUpTotp } from "../support/factors/set_up.ts";
import { sessionOf, userOf } from "../support/store/records.ts";
import { SimulatedDisk } from "../support/store/simulated_disk.ts";

/** Lets nothing grow any more, and fills what is left. */
async function fillUp(disk: SimulatedDisk, store: Store): Promise<void> {
  disk.errorCode = "ENOSPC";
  disk.script = (call) => {
    const isExtension = call.kind === "write" && (call.offset ?? 0) >= disk.content(call.name).length;
    return isExtension ? "fail" : undefined;
  };
  for (let index = 0; await store.insertUser(userOf(`u${index}`)).then(() => true, () => false); index++);
  await assertRejects(() => store.insertUser(userOf("bob")), StoreFullError);
}

Deno.test("on a full disk users log in with a second factor and step up, each code and token once", async () => {
  const disk = new SimulatedDisk();
  await using store = await openFileStore("data", { disk, log: createLog(() => {}), extendBytes: 4_096 });
  const opened = await openAppOfAlice({ store });
  const totp = await setUpTotp(opened, opened);
  const authenticator = await setUpPasskey(opened, opened);
  opened.clock.now += 30_000;
  await fillUp(disk, store);

  const prove = async (json: Record<string, unknown>) => {
    return await opened.send("POST", "/session/second-factor/", { json });
  };
  const login_token = await beginLogin(opened, alice);
  const reply = await prove({ login_token, totp: totp.code() });
  assertEquals([reply.status, reply.json.factors], [201, ["password", "totp"]]);
  const token = String(reply.json.token);
  assertEquals(outcomeOf(await prove({ login_token, totp: totp.code(1) })), "403 login-token-invalid");
  const [recovery_code] = totp.codes;
  assertEquals(outcomeOf(await prove({ login_token: await beginLogin(opened, alice), recovery_code })), "201");
  assertEquals(
    outcomeOf(await prove({ login_token: await beginLogin(opened, alice), recovery_code })),
    "403 wrong-factor",
  );
  const { passkey, headers } = await assertion(opened, authenticator);
  const alone = () => opened.send("POST", "/session/passkey/", { json: { passkey }, headers });
  assertEquals([outcomeOf(await alone()), outcomeOf(await alone())], ["201", "403 wrong-factor"]);
  const json = { totp: totp.code(1) };
  assertEquals(outcomeOf(await opened.send("POST", "/session/authentication/", { token, json })), "200");
  const name = { name: "git" };
  const made = await opened.send("POST", "/user/alice/app-password/", { token, json: name });
  assertEquals(outcomeOf(made), "507 store-full");
});

Deno.test("on a full disk a login at a home that cannot end the session it replaces changes nothing", async () => {
  const disk = new SimulatedDisk();
  await using store = await openFileStore("data", { disk, log: createLog(() => {}), extendBytes: 4_096 });
  const opened = await openAppOfAlice({ store, settings: homeSettings });
  const { send, token } = opened;
  await fillUp(disk, store);
  const logIn = (cookie = "") => send("POST", "/session/", { json: { ...alice, cookie: true }, headers: { cookie } });
  // No change is smaller than the end of a session: what is left is less than that.
  let isFull = false;
  for (let index = 0; !isFull; index++) {
    const session = sessionOf("alice", `s${index}`);
    const user = await keptUser(opened, "alice");
    await store.insertSession(session, user);
    isFull = await store.deleteSession(session.id).then(() => false, () => true);
  }
  assertEquals(outcomeOf(await logIn()), "201");
  const { sessions } = await store.size();
  assertEquals(outcomeOf(await logIn(`__Host-gatehouse=${token}`)), "507 store-full");
  assertEquals((await store.size()).sessions, sessions);
  assertEquals(outcomeOf(await send("GET", "/session/", { token })), "200");
});
