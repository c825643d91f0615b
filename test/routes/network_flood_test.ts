/** A flood of wrong passwords from one IPv6 /48 does not stop logins from other networks or known devices. */
import { assertEquals, assertGreater } from "@std/assert";
import { Hasher } from "../../lib/passwords/hasher.ts";
import { countOutcomes, outcomeOf } from "../support/accounts.ts";
import { alice, openTestApp, type Reply } from "../support/app.ts";
import { occupy } from "../support/occupied.ts";
import { pbkdf2 } from "../support/passwords/phc.ts";

/** A hasher that takes 5 waiting while it is busy. */
async function openBusyHasher(): Promise<Hasher> {
  const now = performance.now;
  let nowMs = 0;
  // Each hash is measured to take a second.
  performance.now = () => nowMs += 1_000;
  try {
    return await Hasher.open({ scheme: pbkdf2(1), concurrency: 1, maxWaitMs: 5_000 });
  } finally {
    performance.now = now;
  }
}

const rows: readonly (readonly [who: string, client: string, isKnown: boolean])[] = [
  ["who comes from elsewhere", "192.0.2.1", false],
  ["a known device of the same /64", "2001:db8:0:1::99", true],
];
for (const [who, client, isKnown] of rows) {
  Deno.test(`logIn() serves ${who} 20 of 20 times while one /48 floods it with wrong passwords`, async () => {
    const outcomes: Reply[] = [];
    const floods: Reply[] = [];
    for (let round = 0; round < 20; round++) {
      const { app, send } = await openTestApp({ hasher: await openBusyHasher() });
      assertEquals(outcomeOf(await send("POST", "/user/", { json: alice })), "201");
      const first = await send("POST", "/session/", { json: { ...alice, cookie: true }, client });
      const cookies = first.headers.getSetCookie().map((cookie) => cookie.replace(/;.*/, "")).join("; ");
      const headers: Record<string, string> = isKnown ? { cookie: cookies } : {};
      using busy = occupy(app.hasher);
      const flood = Array.from({ length: 50 }, (_, index) =>
        send("POST", "/session/", {
          json: { login: `user${index}`, password: "wrong" },
          client: `2001:db8:0:${index.toString(16)}::1`,
        }));
      const login = send("POST", "/session/", { json: alice, client, headers });
      // All have come as far as the queue.
      for (let tick = 0; tick < 100; tick++) await Promise.resolve();
      await busy.leave();
      outcomes.push(await login);
      floods.push(...await Promise.all(flood));
    }
    assertEquals(countOutcomes(outcomes), { "201": 20 });
    assertGreater(countOutcomes(floods)["503 overloaded"] ?? 0, 20 * 40);
  });
}

Deno.test("logIn() gives no place of known devices to who shows a cookie that is none of the login's", async () => {
  const { app, send } = await openTestApp({ hasher: await openBusyHasher() });
  assertEquals(outcomeOf(await send("POST", "/user/", { json: alice })), "201");
  const client = "2001:db8:0:1::99";
  const { headers } = await send("POST", "/session/", { json: { ...alice, cookie: true }, client });
  const cookie = headers.getSetCookie().find((one) => one.startsWith("__Host-gatehouse-device="))?.replace(/;.*/, "");
  using busy = occupy(app.hasher);
  const attempts = (login: string, count: number, headers: Record<string, string>) =>
    Array.from(
      { length: count },
      (_, index) => send("POST", "/session/", { json: { login, password: `wrong ${index}` }, client, headers }),
    );
  const flood = attempts("bob", 20, {});
  for (let tick = 0; tick < 100; tick++) await Promise.resolve();
  const forged = attempts("carol", 3, { cookie: cookie ?? "" });
  for (let tick = 0; tick < 100; tick++) await Promise.resolve();
  assertEquals(countOutcomes(await Promise.all(forged)), { "503 overloaded": 3 });
  const known = send("POST", "/session/", { json: alice, client, headers: { cookie: cookie ?? "" } });
  for (let tick = 0; tick < 100; tick++) await Promise.resolve();
  await busy.leave();
  assertEquals(outcomeOf(await known), "201");
  await Promise.all(flood);
});
