/** Who is registered, by pages: `GET /user/`. */
import { assertEquals } from "@std/assert";
import { openAdminApp, outcomeOf } from "../support/accounts.ts";
import { addUsers, list, pageOf, pages } from "../support/user_list.ts";

/** Ten logins out of the order of the alphabet. */
const logins = ["zoe", "bob", "alice", "al", "ali.baba", "carol", "alan", "dave", "a", "eve"];

Deno.test("listUsers() shows the public fields of each user, in order of registration, with `no-store`", async () => {
  const opened = await openAdminApp();
  await addUsers(opened, logins);
  const reply = await list(opened, "");
  const { users, total, next } = pageOf(reply);
  assertEquals(users.map(({ login }) => login), ["root", ...logins]);
  assertEquals([total, next], [11, null]);
  assertEquals(Object.keys(reply.json), ["users", "total", "next"]);
  const { id, ...root } = users[0] ?? { id: "" };
  assertEquals(root, { login: "root", registered_at: "2026-11-23T09:35:39.123Z", groups: ["admin"], disabled: false });
  assertEquals((await opened.app.store.findUser("root"))?.id, id);
  assertEquals(reply.headers.get("cache-control"), "no-store");
  assertEquals(reply.headers.get("link"), null);
});

Deno.test("listUsers() shows 50 users when nothing else is asked for, and where the next are", async () => {
  const opened = await openAdminApp();
  await addUsers(opened, Array.from({ length: 60 }, (_, index) => `user${index}`));
  const reply = await list(opened, "");
  const { users, total, next } = pageOf(reply);
  assertEquals([users.length, total, next], [50, 61, users.at(-1)?.id]);
  assertEquals(reply.headers.get("link"), `<?limit=50&after=${next}&sort=registered_at>; rel="next"`);
  const second = pageOf(await list(opened, `?after=${next}`));
  assertEquals(second.users.map(({ login }) => login), Array.from({ length: 11 }, (_, index) => `user${index + 49}`));
  assertEquals([second.total, second.next], [61, null]);
});

for (const limit of [1, 2, 3, 10, 11, 12, 1_000]) {
  Deno.test(`listUsers() shows all users once in pages of ${limit}, and no empty page`, async () => {
    const opened = await openAdminApp();
    await addUsers(opened, logins);
    const sizes: number[] = [];
    const seen: string[] = [];
    for await (const { users, total } of pages(opened, `?limit=${limit}`)) {
      sizes.push(users.length);
      seen.push(...users.map(({ login }) => login));
      assertEquals(total, 11);
    }
    assertEquals(seen, ["root", ...logins]);
    assertEquals(sizes.length, Math.ceil(11 / limit));
  });
}

Deno.test("listUsers() shows 1,000 users on a page, and not one more", async () => {
  const opened = await openAdminApp();
  await addUsers(opened, Array.from({ length: 1_000 }, (_, index) => `user${index}`));
  const { users, next } = pageOf(await list(opened, "?limit=1000"));
  assertEquals([users.length, next], [1_000, users.at(-1)?.id]);
});

const prefixes: [prefix: string, found: string[]][] = [
  ["al", ["alice", "al", "ali.baba", "alan"]],
  ["AL", ["alice", "al", "ali.baba", "alan"]],
  ["ali.", ["ali.baba"]],
  ["alice", ["alice"]],
  ["alices", []],
  ["lice", []],
  ["", ["root", ...logins]],
  ["*", []],
  ["é", []],
];

for (const [prefix, found] of prefixes) {
  Deno.test(`listUsers() shows the logins that begin with "${prefix}", and counts them`, async () => {
    const opened = await openAdminApp();
    await addUsers(opened, logins);
    for (const limit of [1, 2, 50]) {
      const seen: string[] = [];
      const query = `?prefix=${encodeURIComponent(prefix)}&limit=${limit}`;
      for await (const { users, total } of pages(opened, query)) {
        seen.push(...users.map(({ login }) => login));
        assertEquals(total, found.length);
      }
      assertEquals(seen, found);
    }
  });
}

Deno.test("listUsers() links to the next page with the prefix that a query must encode", async () => {
  const opened = await openAdminApp();
  const found = ["a+1@example.org", "a+2@example.org"];
  await addUsers(opened, ["a", ...found]);
  const seen: string[] = [];
  for await (const { users } of pages(opened, "?limit=1&prefix=a%2B")) seen.push(...users.map(({ login }) => login));
  assertEquals(seen, found);
});

const searches: [query: string, found: string[]][] = [
  ["?contains=li", ["alice", "ali.baba"]],
  ["?contains=LI&sort=-registered_at", ["ali.baba", "alice"]],
  ["?contains=li&prefix=ali.", ["ali.baba"]],
  ["?contains=%25", []],
  ["?contains=_", []],
  ["?contains=%00", []],
  ["?contains=%5C", []],
  ["?group=admin", ["root"]],
  ["?group=nobody", []],
  ["?group=", ["root", ...logins]],
  ["?group=admin&contains=oo&prefix=r&sort=login", ["root"]],
  ["?sort=registered_at", ["root", ...logins]],
  ["?sort=-registered_at", [...logins.toReversed(), "root"]],
  ["?sort=login", [...logins, "root"].sort()],
];

for (const [query, found] of searches) {
  Deno.test(`listUsers() finds by ${query}, and counts, whatever the size of a page`, async () => {
    const opened = await openAdminApp();
    await addUsers(opened, logins);
    for (const limit of [1, 2, 50]) {
      const seen: string[] = [];
      for await (const { users, total } of pages(opened, `${query}&limit=${limit}`)) {
        seen.push(...users.map(({ login }) => login));
        assertEquals(total, found.length);
      }
      assertEquals(seen, found);
    }
  });
}

const cursor = "01KAN6Z3H3AAAAAAAAAAAAAAAA";
const badQueries: [query: string, ...errors: string[]][] = [
  ...["0", "-1", "1001", "1e3", "0x10", "1.5", "", "%20", "5%20", "+5", "ten", "1000000000", "9".repeat(400), "%D9%A3"]
    .map((limit): [string, string] => [`?limit=${limit}`, "/limit out-of-range"]),
  ...["x", "alice", cursor.toLowerCase(), cursor.slice(1), `${cursor}A`, "01KAN6Z3H3AAAAAAAAAAAAAAAU", `${cursor}%0A`]
    .map((after): [string, string] => [`?after=${after}`, "/after invalid-cursor"]),
  [`?prefix=${"a".repeat(65)}`, "/prefix too-long"],
  [`?contains=${"a".repeat(65)}`, "/contains too-long"],
  [`?contains=${"a".repeat(9_000)}`, "/contains too-long"],
  ...["Staff", "a,b", "a%20b", "a".repeat(33), "%00", "%D1%8F"]
    .map((group): [string, string] => [`?group=${group}`, "/group invalid-group"]),
  ...["", "Login", "-login", "id", "toString", "0", "login%20"]
    .map((sort): [string, string] => [`?sort=${sort}`, "/sort unknown-sort"]),
  // A cursor belongs to the order that it was given for.
  ["?sort=login&after=ALICE", "/after invalid-cursor"],
  [`?sort=login&after=${cursor}`, "/after invalid-cursor"],
  [`?sort=login&after=${"a".repeat(65)}`, "/after invalid-cursor"],
  ["?sort=login&after=a%0A", "/after invalid-cursor"],
  ["?sort=-registered_at&after=alice", "/after invalid-cursor"],
  [`?prefix=${"a".repeat(65)}&after=x&limit=0`, "/limit out-of-range", "/prefix too-long", "/after invalid-cursor"],
];

for (const [query, ...errors] of badQueries) {
  Deno.test(`listUsers() refuses ${query.slice(0, 100)}, and cuts nothing`, async () => {
    const reply = await list(await openAdminApp(), query);
    assertEquals(outcomeOf(reply), ["422 invalid-query", ...errors].join(" "));
  });
}

Deno.test("listUsers() takes every query that is in its range", async () => {
  const opened = await openAdminApp();
  for (
    const query of [
      "?limit=1",
      "?limit=1000",
      `?after=${cursor}`,
      "?after=",
      `?prefix=${"a".repeat(64)}`,
      `?contains=${"a".repeat(64)}`,
      `?group=${"a".repeat(32)}`,
      `?sort=login&after=${"a".repeat(64)}`,
      "?sort=login&after=alice@example.org",
      `?sort=-registered_at&after=${cursor}`,
      "?other=1",
    ]
  ) {
    assertEquals((await list(opened, query)).status, 200, query);
  }
});
