/** What an administrator changes of a user: `PATCH /user/{login}`. */
import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { type AdminApp, isLive, keptUser, newPassword, openAdminApp, outcomeOf } from "../support/accounts.ts";
import { alice, type Reply, type SendOptions } from "../support/app.ts";
import { sessionsIn } from "../support/store/records.ts";

async function change({ send, admin }: AdminApp, json: unknown, options: SendOptions = {}): Promise<Reply> {
  return await send("PATCH", "/user/alice", { token: admin, json, ...options });
}

Deno.test("changeUser() sets groups and `disabled`, each alone or both, and shows the user", async () => {
  const opened = await openAdminApp();
  await opened.addUser("alice");
  const { id } = await keptUser(opened, "alice");
  const rows: [json: unknown, groups: string[], disabled: boolean][] = [
    [{ groups: ["staff", "night-shift"] }, ["staff", "night-shift"], false],
    [{ disabled: true }, ["staff", "night-shift"], true],
    [{ groups: ["b", "a"], disabled: false }, ["b", "a"], false],
    [{ groups: ["b", "a"], disabled: false }, ["b", "a"], false],
    [{ groups: [] }, [], false],
  ];
  for (const [json, groups, disabled] of rows) {
    const reply = await change(opened, json);
    assertEquals(outcomeOf(reply), "200");
    const registered_at = "2026-11-23T09:35:39.123Z";
    assertEquals(reply.json, { id, login: "alice", registered_at, groups, disabled });
    assertEquals(reply.headers.get("cache-control"), "no-store");
    const shown = await opened.send("GET", "/user/alice", { token: opened.admin });
    assertEquals([shown.json, shown.headers.get("etag")], [reply.json, reply.headers.get("etag")]);
  }
});

Deno.test("changeUser() takes the login in whatever capitals", async () => {
  const opened = await openAdminApp();
  await opened.addUser("alice");
  const reply = await opened.send("PATCH", "/user/ALICE", { token: opened.admin, json: { groups: ["staff"] } });
  assertEquals([reply.status, reply.json.login], [200, "alice"]);
});

const goodGroups: [what: string, groups: string[]][] = [
  ["32 groups", Array.from({ length: 32 }, (_, index) => `g${index}`)],
  ["32 characters", ["a".repeat(32)]],
  ["one character", ["a"]],
  ["every kind of character", ["a.b_c-9", ".", "-", "_", "0"]],
];

for (const [what, groups] of goodGroups) {
  Deno.test(`changeUser() takes groups: ${what}`, async () => {
    const opened = await openAdminApp();
    await opened.addUser("alice");
    assertEquals((await change(opened, { groups })).json.groups, groups);
  });
}

const badBodies: [what: string, body: unknown, ...errors: string[]][] = [
  ...([
    ["33 groups", Array.from({ length: 33 }, (_, index) => `g${index}`)],
    ["a group twice", ["staff", "a", "staff"]],
    ["33 characters", ["a".repeat(33)]],
    ["an empty group", [""]],
    ["capitals", ["Staff"]],
    ["a comma", ["a,b"]],
    ["a space", ["a b"]],
    ["a line break at the end", ["a\n"]],
    ["no ASCII", ["é"]],
    ["numbers", [1]],
    ["lists", [["a"]]],
    ["text", "admin"],
    ["null", null],
    ["an object", { 0: "a", length: 1 }],
  ] as const).map(([what, groups]): [string, unknown, string] => [what, { groups }, "/groups invalid-groups"]),
  ["`disabled` as text", { disabled: "true" }, "/disabled not-boolean"],
  ["`disabled` as null", { disabled: null }, "/disabled not-boolean"],
  ["`disabled` as a number", { disabled: 0 }, "/disabled not-boolean"],
  ["both bad", { groups: 1, disabled: 1 }, "/disabled not-boolean", "/groups invalid-groups"],
  ["one good, one bad", { groups: ["staff"], disabled: 1 }, "/disabled not-boolean"],
  ["nothing", {}, " missing"],
  ["a list", [], " not-object"],
  [
    "unknown fields",
    { groups: [], login: "bob", passwordHash: "" },
    "/login unknown-field",
    "/passwordHash unknown-field",
  ],
  ["an unknown field alone", { password: newPassword }, "/password unknown-field"],
];

for (const [what, body, ...errors] of badBodies) {
  Deno.test(`changeUser() refuses, and changes nothing: ${what}`, async () => {
    const opened = await openAdminApp();
    await opened.addUser("alice");
    const before = await keptUser(opened, "alice");
    assertEquals(outcomeOf(await change(opened, body)), ["422 invalid-user", ...errors].join(" "));
    assertEquals(await keptUser(opened, "alice"), before);
  });
}

Deno.test("changeUser() goes by If-Match: what was seen, `*`, or a refusal", async () => {
  const opened = await openAdminApp();
  await opened.addUser("alice");
  const first = await opened.send("GET", "/user/alice", { token: opened.admin });
  const seen = String(first.headers.get("etag"));
  const changeIf = async (condition: string, group: string) => {
    return await change(opened, { groups: [group] }, { headers: { "if-match": condition } });
  };

  // Strong comparison (RFC 9110, 13.1.1): a weak tag is the same as none.
  for (const stale of ['"other"', `W/${seen}`, seen.slice(1, -1), "", '"*"']) {
    assertEquals(outcomeOf(await changeIf(stale, "a")), "412 precondition-failed", stale);
  }
  assertEquals((await keptUser(opened, "alice")).groups, []);

  const second = await changeIf(seen, "a");
  assertEquals(outcomeOf(second), "200");
  const etag = String(second.headers.get("etag"));
  assertNotEquals(etag, seen);
  assertEquals(outcomeOf(await changeIf(seen, "b")), "412 precondition-failed");
  assertEquals(outcomeOf(await changeIf(`"other", ${etag}`, "b")), "200");
  assertEquals(outcomeOf(await changeIf("*", "c")), "200");
  assertEquals(outcomeOf(await change(opened, { groups: ["d"] })), "200");
  assertEquals((await keptUser(opened, "alice")).groups, ["d"]);
});

Deno.test("changeUser() ends the sessions of whom it disables at once, and no other's", async () => {
  const opened = await openAdminApp();
  const tokens = [await opened.addUser("alice"), await opened.logIn()];
  const bob = await opened.addUser("bob");
  assertEquals(outcomeOf(await change(opened, { disabled: true })), "200");
  for (const token of tokens) assertEquals(await isLive(opened, token), false);
  assertEquals(await sessionsIn(opened.app.store, "alice"), []);
  assert(await isLive(opened, bob) && await isLive(opened, opened.admin));
  assertEquals(outcomeOf(await opened.send("POST", "/session/", { json: alice })), "401 wrong-credentials");
});

Deno.test("changeUser() enables: the user logs in again, and old sessions stay ended", async () => {
  const opened = await openAdminApp();
  const token = await opened.addUser("alice");
  await change(opened, { disabled: true });
  assertEquals(outcomeOf(await change(opened, { disabled: false })), "200");
  assertEquals(await isLive(opened, token), false);
  assert(await isLive(opened, await opened.logIn()));
});

Deno.test("changeUser() ends no session for a change of groups, and the session knows them at once", async () => {
  const opened = await openAdminApp();
  const token = await opened.addUser("alice");
  await change(opened, { groups: ["staff"] });
  assertEquals((await opened.send("GET", "/session/", { token })).json.groups, ["staff"]);
});

Deno.test("changeUser() lets the last admin neither leave the group nor be disabled", async () => {
  const opened = await openAdminApp();
  const { send, admin: token } = opened;
  for (
    const json of [{ groups: [] }, { groups: ["admins"] }, { disabled: true }, { groups: ["admin"], disabled: true }]
  ) {
    assertEquals(outcomeOf(await send("PATCH", "/user/root", { token, json })), "409 last-admin");
  }
  assert(await isLive(opened, token));
  assertEquals(outcomeOf(await send("PATCH", "/user/root", { token, json: { groups: ["admin", "staff"] } })), "200");
});

Deno.test("changeUser() counts no admin who is disabled", async () => {
  const opened = await openAdminApp();
  const { send, admin: token } = opened;
  await opened.addUser("alice");
  assertEquals(outcomeOf(await change(opened, { groups: ["admin"], disabled: true })), "200");
  assertEquals(outcomeOf(await send("PATCH", "/user/root", { token, json: { disabled: true } })), "409 last-admin");
  assertEquals(outcomeOf(await change(opened, { disabled: false })), "200");
  assertEquals(outcomeOf(await send("PATCH", "/user/root", { token, json: { disabled: true } })), "200");
  assertEquals(await opened.app.store.countAdmins(), 1);
});
