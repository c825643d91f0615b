/** Who may do what: one table of every route and every kind of caller. */
import { assertEquals } from "@std/assert";
import type { UserSession } from "../../../lib/store.ts";
import { TableStore } from "../../../lib/store/memory/table_store.ts";
import { routes } from "../../../routes/mod.ts";
import { type AdminApp, newPassword, openAdminApp, outcomeOf, sessionIdOf } from "../../support/accounts.ts";
import { alice, type SendOptions } from "../../support/app.ts";

/** What a row's request is made of: an app in which `alice` is the user of the paths, and her token. */
interface Scene extends AdminApp {
  readonly token: string;
}

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
  ended: async ({ send, logIn }) => {
    const ended = await logIn();
    assertEquals(outcomeOf(await send("DELETE", "/session/", { token: ended })), "204");
    return ended;
  },
};

/** The statuses, in the order of the callers. */
type Statuses = readonly [nobody: number, user: number, other: number, admin: number, disabled: number, ended: number];

const everybody: Statuses = [200, 200, 200, 200, 200, 200];
const self: Statuses = [401, 200, 403, 200, 401, 401];
const changeOfSelf: Statuses = [401, 204, 403, 204, 401, 401];
const adminOnly: Statuses = [401, 403, 403, 200, 401, 401];

const carol = { ...alice, login: "carol" };
const change = { current_password: alice.password, password: newPassword };

/** With the id in the path, when it is not that of alice's session. */
type RowOptions = SendOptions & { readonly id?: string };

interface Row {
  readonly route: string;
  readonly statuses: Statuses;
  /** What the request carries beside the caller's token. */
  readonly options?: (scene: Scene) => Promise<RowOptions> | RowOptions;
}

const rows: readonly Row[] = [
  { route: "POST /user/", options: () => ({ json: carol }), statuses: [201, 201, 201, 201, 201, 201] },
  { route: "GET /user/", statuses: adminOnly },
  { route: "GET /user/:login", statuses: self },
  { route: "PATCH /user/:login", options: () => ({ json: { groups: ["staff"] } }), statuses: adminOnly },
  { route: "DELETE /user/:login", statuses: changeOfSelf },
  { route: "PUT /user/:login/password", options: () => ({ json: change }), statuses: [401, 204, 403, 403, 401, 401] },
  {
    route: "PUT /user/:login/password",
    options: async (scene) => ({ json: { ticket: await scene.makeTicket("reset", "alice"), password: newPassword } }),
    // Whoever has the ticket; that the account is disabled stays so.
    statuses: [204, 204, 204, 204, 204, 204],
  },
  { route: "GET /user/:login/session/", statuses: self },
  { route: "DELETE /user/:login/session/", statuses: changeOfSelf },
  // When she is disabled her session is gone, which nobody is told who may not see it.
  { route: "DELETE /user/:login/session/:id", statuses: changeOfSelf },
  {
    route: "POST /user/:login/app-password/",
    options: () => ({ json: { name: "git" } }),
    statuses: [401, 201, 403, 403, 401, 401],
  },
  { route: "POST /session/", options: () => ({ json: alice }), statuses: [201, 201, 201, 201, 401, 201] },
  { route: "GET /session/", statuses: [401, 200, 200, 200, 401, 401] },
  { route: "DELETE /session/", statuses: [401, 204, 204, 204, 401, 401] },
  {
    route: "POST /ticket/",
    options: () => ({ json: { purpose: "register" } }),
    statuses: [401, 403, 403, 201, 401, 401],
  },
  { route: "GET /ticket/", statuses: adminOnly },
  {
    route: "DELETE /ticket/:id",
    options: async ({ send, admin }) => {
      const { json } = await send("POST", "/ticket/", { token: admin, json: { purpose: "register" } });
      return { id: String(json.id) };
    },
    statuses: [401, 403, 403, 204, 401, 401],
  },
  { route: "GET /health/live", statuses: everybody },
  { route: "GET /health/ready", statuses: everybody },
  { route: "GET /problem/:code", statuses: everybody },
  { route: "GET /openapi.json", statuses: everybody },
  { route: "GET /docs/", statuses: everybody },
  { route: "GET /setting/", statuses: adminOnly },
  { route: "GET /status/", statuses: adminOnly },
  { route: "GET /metrics", statuses: everybody },
  { route: "GET /guard/:demands*", statuses: [401, 200, 200, 200, 401, 401] },
  { route: "GET /", statuses: everybody },
  { route: "GET /page/:file", statuses: everybody },
];

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
  opened.clock.now += 7 * 24 * 60 * 60 * 1_000;
  for (const { route, options } of guarded) {
    const [method = "", path = ""] = route.split(" ");
    const target = path.replace(":login", "alice").replace(":id", sessionIdOf(scene.token));
    const sent = { ...await options?.(scene), token: scene.token };
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
