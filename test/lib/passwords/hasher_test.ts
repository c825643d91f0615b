import { assertEquals, assertNotEquals, assertRejects } from "@std/assert";
import { OverloadedError } from "../../../lib/passwords/hash_queue.ts";
import { Hasher } from "../../../lib/passwords/hasher.ts";
import { hashPassword, iterationsOf, verifyPassword } from "../../../lib/passwords/password_hash.ts";
import { pbkdf2 } from "../../support/passwords/phc.ts";
import { spyOnDerive } from "../../support/passwords/derivations.ts";

const iterations = 20;
const password = "correct horse battery staple";

Deno.test("Hasher.hash() makes one hash of the cost that is set", async () => {
  const hasher = await Hasher.open({ iterations });
  using spy = spyOnDerive();
  const passwordHash = await hasher.hash(password, { client: "client" });
  assertEquals([iterationsOf(passwordHash), spy.costs], [iterations, [iterations]]);
  assertEquals(await verifyPassword(password, passwordHash), true);
});

interface VerifyRow {
  readonly title: string;
  /** The iterations of the user's hash; without it there is no user. */
  readonly cost?: number;
  /** The most iterations of any user's hash. */
  readonly highest?: number;
  readonly given?: string;
  readonly isRight: boolean;
  readonly isRehashed: boolean;
  /** The iterations that are run. */
  readonly work: readonly number[];
}

const verifyRows: readonly VerifyRow[] = [
  { title: "the right password", cost: 20, isRight: true, isRehashed: false, work: [20] },
  { title: "a wrong password", cost: 20, given: "wrong", isRight: false, isRehashed: false, work: [20] },
  { title: "an unknown login", isRight: false, isRehashed: false, work: [20] },
  { title: "the right password of a cheaper hash", cost: 5, isRight: true, isRehashed: true, work: [5, 20] },
  { title: "the right password of a dearer hash", cost: 30, isRight: true, isRehashed: true, work: [30, 20] },
  {
    title: "an unknown login where a dearer hash is kept",
    highest: 30,
    isRight: false,
    isRehashed: false,
    work: [20, 10],
  },
  {
    title: "a wrong password of the dearest hash",
    highest: 30,
    cost: 30,
    given: "wrong",
    isRight: false,
    isRehashed: false,
    work: [30],
  },
  {
    title: "a wrong password of a cheaper hash where a dearer one is kept",
    highest: 30,
    cost: 5,
    given: "wrong",
    isRight: false,
    isRehashed: false,
    work: [5, 25],
  },
  {
    title: "a wrong password of the dearest hash, which is cheaper than is set",
    highest: 5,
    cost: 5,
    given: "wrong",
    isRight: false,
    isRehashed: false,
    work: [5, 15],
  },
  {
    title: "the right password where a dearer hash is kept",
    highest: 30,
    cost: 20,
    isRight: true,
    isRehashed: false,
    work: [20],
  },
  {
    title: "a wrong password of a cheaper hash, as much work in all",
    cost: 5,
    given: "wrong",
    isRight: false,
    isRehashed: false,
    work: [5, 15],
  },
  {
    title: "a wrong password of a hash cheaper by one",
    cost: 19,
    given: "wrong",
    isRight: false,
    isRehashed: false,
    work: [19, 1],
  },
];
for (const { title, cost, highest = 0, given = password, isRight, isRehashed, work } of verifyRows) {
  Deno.test(`Hasher.verify() answers ${title}`, async () => {
    const hasher = await Hasher.open({ iterations, highestIterations: highest });
    const passwordHash = cost === undefined ? undefined : await hashPassword(password, pbkdf2(cost));
    using spy = spyOnDerive();
    const verdict = await hasher.verify(given, { passwordHash, client: "client" });
    assertEquals([verdict.isRight, verdict.rehashed !== undefined], [isRight, isRehashed]);
    assertEquals(spy.costs, work);
  });
}

Deno.test("Hasher.verify() hashes a right password again at the current cost, with another salt", async () => {
  const hasher = await Hasher.open({ iterations });
  const passwordHash = await hashPassword(password, pbkdf2(5));
  const { rehashed = "" } = await hasher.verify(password, { passwordHash, client: "client" });
  assertEquals([iterationsOf(rehashed), await verifyPassword(password, rehashed)], [iterations, true]);
  assertNotEquals(rehashed.split("$")[3], passwordHash.split("$")[3]);
  const again = await hasher.verify(password, { passwordHash: rehashed, client: "client" });
  assertEquals(again, { isRight: true, rehashed: undefined });
});

Deno.test("Hasher.verify() takes no password for right where there is no user, not even the decoy's", async () => {
  const known: ReturnType<Crypto["randomUUID"]> = "00000000-0000-4000-8000-000000000000";
  const randomUuid = crypto.randomUUID;
  crypto.randomUUID = () => known;
  try {
    const hasher = await Hasher.open({ iterations });
    const verdict = await hasher.verify(known, { passwordHash: undefined, client: "client" });
    assertEquals(verdict, { isRight: false, rehashed: undefined });
  } finally {
    crypto.randomUUID = randomUuid;
  }
});

Deno.test("Hasher.verify() does the same work for an invalid or too expensive hash as for no user", async () => {
  const hasher = await Hasher.open({ iterations, highestIterations: 30 });
  const good = await hashPassword(password, pbkdf2(20));
  for (const passwordHash of ["no hash", "", good.slice(1), good.replace("i=20", "i=999999999"), undefined]) {
    using spy = spyOnDerive();
    const verdict = await hasher.verify(password, { passwordHash, client: "client" });
    assertEquals([verdict, spy.costs], [{ isRight: false, rehashed: undefined }, [20, 10]]);
  }
});

Deno.test("Hasher.verify() does as much for what is nobody's password as for a wrong one", async () => {
  const hasher = await Hasher.open({ iterations, highestIterations: 30 });
  for (const passwordHash of [await hashPassword(password, pbkdf2(20)), undefined]) {
    for (const given of ["wrong", `${password}\0`, "x".repeat(5_000), "\u0301".repeat(31)]) {
      using spy = spyOnDerive();
      const verdict = await hasher.verify(given, { passwordHash, client: "client" });
      assertEquals([verdict, spy.costs], [{ isRight: false, rehashed: undefined }, [20, 10]]);
    }
  }
});

Deno.test("Hasher.verify() hashes nothing anew when that is not wanted", async () => {
  const hasher = await Hasher.open({ iterations });
  const passwordHash = await hashPassword(password, pbkdf2(5));
  using spy = spyOnDerive();
  const verdict = await hasher.verify(password, { passwordHash, client: "client", isRehashing: false });
  assertEquals([verdict, spy.costs], [{ isRight: true, rehashed: undefined }, [5]]);
});

Deno.test("Hasher.hash() and verify() do nothing for who has hung up", async () => {
  const hasher = await Hasher.open({ iterations });
  using spy = spyOnDerive();
  const options = { client: "client", hungUp: AbortSignal.abort() };
  await assertRejects(() => hasher.hash(password, options), OverloadedError);
  await assertRejects(() => hasher.verify(password, { passwordHash: undefined, ...options }), OverloadedError);
  assertEquals(spy.costs, []);
});
