/** A browser that the owner has logged in from is not shut out by anybody else's guessing; whoever is not one, is. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { type AdminApp, newPassword, openAdminApp, outcomeOf } from "../support/accounts.ts";
import { alice, openTestApp, type Reply, type SendOptions, type TestApp } from "../support/app.ts";

const owner = { client: "203.0.113.9" };
const changed = { ...alice, password: newPassword };

/** An app with an admin, and with `alice`, who is logged in. */
async function openWithAlice(): Promise<AdminApp & { token: string }> {
  const opened = await openAdminApp();
  return { ...opened, token: await opened.addUser("alice") };
}

function logIn({ send }: TestApp, json: unknown, options: SendOptions = {}): Promise<Reply> {
  return send("POST", "/session/", { json, ...owner, ...options });
}

/** What a browser sends from a reply on: the cookie of the session, and that of the device. */
function cookiesOf({ headers }: Reply): { session?: string; device?: string } {
  const pairs = headers.getSetCookie().map((cookie) => {
    const [pair = ""] = cookie.split(";");
    return [pair.startsWith("__Host-gatehouse-device=") ? "device" : "session", pair];
  });
  return Object.fromEntries(pairs);
}

/** Logs in as a browser does. @returns the cookie by which it is known */
async function knownDeviceId(opened: TestApp, credentials: unknown = alice): Promise<string> {
  const reply = await logIn(opened, { ...Object(credentials), cookie: true });
  assertEquals(reply.status, 201, reply.text);
  return cookiesOf(reply).device ?? "";
}

let guessCount = 0;
/** Has a hundred clients try one wrong password each. */
async function lock(opened: TestApp): Promise<void> {
  for (let index = 0; index < 100; index++) {
    const json = { login: "alice", password: `wrong ${guessCount++}` };
    assertEquals((await logIn(opened, json, { client: `192.0.2.${index}` })).status, 401);
  }
}

/** The status for credentials, by a browser with this cookie. */
async function statusWith(opened: TestApp, cookie: string, credentials: unknown = alice): Promise<number> {
  return (await logIn(opened, credentials, { headers: { cookie } })).status;
}

Deno.test("logIn() accepts a known device while the login is locked, which unlocks it for all", async () => {
  const opened = await openWithAlice();
  const device = await knownDeviceId(opened);
  await lock(opened);
  assertEquals(await statusWith(opened, ""), 429);
  assertEquals(await statusWith(opened, device, { ...alice, password: "wrong" }), 401);
  assertEquals(await statusWith(opened, ""), 429);
  assertEquals(await statusWith(opened, `theme=dark; ${device}`), 201);
  assertEquals(await statusWith(opened, ""), 201);
});

Deno.test("logIn() lets the owner in from a known device while the address guesses", async () => {
  const opened = await openWithAlice();
  const device = await knownDeviceId(opened);
  for (let index = 0; index < 110; index++) await logIn(opened, { login: `user${index % 20}`, password: `w ${index}` });
  assertEquals(await statusWith(opened, ""), 429);
  assertEquals(await statusWith(opened, device), 201);
  assertEquals(await statusWith(opened, ""), 429);
});

Deno.test("logIn() limits a known device to 10 wrong passwords at all addresses, and locks out no other", async () => {
  const opened = await openWithAlice();
  const device = await knownDeviceId(opened);
  const other = await knownDeviceId(opened);
  await lock(opened);
  const statuses: number[] = [];
  for (let index = 0; index < 12; index++) {
    const options = { headers: { cookie: device }, client: `192.0.2.${100 + index}` };
    statuses.push((await logIn(opened, { ...alice, password: `wrong ${index}` }, options)).status);
  }
  assertEquals(statuses, [...Array(10).fill(401), 429, 429]);
  assertEquals([await statusWith(opened, device), await statusWith(opened, other)], [429, 201]);
});

Deno.test("guard() knows a device too, for Basic", async () => {
  const opened = await openWithAlice();
  const cookie = await knownDeviceId(opened);
  await lock(opened);
  const authorization = `Basic ${new TextEncoder().encode(`alice:${alice.password}`).toBase64()}`;
  assertEquals((await opened.send("GET", "/guard/", { headers: { authorization }, ...owner })).status, 429);
  assertEquals((await opened.send("GET", "/guard/", { headers: { authorization, cookie }, ...owner })).status, 200);
});

/** Cookies that make nobody known as `alice`, made while she can log in. */
const strangers: readonly [what: string, cookieOf: (opened: AdminApp) => Promise<string>][] = [
  ["no cookie", () => Promise.resolve("")],
  ["another user's device", (opened) => knownDeviceId(opened, { ...alice, login: "root" })],
  ["a session alone", async (opened) => {
    return cookiesOf(await logIn(opened, { ...alice, cookie: true })).session ?? "";
  }],
  ["a forged signature", async (opened) => (await knownDeviceId(opened)).replace(/\..*/, `.${"A".repeat(43)}`)],
  ["another id", async (opened) => (await knownDeviceId(opened)).replace(/=[^.]*/, `=${"A".repeat(22)}`)],
  ["another service's device", async () => {
    const other = await openTestApp();
    assertEquals((await other.send("POST", "/user/", { json: alice })).status, 201);
    return await knownDeviceId(other);
  }],
  ["a device of the time before she was deleted and registered again", async (opened) => {
    const cookie = await knownDeviceId(opened);
    assertEquals(outcomeOf(await opened.send("DELETE", "/user/alice", { token: opened.admin })), "204");
    assertEquals(outcomeOf(await opened.send("POST", "/user/", { json: alice })), "201");
    return cookie;
  }],
  ["a device of the time before she had this password", async (opened) => {
    const old = await knownDeviceId(opened);
    for (const password of [newPassword, alice.password]) {
      const json = { ticket: await opened.makeTicket("reset", "alice"), password };
      assertEquals(outcomeOf(await opened.send("PUT", "/user/alice/password", { json })), "204");
    }
    return old;
  }],
];

for (const [what, cookieOf] of strangers) {
  Deno.test(`logIn() knows nobody by ${what}`, async () => {
    const opened = await openWithAlice();
    const cookie = await cookieOf(opened);
    const known = await knownDeviceId(opened);
    await lock(opened);
    assertEquals(await statusWith(opened, cookie), 429);
    assertEquals(await statusWith(opened, known), 201);
  });
}

Deno.test("logIn() makes a browser known that wants a cookie, and nobody else", async () => {
  const opened = await openWithAlice();
  const reply = await logIn(opened, { ...alice, cookie: true });
  assertEquals(Object.keys(cookiesOf(reply)), ["session", "device"]);
  assertEquals(cookiesOf(await logIn(opened, alice)), {});
  assertEquals(cookiesOf(await logIn(opened, { ...alice, password: "wrong", cookie: true })), {});
  // It is no session.
  const headers = { cookie: cookiesOf(reply).device ?? "" };
  assertEquals((await opened.send("GET", "/session/", { headers })).status, 401);
});

Deno.test("logIn() makes a browser known by the hash that it has made anew", async () => {
  const { app } = await openWithAlice();
  const opened = await openTestApp({ store: app.store, settings: { GATEHOUSE_PBKDF2_ITERATIONS: "150" } });
  const device = await knownDeviceId(opened);
  await lock(opened);
  assertEquals(await statusWith(opened, device), 201);
});

Deno.test("logOut() leaves a browser known", async () => {
  const opened = await openWithAlice();
  const { session = "", device = "" } = cookiesOf(await logIn(opened, { ...alice, cookie: true }));
  const headers = { cookie: `${session}; ${device}`, "sec-fetch-site": "same-origin" };
  const cookies = (await opened.send("DELETE", "/session/", { headers })).headers.getSetCookie();
  assertEquals(cookies.length, 1);
  assertMatch(cookies[0] ?? "", /^__Host-gatehouse=; Max-Age=0;/);
  await lock(opened);
  assertEquals(await statusWith(opened, device), 201);
});

/** Changes the password of `alice` to the new one, by her session. */
function change(opened: TestApp, options: SendOptions): Promise<Reply> {
  const json = { current_password: alice.password, password: newPassword };
  return opened.send("PUT", "/user/alice/password", { json, ...owner, ...options });
}

Deno.test("changePassword() makes the browser known anew that changes it, also while the login is locked", async () => {
  const opened = await openWithAlice();
  const { session = "", device = "" } = cookiesOf(await logIn(opened, { ...alice, cookie: true }));
  await lock(opened);
  const sameOrigin = { "sec-fetch-site": "same-origin" };
  const stranger = await change(opened, { headers: { cookie: session, ...sameOrigin } });
  assertEquals([outcomeOf(stranger), cookiesOf(stranger)], ["429 too-many-attempts", {}]);
  const reply = await change(opened, { headers: { cookie: `${session}; ${device}`, ...sameOrigin } });
  assertEquals(outcomeOf(reply), "204");
  const renewed = cookiesOf(reply);
  assertEquals([Object.keys(renewed), reply.headers.get("cache-control")], [["device"], "no-store"]);
  assert(renewed.device !== device);
  assertEquals(await statusWith(opened, "", changed), 201);
  await lock(opened);
  assertEquals(await statusWith(opened, device, changed), 429);
  assertEquals(await statusWith(opened, renewed.device ?? "", changed), 201);
});

Deno.test("changePassword() adds no known device for a bearer token, a ticket or a failed change", async () => {
  const opened = await openWithAlice();
  const { session = "" } = cookiesOf(await logIn(opened, { ...alice, cookie: true }));
  const headers = { cookie: session, "sec-fetch-site": "same-origin" };
  const same = { current_password: alice.password, password: alice.password };
  for (const json of [same, { ...same, current_password: "wrong", password: newPassword }]) {
    const reply = await opened.send("PUT", "/user/alice/password", { json, headers });
    assert(reply.status >= 400);
    assertEquals(cookiesOf(reply), {});
  }
  const byBearer = await change(opened, { token: opened.token });
  assertEquals([outcomeOf(byBearer), cookiesOf(byBearer)], ["204", {}]);
  const json = { ticket: await opened.makeTicket("reset", "alice"), password: alice.password };
  const byTicket = await opened.send("PUT", "/user/alice/password", { json });
  assertEquals([outcomeOf(byTicket), cookiesOf(byTicket)], ["204", {}]);
});
