/** The order of users, from page to page and while they change: `GET /user/`. */
import { assert, assertEquals } from "@std/assert";
import { openAdminApp, outcomeOf } from "../support/accounts.ts";
import { openedAt } from "../support/app.ts";
import { deleteByLogin } from "../support/store/records.ts";
import { addUsers, list, pageOf, pages, userOf } from "../support/user_list.ts";

Deno.test("listUsers() goes on behind a user who is deleted, and shows who registers again as new", async () => {
  const opened = await openAdminApp();
  await addUsers(opened, ["a1", "a2", "a3"]);
  const { next } = pageOf(await list(opened, "?limit=2&prefix=a"));
  assertEquals(await deleteByLogin(opened.app.store, "a2"), "done");
  assertEquals(await opened.app.store.insertUser(userOf("a2", openedAt + 1_000)), "done");
  const { users, total } = pageOf(await list(opened, `?limit=2&prefix=a&after=${next}`));
  assertEquals([users.map(({ login }) => login), total], [["a3", "a2"], 3]);
});

Deno.test("listUsers() keeps the order of users who changed", async () => {
  const opened = await openAdminApp();
  await addUsers(opened, ["a1", "a2", "a3"]);
  const json = { groups: ["staff"] };
  assertEquals(outcomeOf(await opened.send("PATCH", "/user/a1", { token: opened.admin, json })), "200");
  const { users } = pageOf(await list(opened, "?prefix=a"));
  assertEquals(users.map(({ login }) => login), ["a1", "a2", "a3"]);
});

Deno.test("listUsers() keeps the order of users of one millisecond from page to page", async () => {
  const opened = await openAdminApp();
  for (let index = 0; index < 100; index++) await opened.app.store.insertUser(userOf(`user${index}`, openedAt));
  const seen: string[] = [];
  for await (const { users } of pages(opened, "?limit=7&prefix=user")) seen.push(...users.map(({ id }) => id));
  assertEquals(seen, seen.toSorted());
  assertEquals(new Set(seen).size, 100);
});

Deno.test("listUsers() shows each of 10,000 users exactly once while others register and are deleted", async () => {
  const opened = await openAdminApp();
  const { store } = opened.app;
  // More than are looked at before other requests are let in: some changes come in the middle of a page.
  await addUsers(opened, Array.from({ length: 12_000 }, (_, index) => `user${index}`));
  const stayed = new Set(["root", ...Array.from({ length: 12_000 }, (_, index) => `user${index}`)]);
  const seen: string[] = [];
  let after = "";
  for (let page = 0; after !== "end"; page++) {
    const asked = list(opened, `?limit=97&after=${after}`);
    for (let change = 0; change < 16; change++) {
      // All over the list, both sides of the cursor, each at most once.
      const leaving = `user${(page * 16 + change) * 4_999 % 12_000}`;
      if (stayed.delete(leaving)) assertEquals(await deleteByLogin(store, leaving), "done");
      assertEquals(await store.insertUser(userOf(`new${page}.${change}`, openedAt + page * 100 + change)), "done");
    }
    const { users, next } = pageOf(await asked);
    seen.push(...users.map(({ login }) => login));
    after = next ?? "end";
  }
  const counts = Map.groupBy(seen, (login) => login);
  assertEquals(Array.from(stayed).filter((login) => counts.get(login)?.length !== 1), []);
  assertEquals(Array.from(counts.values()).filter((times) => times.length > 1), []);
  assert(stayed.size > 9_500 && stayed.size < 11_000, `${stayed.size} stayed`);
});
