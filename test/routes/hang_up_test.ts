/** Who hangs up while the password waits for its turn: nothing is hashed, nothing has changed, no ticket is used up. */
import { assertEquals } from "@std/assert";
import { setTimeout as delay } from "node:timers/promises";
import { Hasher } from "../../lib/passwords/hasher.ts";
import { type AdminApp, countOutcomes, newPassword, openAdminApp, outcomeOf } from "../support/accounts.ts";
import { alice, type Reply, type SendOptions } from "../support/app.ts";
import { spyOnDerive } from "../support/passwords/derivations.ts";
import { occupy } from "../support/occupied.ts";
import { pbkdf2 } from "../support/passwords/phc.ts";

const owner = { client: "203.0.113.9" };

/** Requests that need a hash and can be sent again until one succeeds; and the response after that. */
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
    const hasher = await Hasher.open({ scheme: pbkdf2(100), concurrency: 1 });
    const opened = await openAdminApp({ hasher, settings: { GATEHOUSE_REGISTRATIONS_PER_HOUR: "60" } });
    await opened.addUser("alice");
    const ticket = what === "a new password by ticket"
      ? await opened.makeTicket("reset", "alice")
      : await opened.makeTicket("register");
    const hangUp = new AbortController();
    using spy = spyOnDerive();
    {
      using gate = occupy(hasher);
      const sent = send(opened, ticket, { ...owner, signal: hangUp.signal });
      while (hasher.queue.waiting === 0) await delay(1);
      hangUp.abort();
      assertEquals(outcomeOf(await sent), "503 overloaded");
      assertEquals([hasher.queue.waiting, await opened.app.store.findUser("bob")], [0, undefined]);
      await gate.leave();
    }
    assertEquals(spy.costs.length, 1);
    assertEquals(outcomeOf(await send(opened, ticket, owner)), outcome);
  });
}

Deno.test("a registration goes on when the client of another of the same login hangs up", async () => {
  const hasher = await Hasher.open({ scheme: pbkdf2(100), concurrency: 1 });
  const opened = await openAdminApp({ hasher });
  const register = (options: SendOptions) =>
    opened.send("POST", "/user/", { json: { ...alice, login: "bob" }, ...options });
  const hangUp = new AbortController();
  using gate = occupy(hasher);
  const first = register({ signal: hangUp.signal });
  while (hasher.queue.waiting === 0) await delay(1);
  // They wait for the first: of all who want one login, one hashes.
  const others = [register({}), register({})];
  hangUp.abort();
  assertEquals(outcomeOf(await first), "503 overloaded");
  await gate.leave();
  assertEquals((await Promise.all(others)).map(outcomeOf), ["201", "409 login-taken"]);
});

Deno.test("a login goes on when the client of another with the same password hangs up", async () => {
  const hasher = await Hasher.open({ scheme: pbkdf2(100), concurrency: 1 });
  const opened = await openAdminApp({ hasher });
  await opened.addUser("alice");
  const hangUp = new AbortController();
  using gate = occupy(hasher);
  const first = opened.send("POST", "/session/", { json: alice, signal: hangUp.signal });
  while (hasher.queue.waiting === 0) await delay(1);
  const other = opened.send("POST", "/session/", { json: alice });
  hangUp.abort();
  assertEquals(outcomeOf(await first), "503 overloaded");
  await gate.leave();
  assertEquals(outcomeOf(await other), "201");
});

async function openWithAlice(hasher: Hasher): Promise<AdminApp> {
  const opened = await openAdminApp({ hasher });
  await opened.addUser("alice");
  return opened;
}

/** Asks the guard as `curl -u alice` does. */
function askBasic({ send }: AdminApp, password: string, options: SendOptions = {}): Promise<Reply> {
  return send("GET", "/guard/", { ...options, headers: { authorization: `Basic ${btoa(`alice:${password}`)}` } });
}

for (const hungUp of [[0], [1], [0, 1, 2]]) {
  Deno.test(`guard() answers Basic that was sent four times at once, though of them hang up: ${hungUp}`, async () => {
    const hasher = await Hasher.open({ scheme: pbkdf2(100), concurrency: 1 });
    const opened = await openWithAlice(hasher);
    using spy = spyOnDerive();
    const clients = Array.from({ length: 4 }, () => new AbortController());
    const asked: Promise<Reply>[] = [];
    {
      using gate = occupy(hasher);
      asked.push(...clients.map(({ signal }) => askBasic(opened, alice.password, { signal })));
      while (hasher.queue.waiting === 0) await delay(1);
      for (const index of hungUp) clients[index]?.abort();
      asked.push(askBasic(opened, alice.password));
      await gate.leave();
    }
    const outcomes = (await Promise.all(asked)).filter((_, index) => !hungUp.includes(index)).map(outcomeOf);
    assertEquals([outcomes, spy.costs.length], [Array(5 - hungUp.length).fill("200"), 2]);
  });
}

Deno.test("guard() hashes nothing for Basic when all who sent it have hung up, and counts no guess", async () => {
  const hasher = await Hasher.open({ scheme: pbkdf2(100), concurrency: 1 });
  const opened = await openWithAlice(hasher);
  for (let round = 0; round < 12; round++) {
    using gate = occupy(hasher);
    const clients = Array.from({ length: 3 }, () => new AbortController());
    const asked = clients.map(({ signal }) => askBasic(opened, `wrong ${round}`, { signal }));
    while (hasher.queue.waiting === 0) await delay(1);
    for (const client of clients) client.abort();
    assertEquals(countOutcomes(await Promise.all(asked)), { "503 overloaded": 3 });
    assertEquals(hasher.queue.waiting, 0);
    await gate.leave();
  }
  assertEquals(outcomeOf(await askBasic(opened, alice.password)), "200");
});

Deno.test("guard() counts a wrong password of Basic once for all who send it at once, whoever hangs up", async () => {
  const hasher = await Hasher.open({ scheme: pbkdf2(100), concurrency: 1 });
  const opened = await openWithAlice(hasher);
  for (let round = 0; round < 10; round++) {
    const clients = Array.from({ length: 3 }, () => new AbortController());
    using gate = occupy(hasher);
    const asked = clients.map(({ signal }) => askBasic(opened, `wrong ${round}`, { signal }));
    while (hasher.queue.waiting === 0) await delay(1);
    clients[0]?.abort();
    await gate.leave();
    assertEquals((await Promise.all(asked.slice(1))).map(outcomeOf), Array(2).fill("401 wrong-credentials"));
  }
  assertEquals(outcomeOf(await askBasic(opened, alice.password)), "429 too-many-attempts");
});
