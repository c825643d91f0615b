/** Who hangs up while the password waits for its turn: nothing is hashed, nothing has changed, no ticket is used up. */
import { assertEquals } from "@std/assert";
import { delay } from "@std/async/delay";
import { Hasher } from "../../lib/hasher.ts";
import { type AdminApp, newPassword, openAdminApp, outcomeOf } from "../accounts.ts";
import { alice, type Reply, type SendOptions } from "../app.ts";
import { occupy } from "../occupied.ts";

const owner = { client: "203.0.113.9" };

/** Requests that need a hash, which work as often as they are sent until they have worked; and what comes of each then. */
const requests: readonly [
  what: string,
  send: (opened: AdminApp, ticket: string, options: SendOptions) => Promise<Reply>,
  outcome: string,
][] = [
  ["a registration", ({ send }, _ticket, options) => {
    return send("POST", "/user/", { json: { ...alice, login: "bob" }, ...options });
  }, "201"],
  ["a registration by ticket", ({ send }, ticket, options) => {
    return send("POST", "/user/", { json: { ...alice, login: "bob", ticket }, ...options });
  }, "201"],
  ["a login", ({ send }, _ticket, options) => send("POST", "/session/", { json: alice, ...options }), "201"],
  ["a new password by ticket", ({ send }, ticket, options) => {
    return send("PUT", "/user/alice/password", { json: { ticket, password: newPassword }, ...options });
  }, "204"],
];

for (const [what, send, outcome] of requests) {
  Deno.test(`nothing is hashed for ${what} whose client has hung up`, async () => {
    const hasher = await Hasher.open({ iterations: 100, concurrency: 1 });
    const opened = await openAdminApp({ hasher, settings: { GATEHOUSE_REGISTRATIONS_PER_HOUR: "60" } });
    await opened.addUser("alice");
    const ticket = what === "a new password by ticket"
      ? await opened.makeTicket("reset", "alice")
      : await opened.makeTicket("register");
    const hangUp = new AbortController();
    const before = hasher.hashCount;
    {
      using gate = occupy(hasher);
      const sent = send(opened, ticket, { ...owner, signal: hangUp.signal });
      while (hasher.waiting === 0) await delay(1);
      hangUp.abort();
      assertEquals(outcomeOf(await sent), "503 overloaded");
      assertEquals([hasher.waiting, await opened.app.store.findUser("bob")], [0, undefined]);
      await gate.leave();
    }
    assertEquals(hasher.hashCount - before, 1);
    assertEquals(outcomeOf(await send(opened, ticket, owner)), outcome);
  });
}

Deno.test("a registration goes on when the client of another of the same login hangs up", async () => {
  const hasher = await Hasher.open({ iterations: 100, concurrency: 1 });
  const opened = await openAdminApp({ hasher });
  const register = (options: SendOptions) =>
    opened.send("POST", "/user/", { json: { ...alice, login: "bob" }, ...options });
  const hangUp = new AbortController();
  using gate = occupy(hasher);
  const first = register({ signal: hangUp.signal });
  while (hasher.waiting === 0) await delay(1);
  // They wait for the first: of all who want one login, one hashes.
  const others = [register({}), register({})];
  hangUp.abort();
  assertEquals(outcomeOf(await first), "503 overloaded");
  await gate.leave();
  assertEquals((await Promise.all(others)).map(outcomeOf), ["201", "409 login-taken"]);
});

Deno.test("a login goes on when the client of another with the same password hangs up", async () => {
  const hasher = await Hasher.open({ iterations: 100, concurrency: 1 });
  const opened = await openAdminApp({ hasher });
  await opened.addUser("alice");
  const hangUp = new AbortController();
  using gate = occupy(hasher);
  const first = opened.send("POST", "/session/", { json: alice, signal: hangUp.signal });
  while (hasher.waiting === 0) await delay(1);
  const other = opened.send("POST", "/session/", { json: alice });
  hangUp.abort();
  assertEquals(outcomeOf(await first), "503 overloaded");
  await gate.leave();
  assertEquals(outcomeOf(await other), "201");
});
