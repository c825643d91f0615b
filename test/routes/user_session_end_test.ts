/** Ending a user's sessions: `DELETE /user/{login}/session/`. */
import { assert, assertEquals } from "@std/assert";
import { type AdminApp, countOutcomes, isLive, openAdminApp, outcomeOf, sessionIdOf } from "../support/accounts.ts";

for (const path of ["/session/", "/user/alice/session/", "/user/alice/session/<own>", "/user/alice"]) {
  Deno.test(`DELETE ${path} takes the cookie and kept pages away from the browser whose session it ends`, async () => {
    const opened = await openAdminApp();
    const own = await opened.addUser("alice");
    const told = await endByCookie(opened, path.replace("<own>", sessionIdOf(own)), own);
    assertEquals(told, [204, "__Host-gatehouse=; Max-Age=0; Path=/; Secure; HttpOnly; SameSite=Lax", '"cache"']);
    assertEquals(await isLive(opened, own), false);
  });

  Deno.test(`DELETE ${path} takes nothing away from a program`, async () => {
    const opened = await openAdminApp();
    const own = await opened.addUser("alice");
    const { status, headers } = await opened.send("DELETE", path.replace("<own>", sessionIdOf(own)), { token: own });
    assertEquals([status, headers.get("set-cookie"), headers.get("clear-site-data")], [204, null, null]);
  });
}

Deno.test("who ends sessions of others, or another of their own, stays logged in", async () => {
  const opened = await openAdminApp();
  const own = await opened.addUser("alice");
  const other = await opened.logIn();
  assertEquals(await endByCookie(opened, `/user/alice/session/${sessionIdOf(other)}`, own), [204, null, null]);
  assert(await isLive(opened, own));
  for (const path of [`/user/alice/session/${sessionIdOf(own)}`, "/user/alice/session/", "/user/alice"]) {
    assertEquals(await endByCookie(opened, path, opened.admin), [204, null, null]);
  }
  assert(await isLive(opened, opened.admin));
});

Deno.test("endSession() ends the session that asks for it", async () => {
  const opened = await openAdminApp();
  const token = await opened.addUser("alice");
  assertEquals(outcomeOf(await opened.send("DELETE", `/user/alice/session/${sessionIdOf(token)}`, { token })), "204");
  assertEquals(await isLive(opened, token), false);
});

Deno.test("endSession() finds no session of another user, nor one that never was", async () => {
  const opened = await openAdminApp();
  const token = await opened.addUser("alice");
  const bob = await opened.addUser("bob");
  const ids = [sessionIdOf(bob), sessionIdOf(opened.admin), bob, "none", "01KAN6Z3H3AAAAAAAAAAAAAAAA", "__proto__"];
  for (const asker of [token, opened.admin]) {
    for (const id of ids) {
      const reply = await opened.send("DELETE", `/user/alice/session/${id}`, { token: asker });
      assertEquals(outcomeOf(reply), "404 not-found", id);
    }
  }
  for (const live of [token, bob, opened.admin]) assert(await isLive(opened, live));
});

Deno.test("endSession() answers one of 20 at once that it has ended the session", async () => {
  const opened = await openAdminApp();
  const path = `/user/alice/session/${sessionIdOf(await opened.addUser("alice"))}`;
  const replies = await Promise.all(
    Array.from({ length: 20 }, () => opened.send("DELETE", path, { token: opened.admin })),
  );
  assertEquals(countOutcomes(replies), { "204": 1, "404 not-found": 19 });
});

Deno.test("endSessions() of a user without a session is done already", async () => {
  const opened = await openAdminApp();
  await opened.addUser("alice");
  for (let round = 0; round < 2; round++) {
    assertEquals(outcomeOf(await opened.send("DELETE", "/user/alice/session/", { token: opened.admin })), "204");
  }
});

/** Ends sessions as a browser does. @returns the status, and what a browser is told to forget */
async function endByCookie({ send }: AdminApp, path: string, token: string) {
  const own = { cookie: `__Host-gatehouse=${token}`, "sec-fetch-site": "same-origin" };
  const { status, headers } = await send("DELETE", path, { headers: own });
  return [status, headers.get("set-cookie"), headers.get("clear-site-data")];
}
