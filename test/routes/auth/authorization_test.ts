/** Who may do what: one table of every route and every kind of caller. */
import { assertEquals } from "@std/assert";
import type { UserSession } from "../../../lib/store.ts";
import { TableStore } from "../../../lib/store/memory/table_store.ts";
import { routes } from "../../../routes/mod.ts";
import { openAdminApp, outcomeOf, sessionIdOf } from "../../support/accounts.ts";
import { rows, type Scene } from "../../support/route_rows.ts";

/** Who asks, and with which token. */
const callers: Readonly<Record<string, (scene: Scene) => Promise<string | undefined>>> = {
  nobody: () => Promise.resolve(undefined),
  user: ({ token }) => Promise.resolve(token),
  other: ({ addUser }) => addUser("bob"),
  admin: ({ admin }) => Promise.resolve(admin),
  disabled: async ({ send, admin, token }) => {
    const reply = await send("PATCH", "/user/alice", { token: admin, json: { disabled: true } });
    assertEquals(outcomeOf(reply), "200");
    return token;
  },
  ended: async ({ send, addUser }) => {
    const ended = await addUser("dave");
    assertEquals(outcomeOf(await send("DELETE", "/session/", { token: ended })), "204");
    return ended;
  },
};

Deno.test("every route has a row in the table of callers, and every row a route", () => {
  const known = routes.map(({ method, path }) => `${method} ${path}`);
  assertEquals([...new Set(rows.map(({ route }) => route))].sort(), known.sort());
});

for (const { route, statuses, options } of rows) {
  Object.entries(callers).forEach(([caller, tokenOf], column) => {
    Deno.test(`${route} answers ${statuses[column]} to: ${caller}`, async () => {
      const opened = await openAdminApp();
      const scene = { ...opened, token: await opened.addUser("alice") };
      const { id = sessionIdOf(scene.token), ...sent } = await options?.(scene) ?? {};
      const token = await tokenOf(scene);
      const [method = "", path = ""] = route.split(" ");
      const params: Record<string, string> = {
        ":login": "alice",
        ":id": id,
        ":code": "not-found",
        ":file": "main.js",
      };
      const target = path.replace(/:\w+\*?/g, (name) => params[name] ?? "");
      const reply = await opened.send(method, target, { ...sent, ...token !== undefined && { token } });
      assertEquals(reply.status, statuses[column], reply.text);
    });
  });
}

/** Every route that wants a session, by its rows. */
const guarded = rows.filter(({ statuses }) => statuses[0] === 401);

Deno.test("a session that has expired is nobody's, on every route", async () => {
  const opened = await openAdminApp();
  const scene = { ...opened, token: await opened.addUser("alice") };
  const requests = await Promise.all(guarded.map(async ({ route, options }) => {
    return { route, sent: { ...await options?.(scene), token: scene.token } };
  }));
  opened.clock.now += 7 * 24 * 60 * 60 * 1_000;
  for (const { route, sent } of requests) {
    const [method = "", path = ""] = route.split(" ");
    const target = path.replace(":login", "alice").replace(":id", sessionIdOf(scene.token));
    assertEquals(outcomeOf(await opened.send(method, target, sent)), "401 not-authenticated", route);
  }
});

Deno.test("a request looks once for the session of its caller, on every route that wants one", async () => {
  for (const { route, options } of guarded) {
    for (const who of ["admin", "token"] as const) {
      const store = new CountingStore();
      const opened = await openAdminApp({ store });
      const scene = { ...opened, token: await opened.addUser("alice") };
      const [method = "", path = ""] = route.split(" ");
      const { id = sessionIdOf(await opened.logIn()), ...sent } = await options?.(scene) ?? {};
      const target = path.replace(":login", "alice").replace(":id", id).replace(":demands*", "");
      store.lookedFor.length = 0;
      await opened.send(method, target, { ...sent, token: scene[who] });
      const own = store.lookedFor.filter((id) => id === sessionIdOf(scene[who]));
      // A stream looks again before each event.
      assertEquals(own.length, 1, `${route} of ${who}`);
    }
  }
});

/** A store that knows which sessions were looked for. */
class CountingStore extends TableStore {
  readonly lookedFor: string[] = [];

  override findSession(id: string): Promise<UserSession | undefined> {
    this.lookedFor.push(id);
    return super.findSession(id);
  }
}

Deno.test("a change by cookie must come from the same origin, on every route that wants a session", async () => {
  const opened = await openAdminApp();
  const scene = { ...opened, token: await opened.addUser("alice") };
  for (const { route, options } of guarded) {
    const [method = "", path = ""] = route.split(" ");
    if (method === "GET") continue;
    const target = path.replace(":login", "alice").replace(":id", sessionIdOf(scene.token));
    for (const token of [scene.token, scene.admin]) {
      const headers = { cookie: `__Host-gatehouse=${token}`, "sec-fetch-site": "same-site" };
      const reply = await opened.send(method, target, { ...await options?.(scene), headers });
      assertEquals(outcomeOf(reply), "403 cross-origin", route);
    }
  }
});

Deno.test("who may not see a user gets the same answer whether they exist or not, on every route", async () => {
  const opened = await openAdminApp();
  const token = await opened.addUser("bob");
  const scene = { ...opened, token: await opened.addUser("alice") };
  for (const { route, options, statuses } of rows) {
    if (!route.includes("/:login") || statuses[0] !== 401) continue;
    const [method = "", path = ""] = route.split(" ");
    const sent = { ...await options?.(scene), token };
    const answers = await Promise.all(["alice", "nobody", "a b"].map(async (login) => {
      const target = path.replace(":login", encodeURIComponent(login)).replace(":id", sessionIdOf(scene.token));
      const { status, text, headers } = await opened.send(method, target, sent);
      headers.delete("x-request-id");
      return { status, text, headers: Array.from(headers) };
    }));
    assertEquals(answers[0]?.status, 403, route);
    for (const answer of answers) assertEquals(answer, answers[0], route);
  }
});

Deno.test("an admin is told when there is no such user, on every route", async () => {
  const opened = await openAdminApp();
  const scene = { ...opened, token: "" };
  for (const { route, options, statuses } of rows) {
    if (!route.includes("/:login") || statuses[3] === 403 || statuses[0] !== 401) continue;
    const [method = "", path = ""] = route.split(" ");
    const target = path.replace(":login", "nobody").replace(":id", sessionIdOf(opened.admin));
    const reply = await opened.send(method, target, { ...await options?.(scene), token: opened.admin });
    assertEquals(outcomeOf(reply), "404 not-found", route);
  }
});
