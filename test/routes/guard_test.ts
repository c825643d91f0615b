/** Who passes the guard by a session. guard_refusal_test.ts has the refusals, guard_basic_test.ts HTTP Basic. */
import { assert, assertEquals } from "@std/assert";
import { TableStore } from "../../lib/store/memory/table_store.ts";
import { memoryStorage, Tables } from "../../lib/store/memory/tables.ts";
import { type AdminApp, keptUser, newPassword } from "../support/accounts.ts";
import {
  ask,
  byBasic,
  byBearer,
  byCookie,
  dead,
  type Headers,
  openScene,
  type Scene,
  told,
} from "../support/caddy/guard_scene.ts";

async function setGroups({ send, admin }: AdminApp, login: string, groups: readonly string[]): Promise<void> {
  assertEquals((await send("PATCH", `/user/${login}`, { token: admin, json: { groups } })).status, 200);
}

Deno.test("guard() tells of a live session whose it is, and nothing of the session", async () => {
  const scene = await openScene();
  await setGroups(scene, "alice", ["staff", "night"]);
  const { id } = await keptUser(scene, "alice");
  for (const headers of [byCookie(scene.ofAlice), byBearer(scene.ofAlice)]) {
    const reply = await ask(scene, headers);
    assertEquals([reply.status, reply.text], [200, ""]);
    const remote = [...reply.headers].filter(([name]) => !name.startsWith("x-"));
    assertEquals(remote, [["remote-groups", "users,staff,night"], ["remote-id", id], ["remote-user", "alice"]]);
  }
});

Deno.test("guard() takes no other secret for that of a session in use, nor that of another", async () => {
  const scene = await openScene();
  const { ofAlice, ofBob } = scene;
  for (const token of [ofAlice, ofBob]) assertEquals((await ask(scene, byCookie(token))).status, 200);
  const secrets = ["a".repeat(43), ofBob.slice(27), `${ofAlice.slice(27, -1)}${ofAlice.endsWith("A") ? "E" : "A"}`];
  for (const secret of secrets) {
    const token = `${ofAlice.slice(0, 26)}.${secret}`;
    for (const headers of [byCookie(token), byBearer(token)]) {
      for (let count = 0; count < 2; count++) assertEquals(told(await ask(scene, headers)), "401 not-authenticated");
    }
  }
  assertEquals(told(await ask(scene, byCookie(ofAlice))), "200 alice");
});

const askers: readonly [what: string, headersOf: (scene: Scene) => Headers, expected: string][] = [
  ["a cookie", ({ ofAlice }) => byCookie(ofAlice), "200 alice"],
  ["a bearer", ({ ofBob }) => byBearer(ofBob), "200 bob"],
  ["Basic", () => byBasic("bob"), "200 bob"],
  ["a cookie and a bearer of another", (s) => ({ ...byCookie(s.ofAlice), ...byBearer(s.ofBob) }), "200 alice"],
  ["a cookie and a bearer of nobody", (s) => ({ ...byCookie(s.ofAlice), ...byBearer(dead) }), "200 alice"],
  ["a cookie and Basic of another", (s) => ({ ...byCookie(s.ofAlice), ...byBasic("bob") }), "200 alice"],
  ["a cookie and wrong Basic", (s) => ({ ...byCookie(s.ofAlice), ...byBasic("bob", "wrong") }), "200 alice"],
  ["a cookie and junk", (s) => ({ ...byCookie(s.ofAlice), authorization: "AWS4 x" }), "200 alice"],
  ["a dead cookie and a bearer", (s) => ({ ...byCookie(dead), ...byBearer(s.ofBob) }), "200 bob"],
  ["a dead cookie and Basic", () => ({ ...byCookie(dead), ...byBasic("bob") }), "200 bob"],
  ["a dead cookie", () => byCookie(dead), "401 not-authenticated"],
  ["a dead bearer", () => byBearer(dead), "401 not-authenticated"],
  ["a dead cookie and wrong Basic", () => ({ ...byCookie(dead), ...byBasic("bob", "x") }), "401 wrong-credentials"],
  ["no password", () => ({ "remote-user": "alice", "remote-groups": "admin" }), "401 not-authenticated"],
  ["a known device", () => ({ cookie: `__Host-gatehouse-device=${dead}` }), "401 not-authenticated"],
  ["a token in the place of a password", (s) => byBasic("alice", s.ofAlice), "401 wrong-credentials"],
  ["a token as Basic", ({ ofAlice }) => ({ authorization: `Basic ${ofAlice}` }), "401 not-authenticated"],
  ["nothing", () => ({}), "401 not-authenticated"],
];

for (const [what, headersOf, expected] of askers) {
  Deno.test(`guard() answers ${expected} to: ${what}`, async () => {
    const scene = await openScene();
    assertEquals(told(await ask(scene, headersOf(scene))), expected);
  });
}

const endings: Readonly<Record<string, (scene: Scene) => Promise<unknown>>> = {
  "is ended": ({ send, ofAlice }) => send("DELETE", "/session/", { token: ofAlice }),
  "is ended by an admin": ({ send, admin }) => send("DELETE", "/user/alice/session/", { token: admin }),
  "is not used for a week": ({ clock }) => Promise.resolve(clock.now += 7 * 24 * 60 * 60 * 1_000),
  "is of a user who is disabled": ({ send, admin }) =>
    send("PATCH", "/user/alice", { token: admin, json: { disabled: true } }),
  "is of a user who is deleted": ({ send, admin }) => send("DELETE", "/user/alice", { token: admin }),
  "is of a login that is another's": async ({ send, admin, addUser }) => {
    await send("DELETE", "/user/alice", { token: admin });
    await addUser("alice");
  },
  "is older than the password": async ({ send, makeTicket }) => {
    const json = { ticket: await makeTicket("reset", "alice"), password: newPassword };
    await send("PUT", "/user/alice/password", { json });
  },
};

for (const [what, end] of Object.entries(endings)) {
  Deno.test(`guard() lets nobody pass by a session that ${what}`, async () => {
    const scene = await openScene();
    const ways = [byCookie(scene.ofAlice), byBearer(scene.ofAlice)];
    for (const headers of ways) assertEquals(told(await ask(scene, headers)), "200 alice");
    await end(scene);
    for (const headers of ways) assertEquals(told(await ask(scene, headers)), "401 not-authenticated");
  });
}

const groups: readonly [groups: readonly string[], told: string, passed: string[], refused: string[]][] = [
  [[], "users", ["", "users", "users/users"], ["staff", "admin", "users/staff", "staff/second-factor"]],
  [["staff"], "users,staff", ["staff", "users/staff", "%73taff"], ["night/staff", "sta", "Staff", "staff%20"]],
  [["night", "staff"], "users,night,staff", ["staff/night/staff"], ["staff/admin", "staff,night", "staff%2Fnight"]],
  // A group that somebody has given by hand is named once.
  [["users"], "users", ["users"], ["user"]],
  [["staff", "users", "night"], "users,staff,night", ["night"], ["staff.night"]],
  // An empty segment is a demand that nobody meets, and so is one too many.
  [["a"], "users,a", [Array(32).fill("a").join("/")], [
    "/",
    "a/",
    "/a",
    "a//a",
    Array(33).fill("a").join("/"),
  ]],
];

for (const [own, list, passed, refused] of groups) {
  Deno.test(`guard() demands every group that it is asked for, of who is in: ${own.join() || "none"}`, async () => {
    const scene = await openScene();
    await setGroups(scene, "alice", own);
    for (const demands of passed) {
      const reply = await ask(scene, byCookie(scene.ofAlice), demands);
      assertEquals([told(reply), reply.headers.get("remote-groups")], ["200 alice", list], demands);
    }
    for (const demands of refused) {
      assertEquals(told(await ask(scene, byCookie(scene.ofAlice), demands)), "403 not-in-group", demands);
      assertEquals(told(await ask(scene, {}, demands)), "401 not-authenticated", demands);
    }
  });
}

Deno.test("guard() tells the groups as they are now, also right after it was asked", async () => {
  const scene = await openScene();
  for (const own of [["staff"], [], ["night"]]) {
    await setGroups(scene, "alice", own);
    for (let count = 0; count < 3; count++) {
      const { headers } = await ask(scene, byCookie(scene.ofAlice));
      assertEquals(headers.get("remote-groups"), ["users", ...own].join());
    }
  }
});

Deno.test("guard() ends a session 30 days after it was made, though it was asked for it a moment before", async () => {
  const scene = await openScene();
  const madeAt = scene.clock.now;
  const hourMs = 60 * 60 * 1_000;
  for (const hours of [6, 12, 18, 24, 30].map((days) => days * 24 - 1 / 60)) {
    scene.clock.now = madeAt + hours * hourMs;
    for (let count = 0; count < 2; count++) assertEquals(told(await ask(scene, byCookie(scene.ofAlice))), "200 alice");
  }
  scene.clock.now = madeAt + 30 * 24 * hourMs;
  assertEquals(told(await ask(scene, byCookie(scene.ofAlice))), "401 not-authenticated");
});

const queries = ["?", "?group=staff", "?group=users", "?next=//evil.example", "?a&a&a", "?%zz", "?second-factor"];

Deno.test("guard() ignores the query, which is that of the page", async () => {
  const scene = await openScene();
  await setGroups(scene, "alice", ["staff"]);
  for (const query of [...queries, `?${"a&".repeat(15_000)}`]) {
    const who = byCookie(scene.ofAlice);
    assertEquals(told(await ask(scene, who, query)), "200 alice", query);
    assertEquals(told(await ask(scene, who, `staff${query}`)), "200 alice", query);
    const refused = await ask(scene, who, `night${query}`);
    assertEquals(told(refused), "403 not-in-group", query);
    assert(refused.text.length < 300, "the response does not grow with the request");
  }
});

/** Counts what is written, and hangs when it shall. */
class SlowTables {
  readonly tables = new Tables();
  writeCount = 0;
  isHanging = false;

  readonly store = new TableStore({
    ...memoryStorage(this.tables),
    commit: async (changes) => {
      this.writeCount++;
      if (this.isHanging) await new Promise(() => {});
      for (const change of changes) this.tables.apply(change);
    },
  });
}

Deno.test("guard() hashes nothing for a session, and does not wait for the update of lastSeenAt", async () => {
  const disk = new SlowTables();
  const scene = await openScene({ store: disk.store });
  const before = [disk.writeCount, scene.app.metrics.hashes.count];
  for (const headers of [byCookie(scene.ofAlice), byBearer(scene.ofAlice), {}, byCookie(dead)]) {
    for (let count = 0; count < 5; count++) assert([200, 401].includes((await ask(scene, headers)).status));
  }
  assertEquals([disk.writeCount, scene.app.metrics.hashes.count], before);
  scene.clock.now += 60 * 60 * 1_000;
  disk.isHanging = true;
  assertEquals(told(await ask(scene, byCookie(scene.ofAlice))), "200 alice");
  assertEquals([disk.writeCount, scene.app.metrics.hashes.count], [(before[0] ?? 0) + 1, before[1]]);
});
