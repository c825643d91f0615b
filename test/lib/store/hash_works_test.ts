// The promises of `hashWorks()` of lib/store.ts, one test each, for every implementation.
import { assertEquals, assertStringIncludes } from "@std/assert";
import { workOf } from "../../../lib/passwords/stored_hash.ts";
import { deleteByLogin, userOf } from "../../support/store/records.ts";
import { testStores } from "../../support/store/stores.ts";

testStores("counts the hashes of each work, in whatever order they came", async (store) => {
  const counts = new Map<string, number>();
  const assertCounted = async () => {
    const { works, unusableCount } = await store.hashWorks();
    assertEquals(new Map(works.map(({ work, count }) => [work, count])), counts);
    for (const { work, example } of works) assertStringIncludes(example, `$${work.replace(" ", "$")}$`);
    assertEquals(unusableCount, 0);
  };
  const count = (cost: number, change: 1 | -1) => {
    const work = `pbkdf2-sha256 i=${cost}`;
    const counted = (counts.get(work) ?? 0) + change;
    if (counted === 0) counts.delete(work);
    else counts.set(work, counted);
  };
  await assertCounted();
  const userWith = (login: string, iterations: number) => {
    return userOf(login, { passwordHash: userOf(login).passwordHash.replace("i=1$", `i=${iterations}$`) });
  };
  // Some begin like the one before.
  for (const [index, cost] of [1, 10, 10, 9, 600, 60, 6_000, 10].entries()) {
    assertEquals(await store.insertUser(userWith(`user${index}`, cost)), "done");
    count(cost, 1);
    await assertCounted();
  }
  assertEquals(await store.replaceUser(userWith("user6", 6_000), userWith("user6", 700)), "done");
  count(6_000, -1);
  count(700, 1);
  await assertCounted();
  assertEquals(await deleteByLogin(store, "user6"), "done");
  count(700, -1);
  await assertCounted();
});

testStores("counts wrapped hashes by both of their costs", async (store) => {
  const outer = userOf("user").passwordHash;
  for (const [index, cost] of [1, 2, 2].entries()) {
    const passwordHash = `pbkdf2:sha256:1000$salt$*32~${outer.replace("i=1$", `i=${cost}$`)}`;
    assertEquals(await store.insertUser(userOf(`user${index}`, { passwordHash })), "done");
  }
  const { works } = await store.hashWorks();
  const counts = works.map(({ work, count }) => [work, count] as const);
  const workWith = (cost: number) => `Werkzeug pbkdf2-sha256 i=1000 > pbkdf2-sha256 i=${cost}`;
  assertEquals(new Map(counts), new Map([[workWith(1), 1], [workWith(2), 2]]));
});

testStores("counts the works of thousands of users with a cost for each, up to a limit", async (store) => {
  const { passwordHash } = userOf("user");
  const users = Array.from({ length: 2_000 }, (_, index) => {
    const cost = Math.max(1, index - 900);
    return userOf(`user${index}`, { id: `${1_000 + index}`, passwordHash: passwordHash.replace("i=1$", `i=${cost}$`) });
  });
  await store.insertRecords(users.map((user) => ({ kind: "user", record: user })));
  const { works } = await store.hashWorks();
  assertEquals([works.length, new Set(works.map(({ work }) => work)).size], [1_000, 1_000]);
  assertEquals(works.find(({ count }) => count > 1), { work: "pbkdf2-sha256 i=1", count: 902, example: passwordHash });
});

testStores("counts the hashes that nobody can log in with apart from the others", async (store) => {
  assertEquals(await store.hashWorks(), { works: [], unusableCount: 0 });
  const { passwordHash } = userOf("user");
  const dear = [10_000_001, 999_999_999, 999_999_999].map((cost) => passwordHash.replace("i=1$", `i=${cost}$`));
  const costliest = passwordHash.replace("i=1$", "i=10000000$");
  const hashes = ["no hash", passwordHash, ...dear, costliest, "no hash", passwordHash.slice(0, -1)];
  for (const [index, passwordHash] of hashes.entries()) {
    assertEquals(await store.insertUser(userOf(`user${index}`, { passwordHash })), "done");
  }
  const { works, unusableCount } = await store.hashWorks();
  assertEquals(works.toSorted((one, other) => one.work < other.work ? -1 : 1), [
    { work: "pbkdf2-sha256 i=1", count: 1, example: passwordHash },
    { work: "pbkdf2-sha256 i=10000000", count: 1, example: costliest },
  ]);
  assertEquals(unusableCount, 6);
});

testStores("counts the hashes of other kinds by the work that each takes", async (store) => {
  const native = `$pbkdf2-sha256$i=7$${"s".repeat(22)}$${"h".repeat(42)}g`;
  // Of each work two hashes, which begin alike or not.
  const pairs = [
    [native, native.replace("ss$", "sw$")],
    [`$2b$12$${"a".repeat(53)}`, `$2b$12$${"b".repeat(53)}`],
    [`$2b$10$${"a".repeat(53)}`, `$2a$10$${"b".repeat(53)}`],
    [`scrypt:32768:8:1$salt$${"ab".repeat(64)}`, `scrypt:32768:8:1$longer.salt$${"cd".repeat(64)}`],
    [`scrypt:16384:8:1$salt$${"ab".repeat(64)}`, `scrypt:16384:8:1$tlas$${"cd".repeat(64)}`],
    [`pbkdf2_sha256$600000$salt$${"A".repeat(43)}=`, `pbkdf2_sha256$600000$tlas$${"B".repeat(42)}A=`],
    [`pbkdf2_sha256$700000$salt$${"A".repeat(43)}=`, `pbkdf2_sha256$700000$other$${"B".repeat(42)}A=`],
    [
      `$argon2id$v=19$m=65536,t=3,p=4$c2FsdHNhbHQ$${"A".repeat(43)}`,
      `$argon2id$v=19$m=65536,t=3,p=4$AAAAAAAAAAA$${"A".repeat(43)}`,
    ],
    [`$6$rounds=5000$salt$${"a".repeat(86)}`, `$6$salt$${"a".repeat(86)}`],
    // Wrapped fast hashes.
    [`$apr1$salt$~${native}`, `$apr1$tlas$~${native}`],
    [`$apr1$salt$~${native.replace("i=7", "i=8")}`, `$apr1$t$~${native.replace("i=7", "i=8")}`],
  ];
  // One of each, then the other.
  const hashes = [0, 1].flatMap((index) => pairs.flatMap((pair) => pair[index] ?? []));
  for (const [index, passwordHash] of hashes.entries()) {
    await store.insertUser(userOf(`user${index}`, { id: String(100 + index), passwordHash }));
  }
  const { works, unusableCount } = await store.hashWorks();
  assertEquals(unusableCount, 0);
  assertEquals(
    new Map(works.map(({ work, ...rest }) => [work, rest])),
    new Map(pairs.map(([example = ""]) => [workOf(example) ?? "", { count: 2, example }])),
  );
  assertEquals(works.length, pairs.length);
});
