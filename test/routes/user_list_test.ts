/** Who is registered, by pages: `GET /user/`. */
import { assert, assertEquals } from "@std/assert";
import { ulid } from "@std/ulid";
import type { User } from "../../lib/store.ts";
import { type AdminApp, openAdminApp, outcomeOf } from "../support/accounts.ts";
import { openedAt, type Reply } from "../support/app.ts";
import { deleteByLogin } from "../support/store/records.ts";

/** A page as it is sent. */
interface Page {
  readonly users: { id: string; login: string }[];
  readonly total: number;
  readonly next: string | null;
}

function pageOf(reply: Reply): Page {
  assertEquals(outcomeOf(reply), "200");
  const { users, total, next } = reply.json;
  assert(Array.isArray(users) && typeof total === "number" && (next === null || typeof next === "string"));
  return { users, total, next };
}

function userOf(login: string, registeredAt: number): User {
  return { id: ulid(registeredAt), login, passwordHash: "", registeredAt, groups: [], disabled: false };
}

/** Registers users without a hash, a millisecond from one to the next. */
async function addUsers({ app }: AdminApp, logins: readonly string[]): Promise<void> {
  for (const [index, login] of logins.entries()) {
    assertEquals(await app.store.insertUser(userOf(login, openedAt + 1 + index)), "done");
  }
}

async function list({ send, admin }: AdminApp, query: string): Promise<Reply> {
  return await send("GET", `/user/${query}`, { token: admin });
}

/** Follows the links from page to page. */
async function* pages(opened: AdminApp, query: string): AsyncGenerator<Page> {
  let target: string | undefined = query;
  while (target !== undefined) {
    const reply = await list(opened, target);
    yield pageOf(reply);
    target = /^<(.*)>; rel="next"$/.exec(reply.headers.get("link") ?? "")?.[1];
  }
}

/** Ten logins out of the order of the alphabet. */
const logins = ["zoe", "bob", "alice", "al", "ali.baba", "carol", "alan", "dave", "a", "eve"];

Deno.test("listUsers() shows what may be seen of each user, in order of registration, in a reply that nobody may keep", async () => {
  const opened = await openAdminApp();
  await addUsers(opened, logins);
  const reply = await list(opened, "");
  const { users, total, next } = pageOf(reply);
  assertEquals(users.map(({ login }) => login), ["root", ...logins]);
  assertEquals([total, next], [11, null]);
  assertEquals(Object.keys(reply.json), ["users", "total", "next"]);
  const { id, ...root } = users[0] ?? { id: "" };
  assertEquals(root, { login: "root", registered_at: "2026-11-22T09:35:39.123Z", groups: ["admin"], disabled: false });
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
