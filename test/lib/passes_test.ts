/** Which passes are recalled, and until when; what `/guard` makes of it is in test/routes/guard_test.ts. */
import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { Passes } from "../../lib/passes.ts";
import type { UserSession } from "../../lib/store.ts";
import { MemoryStore } from "../../lib/store/memory.ts";
import { sessionOf, userOf } from "./store/records.ts";

const url = "http://site.example/guard";
const reply = new Response(null);

async function openScene() {
  const store = new MemoryStore();
  await store.insertUser(userOf("alice"));
  await store.insertSession(sessionOf("alice", "s"), userOf("alice"));
  const found = await store.findSession("s");
  assert(found !== undefined);
  const clock = { now: 1_000 };
  return { store, found, clock, passes: new Passes(store, () => clock.now) };
}

const passOf = (found: UserSession, changes = {}) => ({ found, url, until: 2_000, reply, ...changes });

Deno.test("Passes.recall() gives the very reply to the same cookie and url", async () => {
  const { passes, found } = await openScene();
  assertEquals(passes.recall("a=b", url), undefined);
  passes.remember("a=b", passOf(found));
  for (let count = 0; count < 2; count++) assertStrictEquals(passes.recall("a=b", url), reply);
  for (const other of ["a=B", "a=b ", "a=", ""]) assertEquals(passes.recall(other, url), undefined);
  for (const other of [`${url}?`, `${url}?group=staff`, url.slice(0, -1), "http://evil.example/guard"]) {
    assertEquals(passes.recall("a=b", other), undefined);
  }
});

Deno.test("Passes.remember() keeps one url for a cookie, the last", async () => {
  const { passes, found } = await openScene();
  passes.remember("a=b", passOf(found));
  passes.remember("a=b", passOf(found, { url: `${url}?group=staff` }));
  assertEquals([passes.recall("a=b", url), passes.recall("a=b", `${url}?group=staff`)], [undefined, reply]);
});

Deno.test("Passes.recall() gives nothing from the moment on until which a pass is good", async () => {
  const { passes, found, clock } = await openScene();
  passes.remember("a=b", passOf(found));
  clock.now = 1_999;
  assertStrictEquals(passes.recall("a=b", url), reply);
  clock.now = 2_000;
  assertEquals(passes.recall("a=b", url), undefined);
});

const changes: Readonly<Record<string, (store: MemoryStore) => Promise<unknown>>> = {
  "the session ends": (store) => store.deleteSession("s"),
  "the session is noted as seen": (store) => store.touchSession("s", 1_800_000_000_000),
  "the user is changed": (store) => store.replaceUser(userOf("alice"), userOf("alice", { groups: ["staff"] })),
  "the user is deleted": (store) => store.deleteUser("alice"),
};

for (const [what, change] of Object.entries(changes)) {
  Deno.test(`Passes.recall() gives nothing once ${what}, and what is remembered later than that is not kept`, async () => {
    const { passes, found, store } = await openScene();
    passes.remember("a=b", passOf(found));
    assertStrictEquals(passes.recall("a=b", url), reply);
    await change(store);
    assertEquals(passes.recall("a=b", url), undefined);
    passes.remember("c=d", passOf(found));
    assertEquals(passes.recall("c=d", url), undefined);
  });
}

Deno.test("Passes.remember() keeps cookies of up to 1,000 characters, and the last 20,000", async () => {
  const { passes, found } = await openScene();
  for (const [length, expected] of [[1_000, reply], [1_001, undefined]] as const) {
    passes.remember("a".repeat(length), passOf(found));
    assertEquals(passes.recall("a".repeat(length), url), expected);
  }
  for (let number = 1; number <= 20_000; number++) passes.remember(`n=${number}`, passOf(found));
  assertEquals(passes.recall("a".repeat(1_000), url), undefined);
  assertStrictEquals(passes.recall("n=1", url), reply);
  passes.remember("n=20001", passOf(found));
  assertEquals([passes.recall("n=1", url), passes.recall("n=2", url)], [undefined, reply]);
});
