/** HTTP Basic at the guard: verified once, remembered for a minute, forgotten at once when anything has changed. */
import { assertEquals } from "@std/assert";
import { auditOf, keptUser, openWithAlice } from "../support/accounts.ts";
import { openTestApp } from "../support/app.ts";
import { sessionsIn } from "../support/store/records.ts";
import { ask, basicOf, password, told } from "../support/guard_basic.ts";

const challenge = 'Basic realm="gatehouse", charset="UTF-8", Bearer realm="gatehouse"';

Deno.test("guard() verifies Basic once, and remembers for a minute that it was right", async () => {
  const opened = await openWithAlice();
  assertEquals(await told(opened, basicOf("alice")), "200 alice, 1 hash");
  for (const afterMs of [0, 30_000, 29_999]) {
    opened.clock.now += afterMs;
    assertEquals(await told(opened, basicOf("alice")), "200 alice, 0 hash");
  }
  opened.clock.now += 1;
  assertEquals(await told(opened, basicOf("alice")), "200 alice, 1 hash");
});

Deno.test("guard() verifies Basic once for any number of requests at once", async () => {
  const opened = await openWithAlice();
  const before = opened.app.metrics.hashes.count;
  const replies = await Promise.all(Array.from({ length: 10 }, () => ask(opened, basicOf("alice"))));
  assertEquals(replies.map(({ headers }) => headers.get("remote-user")), Array(10).fill("alice"));
  assertEquals(opened.app.metrics.hashes.count - before, 1);
});

Deno.test("guard() remembers Basic for the address that it came from, and verifies it from another", async () => {
  const opened = await openWithAlice();
  for (const client of ["192.0.2.8", "192.0.2.9", "2001:db8::1"]) {
    assertEquals(await told(opened, basicOf("alice"), { client }), "200 alice, 1 hash");
    assertEquals(await told(opened, basicOf("alice"), { client }), "200 alice, 0 hash");
  }
  // Of the same /64, and so of one client.
  assertEquals(await told(opened, basicOf("alice"), { client: "2001:db8::2" }), "200 alice, 0 hash");
});

Deno.test("guard() audits a password that it verified, and not one that it remembers", async () => {
  const opened = await openWithAlice();
  const before = opened.lines.length;
  const { status, headers } = await ask(opened, basicOf("alice"));
  assertEquals([status, (await ask(opened, basicOf("alice"))).status], [200, 200]);
  const lines = opened.lines.slice(before);
  assertEquals(auditOf(lines), [{
    event: "login",
    by: "alice",
    user: "alice",
    scheme: "basic",
    clientAddress: "127.0.0.1",
    requestId: headers.get("x-request-id"),
  }]);
  assertEquals(lines.length, 1, "a 200 of the guard has a line at debug level only");
});

Deno.test("guard() makes no session of Basic", async () => {
  const opened = await openWithAlice();
  const { headers } = await ask(opened, basicOf("root"));
  assertEquals(headers.get("set-cookie"), null);
  assertEquals((await sessionsIn(opened.app.store, "root")).length, 1);
});

Deno.test("guard() takes the login of Basic in whatever capitals, and the password exactly", async () => {
  const opened = await openWithAlice();
  assertEquals(await told(opened, basicOf("ALICE")), "200 alice, 1 hash");
  assertEquals(await told(opened, basicOf("Alice")), "200 alice, 0 hash");
  assertEquals(await told(opened, basicOf("alice", password.toUpperCase())), "401 wrong-credentials, 1 hash");
  assertEquals(await told(opened, basicOf("alice", ` ${password}`)), "401 wrong-credentials, 1 hash");
});

for (
  const odd of ["with:three:colons: in it", ":a password that begins with one", "sept éléphants violets à Nîmes 🐘"]
) {
  Deno.test(`guard() takes any password by Basic: ${odd}`, async () => {
    const opened = await openTestApp();
    assertEquals((await opened.send("POST", "/user/", { json: { login: "zoe", password: odd } })).status, 201);
    assertEquals(await told(opened, basicOf("zoe", odd)), "200 zoe, 1 hash");
    assertEquals(await told(opened, basicOf("zoe", `${odd}:`)), "401 wrong-credentials, 1 hash");
  });
}

const refused: readonly [what: string, authorization: string][] = [
  ["a wrong password", basicOf("alice", "wrong")],
  ["an empty password", basicOf("alice", "")],
  ["an unknown login", basicOf("nobody")],
  ["an empty login", basicOf("")],
  ["nothing but a colon", basicOf("", "")],
  ["a disabled account", basicOf("bob")],
  ["a login that nobody can have", basicOf("a b\0", "wrong")],
];

for (const [what, authorization] of refused) {
  Deno.test(`guard() refuses Basic by one answer, each time for the work of one hash: ${what}`, async () => {
    const opened = await openWithAlice();
    await opened.addUser("bob");
    const bob = await keptUser(opened, "bob");
    assertEquals(await opened.app.store.replaceUser(bob, { ...bob, disabled: true }), "done");
    for (let count = 0; count < 3; count++) {
      assertEquals(await told(opened, authorization), "401 wrong-credentials, 1 hash");
      // Nor is a browser led to the page, which it would leave without having learnt what was wrong.
      const { status, headers } = await ask(opened, authorization, { headers: { accept: "text/html" } });
      assertEquals([status, headers.get("www-authenticate")], [401, challenge]);
      assertEquals([headers.get("cache-control"), headers.get("location")], ["no-store", null]);
    }
    assertEquals(await told(opened, basicOf("alice")), "200 alice, 1 hash");
  });
}

const malformed: readonly [what: string, authorization: string][] = [
  ["no base64", "Basic ?"],
  ["base64 cut short", basicOf("alice").slice(0, -1)],
  ["no colon", `Basic ${new TextEncoder().encode("alice").toBase64()}`],
  ["no UTF-8", `Basic ${new Uint8Array([0x61, 0x3a, 0xff]).toBase64()}`],
  ["the scheme alone", "Basic"],
  ["no scheme", basicOf("alice").slice("Basic ".length)],
  ["another scheme", basicOf("alice").replace("Basic", "Digest")],
  ["two of them", `${basicOf("alice")}, ${basicOf("alice")}`],
];

for (const [what, authorization] of malformed) {
  Deno.test(`guard() takes what is not Basic for nothing, and hashes nothing: ${what}`, async () => {
    const opened = await openWithAlice();
    assertEquals(await told(opened, authorization), "401 not-authenticated, 0 hash");
    assertEquals((await ask(opened, authorization)).headers.get("www-authenticate"), challenge);
    assertEquals((await ask(opened, authorization, { headers: { accept: "text/html" } })).status, 302);
  });
}
