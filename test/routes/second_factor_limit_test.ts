/** The limits of wrong codes. */
import { assertEquals } from "@std/assert";
import { auditOf, countOutcomes, openWithAlice, outcomeOf } from "../support/accounts.ts";
import { alice, openAppOfAlice, type Reply, type SendOptions, type TestApp } from "../support/app.ts";
import { Authenticator } from "../support/factors/authenticator.ts";
import { assertion, beginLogin, page, setUpPasskey, setUpTotp } from "../support/factors/set_up.ts";

const minuteMs = 60_000;
const prove = ({ send }: TestApp, json: unknown) => send("POST", "/session/second-factor/", { json, headers: page });

Deno.test("wrong codes are audited and throttled as wrong passwords, each time that they are sent", async () => {
  const opened = await openAppOfAlice();
  const totp = await setUpTotp(opened, opened);
  const login_token = await beginLogin(opened, alice);
  const wrong = totp.code(40);
  const outcomes: string[] = [];
  for (let count = 0; count < 11; count++) outcomes.push(outcomeOf(await prove(opened, { login_token, totp: wrong })));
  assertEquals(outcomes, [...Array(10).fill("403 wrong-factor"), "429 too-many-attempts"]);
  const events = auditOf(opened.lines).slice(-2).map((
    { event, user, factor, refused },
  ) => [event, user, factor, refused]);
  assertEquals(events, [
    ["login-failed", "alice", "totp", "code"],
    ["login-throttled", "alice", undefined, undefined],
  ]);
  // Neither the right code nor a right password helps, also from another client; a recovery code does.
  const client = "192.0.2.1";
  const json = {
    login_token: await beginLogin({
      ...opened,
      send: (...all) => opened.send(all[0], all[1], { ...all[2], client }),
    }, alice),
  };
  const right = await opened.send("POST", "/session/second-factor/", { json: { ...json, totp: totp.code(1) }, client });
  assertEquals(outcomeOf(right), "429 too-many-attempts");
  const byCode = { ...json, recovery_code: totp.codes[0] };
  assertEquals((await opened.send("POST", "/session/second-factor/", { json: byCode, client })).status, 201);
});

Deno.test("100 wrong codes of TOTP in a row end its use, until an administrator helps", async () => {
  const opened = await openWithAlice();
  const totp = await setUpTotp(opened, opened);
  const attempt = async (code: string) => {
    return await prove(opened, { login_token: await beginLogin(opened, alice), totp: code });
  };
  for (let count = 0; count < 100; count++) {
    if (count % 10 === 0) opened.clock.now += 60 * minuteMs;
    assertEquals(outcomeOf(await attempt(totp.code(40))), "403 wrong-factor");
  }
  opened.clock.now += 60 * minuteMs;
  const refused = await attempt(totp.code());
  assertEquals([outcomeOf(refused), refused.headers.get("retry-after")], ["429 too-many-attempts", "3600"]);
  const token = await opened.logIn({ ...alice, login: "root" });
  await opened.send("PATCH", "/user/alice", { token, json: { disabled: false } });
  assertEquals((await attempt(totp.code())).status, 201);
});

Deno.test("wrong codes from elsewhere do not shut out a known device, which has as many of its own", async () => {
  const opened = await openWithAlice();
  const { code } = await setUpTotp(opened, opened);
  const attempts = async (codes: readonly string[], options: SendOptions) => {
    const { json: { login_token } } = await opened.send("POST", "/session/", { json: alice, ...options });
    const replies: Reply[] = [];
    for (const totp of codes) {
      const json = { login_token, totp, cookie: true };
      replies.push(await opened.send("POST", "/session/second-factor/", { json, ...options }));
    }
    return replies;
  };
  const [first] = await attempts([code(1)], {});
  const device = /__Host-gatehouse-device=[^;]+/.exec(first?.headers.get("set-cookie") ?? "")?.[0] ?? "";
  const byDevice = { headers: { cookie: device } };
  const wrong = Array<string>(11).fill(code(40));
  const limited = { "403 wrong-factor": 10, "429 too-many-attempts": 1 };
  assertEquals(countOutcomes(await attempts(wrong, { client: "192.0.2.1" })), limited);
  opened.clock.now += minuteMs;
  assertEquals(countOutcomes(await attempts([code()], byDevice)), { "201": 1 });
  assertEquals(countOutcomes(await attempts(wrong, byDevice)), limited);
});

Deno.test("wrong passkeys are throttled alike, whether the service knows them or not", async () => {
  const opened = await openAppOfAlice();
  const known = await setUpPasskey(opened, opened);
  for (const authenticator of [await Authenticator.create(), known]) {
    const replies: Reply[] = [];
    for (let count = 0; count < 101; count++) {
      const client = `192.0.2.${Math.floor(count / 10)}`;
      const { passkey } = await assertion(opened, authenticator);
      replies.push(await opened.send("POST", "/session/passkey/", { json: { passkey }, headers: page, client }));
    }
    assertEquals(countOutcomes(replies), { "403 wrong-factor": 100, "429 too-many-attempts": 1 });
  }
  const another = await Authenticator.create();
  const { passkey } = await assertion(opened, another);
  const reply = await opened.send("POST", "/session/passkey/", { json: { passkey }, headers: page, client: "::1" });
  assertEquals(outcomeOf(reply), "403 wrong-factor");
});
