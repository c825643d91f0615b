/** What a login token opens, and what tells before the right password whether a user has a second factor. */
import { assertEquals, assertFalse } from "@std/assert";
import { randomBytes } from "node:crypto";
import type { Store } from "../../lib/store.ts";
import { openAdminApp, outcomeOf } from "../support/accounts.ts";
import { alice, openTestApp, type SendOptions, type TestApp } from "../support/app.ts";
import { addTotp } from "../support/factors/credentials.ts";
import { beginLogin, page, setUpPasskey } from "../support/factors/set_up.ts";
import { basicOf } from "../support/guard_basic.ts";
import { spyOnDerive } from "../support/passwords/derivations.ts";
import { rows } from "../support/route_rows.ts";

/** What a request can carry in place of a session, a password or a ticket. */
const places: Readonly<Record<string, (secret: string, sent: SendOptions) => SendOptions>> = {
  "bearer token": (token, sent) => ({ ...sent, token }),
  "token of a session": (secret, sent) => ({ ...sent, token: `01M81Q8RAFRWT8N2ZHDEH012P3.${secret}` }),
  "password of HTTP Basic": (secret, sent) => ({ ...sent, headers: { authorization: basicOf("alice", secret) } }),
  "cookie": (secret, sent) => ({ ...sent, headers: { cookie: `__Host-gatehouse=${secret}` } }),
  "password": (secret, sent) => ({ ...sent, json: { ...sent.json as object, login: "alice", password: secret } }),
  "ticket": (ticket, sent) => ({ ...sent, json: { ...sent.json as object, ticket } }),
};

for (const [place, put] of Object.entries(places)) {
  Deno.test(`a login token opens no route as ${place}`, async () => {
    const opened = await openAdminApp();
    const scene = { ...opened, token: await opened.addUser("alice") };
    const requests = await Promise.all(
      rows.filter(({ route }) => !/session\/(second-factor|passkey)\//.test(route)).map(async ({ route, options }) => {
        const { id = "x", ...sent } = await options?.(scene) ?? {};
        const [method = "", path = ""] = route.split(" ");
        const target = path.replace(":login", "alice").replace(":id", id).replace(/:\w+\*?/, "");
        return { route, method, target, sent: method === "GET" ? {} : sent };
      }),
    );
    await addTotp(opened, "alice");
    const loginToken = await beginLogin(opened, alice);
    for (const { route, method, target, sent } of requests) {
      const hasBody = ["password", "ticket"].includes(place);
      // These succeed without it, and once.
      const isOpen = route === "POST /user/" || "ticket" in Object(sent.json);
      if (hasBody ? method === "GET" : isOpen) continue;
      const outcomes: string[] = [];
      for (const [index, secret] of [loginToken, randomBytes(32).toString("base64url")].entries()) {
        const client = `192.0.2.${index}`;
        outcomes.push(outcomeOf(await opened.send(method, target, { ...put(secret, sent), client })));
      }
      // As any other text; what is for everyone stays so.
      assertEquals(outcomes[0], outcomes[1], route);
      const isGuarded = rows.some((row) => row.route === route && row.statuses[0] === 401);
      assertFalse(isGuarded && outcomes[0]?.startsWith("2"), route);
    }
    // It is still good for what it is for.
    const proof = { json: { login_token: loginToken, totp: "000000" } };
    assertEquals(outcomeOf(await opened.send("POST", "/session/second-factor/", proof)), "403 wrong-factor");
  });
}

/** Notes the calls of a store. */
function noteCalls(store: Store): string[] {
  const calls: string[] = [];
  for (const name of ["findUser", "listCredentials", "findCredential", "insertTicket", "insertSession"] as const) {
    const method = store[name].bind(store) as (...all: unknown[]) => Promise<unknown>;
    Object.assign(store, { [name]: (...all: unknown[]) => (calls.push(name), method(...all)) });
  }
  return calls;
}

/** A response without what differs in each, and the work it took. */
async function told({ opened, calls }: { opened: TestApp; calls: string[] }, path: string, options: SendOptions) {
  calls.length = 0;
  using spy = spyOnDerive();
  const { status, text, headers } = await opened.send("POST", path, options);
  const fields = Array.from(headers).filter(([name]) => name !== "x-request-id").map(([name, value]) => {
    return [name, name === "set-cookie" ? value.replace(/=[\w-]{22}/, "=") : value];
  });
  const body = text.replace(/"challenge":"[\w-]+"/, "");
  return { status, fields, body, hashes: spy.costs.join(), calls: calls.join() };
}

Deno.test("a wrong password gets the same response after the same work, whatever factors the user has", async () => {
  const opened = await openTestApp();
  const logins = ["plain", "with.totp", "with.passkey", "disabled"];
  for (const login of logins) {
    assertEquals((await opened.send("POST", "/user/", { json: { ...alice, login } })).status, 201);
  }
  await addTotp(opened, "with.totp");
  await setUpPasskey(opened, { login: "with.passkey", token: await opened.logIn({ ...alice, login: "with.passkey" }) });
  await addTotp(opened, "disabled");
  const user = await opened.app.store.findUser("disabled");
  if (user !== undefined) await opened.app.store.replaceUser(user, { ...user, disabled: true });
  const scene = { opened, calls: noteCalls(opened.app.store) };
  const attempt = (login: string, password: string) => told(scene, "/session/", { json: { login, password } });
  const [first, ...others] = await Promise.all([...logins, "nobody"].map((login) => ({ login })));
  const expected = await attempt(first?.login ?? "", "a wrong password");
  assertEquals([expected.status, expected.hashes, expected.calls], [401, "100", "findUser"]);
  for (const { login } of others) assertEquals(await attempt(login, "a wrong password"), expected, login);
  // The right one tells, except of a disabled user.
  assertEquals(await attempt("disabled", alice.password), expected);
  assertEquals((await attempt("with.totp", alice.password)).status, 202);
  const options = await told(scene, "/session/passkey/options/", { headers: page });
  assertEquals([options.status, options.hashes, options.calls], [200, "", ""]);
  const answer = { id: "AAAA", response: { clientDataJSON: "AA", authenticatorData: "AA", signature: "AA" } };
  const byPasskey = await told(scene, "/session/passkey/", { headers: page, json: { passkey: answer } });
  assertEquals([byPasskey.status, byPasskey.hashes, byPasskey.calls], [403, "", "findCredential"]);
});
