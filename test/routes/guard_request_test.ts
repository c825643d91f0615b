/** What the guard reads of a request, and what it logs. */
import { assert, assertEquals } from "@std/assert";
import { createLog } from "../../lib/log.ts";
import { createRouter } from "../../lib/router.ts";
import { StoreUnavailableError } from "../../lib/store.ts";
import { routes } from "../../routes/mod.ts";
import { ask, byBasic, byBearer, byCookie, dead, type Headers, openScene, told } from "../support/caddy/guard_scene.ts";

Deno.test("guard() answers GET and HEAD alike, and no other method", async () => {
  const scene = await openScene();
  const headers = byCookie(scene.ofAlice);
  for (const method of ["GET", "HEAD"]) {
    assertEquals(told(await scene.send(method, "/guard/", { headers })), "200 alice");
  }
  for (const method of ["DELETE", "POST"]) assertEquals((await scene.send(method, "/guard/", { headers })).status, 405);
});

Deno.test("guard() gives every response an id, and logs all but those of 200", async () => {
  const scene = await openScene();
  const rows: readonly [headers: Headers, status: number, lines: number][] = [
    [byCookie(scene.ofAlice), 200, 0],
    [byBearer(scene.ofAlice), 200, 0],
    [{}, 401, 1],
    [{ accept: "text/html" }, 302, 1],
  ];
  for (const [headers, status, lines] of rows) {
    const before = scene.lines.length;
    const reply = await ask(scene, headers);
    assertEquals([reply.status, scene.lines.length - before], [status, lines]);
    assert(reply.headers.has("x-request-id") && reply.headers.get("x-content-type-options") === "nosniff");
  }
});

Deno.test("guard() refuses a demand whose percent-encoding is no text, whoever asks", async () => {
  const scene = await openScene();
  for (const demands of ["%zz", "users/%", "%ff", "users/%ed%a0%80"]) {
    for (const headers of [byCookie(scene.admin), {}]) {
      assertEquals(told(await ask(scene, headers, demands)), "400 malformed-path", demands);
    }
  }
});

Deno.test("guard() refuses a subrequest of nginx with a 403 that has no challenge", async () => {
  const scene = await openScene();
  const subrequest = { "gatehouse-subrequest": "1" };
  const page = { accept: "text/html" };
  const rows: readonly [headers: Headers, demands: string, refusal: string][] = [
    [{}, "", "401 not-authenticated"],
    [page, "", "302"],
    [byBasic("alice", "wrong"), "", "401 wrong-credentials"],
    [byCookie(scene.ofAlice), "staff", "403 not-in-group"],
    [{ ...page, ...byCookie(scene.ofAlice) }, "second-factor", "302"],
    [{}, "%zz", "400 malformed-path"],
  ];
  for (const [headers, demands, refusal] of rows) {
    assertEquals(told(await ask(scene, headers, demands)), refusal);
    const reply = await ask(scene, { ...headers, ...subrequest }, demands);
    assertEquals([reply.status, reply.headers.get("www-authenticate")], [403, null]);
  }
  assertEquals(told(await ask(scene, { ...byCookie(scene.ofAlice), ...subrequest })), "200 alice");
  scene.app.store.findSession = () => Promise.reject(new StoreUnavailableError("away"));
  const failed = await ask(scene, { ...byCookie(scene.ofAlice), ...subrequest });
  assertEquals(failed.status, 503);
});

Deno.test("guard() names the host of each decision in the log", async () => {
  const settings = { GATEHOUSE_HOME: "https://login.example.org", GATEHOUSE_SITES: "https://wiki.example.org" };
  const { app } = await openScene({ settings });
  const lines: string[] = [];
  const log = createLog((line) => lines.push(line), { isDebug: true });
  const router = createRouter(routes, { ...app, log });
  const connection = { remoteAddr: { transport: "tcp", hostname: "127.0.0.1", port: 50_000 } } as const;
  const long = "x".repeat(301);
  for (const host of ["wiki.example.org", "files.example.org", long]) {
    const headers = { "x-forwarded-host": host };
    await router(new Request("http://gatehouse.test/guard/", { headers }), connection);
  }
  const events = lines.map((line) => JSON.parse(line)).filter(({ event }) => event === "guard-decided");
  assertEquals(events.map(({ host, reason }) => [host, reason]), [
    ["wiki.example.org", "no-session"],
    ["files.example.org", "unknown-site"],
    [long.slice(1), "unknown-site"],
  ]);
});

Deno.test("guard() explains each decision in the log at debug level, once", async () => {
  const { app, ofAlice, admin } = await openScene({ settings: { GATEHOUSE_SECOND_FACTOR: "admins" } });
  const lines: string[] = [];
  const log = createLog((line) => lines.push(line), { isDebug: true });
  const router = createRouter(routes, { ...app, log });
  const connection = { remoteAddr: { transport: "tcp", hostname: "127.0.0.1", port: 50_000 } } as const;
  for (
    const [demands, headers, reason, isKnown] of [
      ["", byCookie(ofAlice), undefined, true],
      ["", {}, "no-session", false],
      ["", byCookie(dead), "session-ended", false],
      ["", byBearer(dead), "session-ended", false],
      ["staff", byCookie(ofAlice), "not-in-group", true],
      ["second-factor", byCookie(ofAlice), "second-factor-required", true],
      ["admin", byCookie(admin), "second-factor-required", true],
      ["", byBasic("alice", "wrong"), "wrong-credentials", false],
      ["second-factor", byBasic("alice"), "second-factor-required", true],
    ] as const
  ) {
    lines.length = 0;
    const path = `http://gatehouse.test/guard/${demands}`;
    const { headers: sent } = await router(new Request(path, { headers: headers as Headers }), connection);
    const events = lines.map((line) => JSON.parse(line)).filter(({ event }) => event === "guard-decided");
    assertEquals(events.map(({ time: _, user, groups, ...event }) => [event, user, groups]), [[
      {
        level: "debug",
        event: "guard-decided",
        isAllowed: reason === undefined,
        ...reason !== undefined && { reason },
        demands: [demands || "users"],
        requestId: sent.get("x-request-id"),
      },
      ...isKnown ? [demands === "admin" ? "root" : "alice", events[0].groups] : [undefined, undefined],
    ]], `${demands} ${JSON.stringify(headers)}`);
  }
  app.store.findSession = () => Promise.reject(new TypeError("broken"));
  lines.length = 0;
  const request = new Request("http://gatehouse.test/guard/", { headers: byCookie(ofAlice) as Headers });
  assertEquals((await router(request, connection)).status, 500);
  assertEquals(lines.map((line) => JSON.parse(line)).find(({ event }) => event === "guard-decided")?.reason, "failed");
});
