/** How long a session lasts, by a clock that is set. */
import { assertEquals } from "@std/assert";
import { setTimeout as delay } from "node:timers/promises";
import { openAppOfAlice, openedAt } from "../support/app.ts";

const hourMs = 60 * 60 * 1_000;

const lifetimes: [
  what: string,
  usedAfterHours: number[],
  endsAfterHours: number,
  settings: Record<string, string>,
][] = [
  ["7 days without use", [], 168, {}],
  ["7 days after the last use", [100], 268, {}],
  ["30 days however it is used", [150, 300, 450, 600, 719], 720, {}],
  ["the hours without use that are set", [], 2, { GATEHOUSE_SESSION_IDLE_HOURS: "2" }],
  ["the hours at most that are set", [1, 2], 3, {
    GATEHOUSE_SESSION_IDLE_HOURS: "2",
    GATEHOUSE_SESSION_MAX_HOURS: "3",
  }],
];

for (const [what, usedAfterHours, endsAfterHours, settings] of lifetimes) {
  Deno.test(`a session ends ${what}`, async () => {
    const { clock, send, token } = await openAppOfAlice({ settings });
    const statusAt = async (now: number) => {
      clock.now = now;
      const { status } = await send("GET", "/session/", { token });
      // The use is noted behind the reply.
      await delay(0);
      return status;
    };
    for (const hours of usedAfterHours) assertEquals(await statusAt(openedAt + hours * hourMs), 200);
    const endsAt = openedAt + endsAfterHours * hourMs;
    assertEquals(await statusAt(endsAt), 401);
    // The clock turned back, as the look a moment before the end would itself be a use.
    assertEquals(await statusAt(endsAt - 1), 200);
  });
}

Deno.test("a session says when it ends, as far as it is known", async () => {
  const { clock, send, token } = await openAppOfAlice();
  const expiresAt = async () => {
    await send("GET", "/session/", { token });
    await delay(0);
    return Date.parse(String((await send("GET", "/session/", { token })).json.expires_at));
  };
  assertEquals(await expiresAt(), openedAt + 168 * hourMs);
  clock.now = openedAt + 100 * hourMs;
  assertEquals(await expiresAt(), openedAt + 268 * hourMs);
  for (const hours of [250, 400, 550, 700]) {
    clock.now = openedAt + hours * hourMs;
    assertEquals(await expiresAt(), openedAt + Math.min(720, hours + 168) * hourMs);
  }
});

Deno.test("a session is noted as seen at most tokenBucket", async () => {
  const { app, clock, send, token } = await openAppOfAlice();
  const seenAfter = async (ms: number) => {
    clock.now = openedAt + ms;
    assertEquals((await send("GET", "/session/", { token })).status, 200);
    await delay(0);
    return ((await app.store.findSession(token.slice(0, 26)))?.session.lastSeenAt ?? 0) - openedAt;
  };
  assertEquals(await seenAfter(0), 0);
  assertEquals(await seenAfter(hourMs - 1), 0);
  assertEquals(await seenAfter(hourMs), hourMs);
  assertEquals(await seenAfter(2 * hourMs - 1), hourMs);
  assertEquals(await seenAfter(5 * hourMs), 5 * hourMs);
});
