/** HTTP Basic at the guard and the limits of wrong passwords. */
import { assertEquals } from "@std/assert";
import { Hasher } from "../../lib/passwords/hasher.ts";
import { auditOf, countOutcomes, openWithAlice, outcomeOf } from "../support/accounts.ts";
import { spyOnDerive } from "../support/passwords/derivations.ts";
import { ask, basicOf, password, told } from "../support/guard_basic.ts";
import { pbkdf2 } from "../support/passwords/phc.ts";

Deno.test("guard() counts wrong passwords of Basic like those of logins, also of who is remembered", async () => {
  const opened = await openWithAlice();
  const { send, app, lines } = opened;
  assertEquals(await told(opened, basicOf("alice")), "200 alice, 1 hash");
  for (let count = 0; count < 5; count++) {
    assertEquals(await told(opened, basicOf("alice", `wrong ${count}`)), "401 wrong-credentials, 1 hash");
    const json = { login: "alice", password: `wrong too ${count}` };
    assertEquals(outcomeOf(await send("POST", "/session/", { json })), "401 wrong-credentials");
  }
  const before = [app.metrics.hashes.count, lines.length];
  const reply = await ask(opened, basicOf("alice", "wrong again"));
  assertEquals(outcomeOf(reply), "429 too-many-attempts");
  assertEquals([reply.headers.get("retry-after"), reply.headers.get("cache-control")], ["360", "no-store"]);
  assertEquals(app.metrics.hashes.count, before[0]);
  const requestId = reply.headers.get("x-request-id");
  const event = { event: "login-throttled", user: "alice", clientAddress: "127.0.0.1", requestId };
  assertEquals(auditOf(lines.slice(before[1])), [event]);
  assertEquals(await told(opened, basicOf("alice")), "429 too-many-attempts, 0 hash");
  assertEquals(await told(opened, basicOf("alice"), { client: "192.0.2.9" }), "200 alice, 1 hash");
  opened.clock.now += 6 * 60_000;
  assertEquals(await told(opened, basicOf("alice")), "200 alice, 1 hash");
});

/** What makes a client wait: 10 wrong passwords of the login, or 100 of any. */
const floods: readonly [what: string, count: number, loginOf: (index: number) => string][] = [
  ["of the login", 10, () => "alice"],
  ["of other logins", 100, (index) => `user${index}`],
];

for (const [what, count, loginOf] of floods) {
  Deno.test(`guard() answers 429 even to a right cached password after wrong ones ${what}`, async () => {
    const opened = await openWithAlice();
    const [owner, guesser] = [{ client: "192.0.2.8" }, { client: "192.0.2.9" }];
    for (const client of [owner, guesser]) {
      assertEquals(await told(opened, basicOf("alice"), client), "200 alice, 1 hash");
    }
    for (let index = 0; index < count; index++) {
      const guess = basicOf(loginOf(index), `wrong ${index}`);
      assertEquals(await told(opened, guess, guesser), "401 wrong-credentials, 1 hash");
    }
    const replies = [];
    for (const secret of [password, "wrong"]) {
      replies.push(await ask(opened, basicOf("alice", secret), guesser));
    }
    assertEquals(countOutcomes(replies), { "429 too-many-attempts": 2 });
    assertEquals(replies[0]?.headers.get("retry-after"), replies[1]?.headers.get("retry-after"));
    // The owner is elsewhere, and remembered there.
    assertEquals(await told(opened, basicOf("alice"), owner), "200 alice, 0 hash");
  });
}

Deno.test("guard() tells the audit of who is to wait only the logins that are registered", async () => {
  const opened = await openWithAlice();
  for (const login of ["alice", "nobody"]) {
    for (let count = 0; count < 10; count++) await ask(opened, basicOf(login, `wrong ${count}`));
    const before = opened.lines.length;
    assertEquals(await told(opened, basicOf(login)), "429 too-many-attempts, 0 hash");
    const [event] = auditOf(opened.lines.slice(before));
    assertEquals([event?.event, event?.user], ["login-throttled", login === "alice" ? login : undefined]);
  }
});

Deno.test("guard() verifies and counts once the same wrong password of many concurrent requests", async () => {
  const opened = await openWithAlice({
    hasher: await Hasher.open({ scheme: pbkdf2(100), concurrency: 1, maxWaitMs: 1 }),
  });
  const lineCount = opened.lines.length;
  using spy = spyOnDerive();
  const replies = await Promise.all(Array.from({ length: 300 }, () => ask(opened, basicOf("alice", "an old one"))));
  assertEquals(countOutcomes(replies), { "401 wrong-credentials": 300 });
  assertEquals(spy.costs.length, 1);
  const logged = auditOf(opened.lines.slice(lineCount)).map(({ event, user }) => `${event} ${user}`);
  assertEquals(logged, ["login-failed alice"]);
  // Nor is it remembered.
  assertEquals(await told(opened, basicOf("alice", "an old one")), "401 wrong-credentials, 1 hash");
  assertEquals(await told(opened, basicOf("alice")), "200 alice, 1 hash");
});

Deno.test("guard() counts the same wrong password of a client that never stops once", async () => {
  const opened = await openWithAlice();
  for (let count = 0; count < 50; count++) {
    assertEquals(await told(opened, basicOf("alice", "an old one")), "401 wrong-credentials, 1 hash");
  }
  assertEquals(await told(opened, basicOf("alice")), "200 alice, 1 hash");
});
