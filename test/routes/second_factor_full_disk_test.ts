/** Logins with a second factor on a full disk: users can log in. */
import { assertEquals, assertRejects } from "@std/assert";
import { createLog } from "../../lib/log.ts";
import { StoreFullError } from "../../lib/store.ts";
import { openFileStore } from "../../lib/store/file/file_store.ts";
import { outcomeOf } from "../support/accounts.ts";
import { alice, openAppOfAlice } from "../support/app.ts";
import { assertion, beginLogin, setUpPasskey, setUpTotp } from "../support/factors/set_up.ts";
import { userOf } from "../support/store/records.ts";
import { SimulatedDisk } from "../support/store/simulated_disk.ts";

Deno.test("on a full disk users log in with a second factor and step up, each code and token once", async () => {
  const disk = new SimulatedDisk();
  await using store = await openFileStore("data", { disk, log: createLog(() => {}), extendBytes: 4_096 });
  const opened = await openAppOfAlice({ store });
  const totp = await setUpTotp(opened, opened);
  const authenticator = await setUpPasskey(opened, opened);
  opened.clock.now += 30_000;
  disk.errorCode = "ENOSPC";
  disk.script = (call) => {
    const isExtension = call.kind === "write" && (call.offset ?? 0) >= disk.content(call.name).length;
    return isExtension ? "fail" : undefined;
  };
  for (let index = 0; await store.insertUser(userOf(`u${index}`)).then(() => true, () => false); index++);
  await assertRejects(() => store.insertUser(userOf("bob")), StoreFullError);

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
