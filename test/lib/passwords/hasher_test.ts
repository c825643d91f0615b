import { assert, assertEquals, assertNotEquals, assertRejects } from "@std/assert";
import { Decoys } from "../../../lib/passwords/decoys.ts";
import { HashQueue, OverloadedError, type Requester } from "../../../lib/passwords/hash_queue.ts";
import { Hasher, type PasswordVerdict } from "../../../lib/passwords/hasher.ts";
import { argon2id, hashPassword, type PasswordScheme } from "../../../lib/passwords/password_hash.ts";
import { iterationsOf, wrapHash } from "../../../lib/passwords/stored_hash.ts";
import { occupy } from "../../support/occupied.ts";
import { spyOnDerive } from "../../support/passwords/derivations.ts";
import { pbkdf2 } from "../../support/passwords/phc.ts";
import { isHashOf } from "../../support/passwords/verify.ts";

const iterations = 20;
const password = "correct horse battery staple";
/** What `spyOnDerive` notes of one Argon2id. */
const argon2Cost = 19_456;

Deno.test("Hasher.hash() makes one hash of the kind and cost that is set", async () => {
  for (const [scheme, cost] of [[pbkdf2(iterations), iterations], [argon2id, argon2Cost]] as const) {
    const hasher = await Hasher.open({ scheme, concurrency: 1 });
    using spy = spyOnDerive();
    const passwordHash = await hasher.hash(password, { client: "client" });
    assertEquals(spy.costs, [cost]);
    assert(await isHashOf(password, passwordHash));
  }
});

interface VerifyRow {
  readonly title: string;
  /** By default PBKDF2 of 20 iterations. */
  readonly scheme?: PasswordScheme;
  /** The user's hash; without it there is no user. */
  readonly stored?: PasswordScheme;
  /** The iterations of the only hash of the register; without it the register has none. */
  readonly registered?: number;
  readonly given?: string;
  readonly isRight: boolean;
  readonly isRehashed: boolean;
  /** The costs of the derivations. */
  readonly work: readonly number[];
}

const refused = { isRight: false, isRehashed: false };
const rehashed = { isRight: true, isRehashed: true };
const verifyRows: readonly VerifyRow[] = [
  { title: "the right password", stored: pbkdf2(20), isRight: true, isRehashed: false, work: [20] },
  { title: "a wrong password", stored: pbkdf2(20), given: "wrong", ...refused, work: [20] },
  { title: "a wrong password of a cheaper hash", stored: pbkdf2(5), given: "wrong", ...refused, work: [5] },
  { title: "a wrong password of a dearer hash", stored: pbkdf2(30), given: "wrong", ...refused, work: [30] },
  { title: "an unknown login, register empty", ...refused, work: [20] },
  { title: "an unknown login, one hash registered", registered: 30, ...refused, work: [30] },
  { title: "the right password of a cheaper hash", stored: pbkdf2(5), ...rehashed, work: [5, 20] },
  { title: "the right password of a dearer hash", stored: pbkdf2(30), ...rehashed, work: [30, 20] },
  {
    title: "the right password of PBKDF2, Argon2id set",
    scheme: argon2id,
    stored: pbkdf2(5),
    ...rehashed,
    work: [5, argon2Cost],
  },
  { title: "the right password of Argon2id, PBKDF2 set", stored: argon2id, ...rehashed, work: [argon2Cost, 20] },
  {
    title: "the right password of Argon2id, Argon2id set",
    scheme: argon2id,
    stored: argon2id,
    isRight: true,
    isRehashed: false,
    work: [argon2Cost],
  },
  { title: "a wrong password of Argon2id", stored: argon2id, given: "wrong", ...refused, work: [argon2Cost] },
];
for (const row of verifyRows) {
  const { title, scheme = pbkdf2(iterations), stored, registered, given = password, isRight, isRehashed, work } = row;
  Deno.test(`Hasher.verify() answers ${title}`, async () => {
    const decoys = new Decoys("key");
    if (registered !== undefined) decoys.update([{ work: "a", count: 1, example: await hashOf(registered) }]);
    const hasher = await Hasher.open({ scheme, decoys, concurrency: 1 });
    const passwordHash = stored && await hashPassword(password, stored);
    using spy = spyOnDerive();
    const verdict = await hasher.verify(given, { login: "alice", passwordHash, client: "client" });
    assertEquals([verdict.isRight, verdict.rehashed !== undefined], [isRight, isRehashed]);
    assertEquals(spy.costs, work);
  });
}

Deno.test("Hasher.verify() hashes a right password again by the current scheme, with another salt", async () => {
  const hasher = await Hasher.open({ scheme: pbkdf2(iterations) });
  const passwordHash = await hashPassword(password, pbkdf2(5));
  const { rehashed = "" } = await hasher.verify(password, { login: "alice", passwordHash, client: "client" });
  assertEquals([iterationsOf(rehashed), await isHashOf(password, rehashed)], [iterations, true]);
  assertNotEquals(rehashed.split("$")[3], passwordHash.split("$")[3]);
  const again = await hasher.verify(password, { login: "alice", passwordHash: rehashed, client: "client" });
  assertEquals(again, { isRight: true, rehashed: undefined });
});

Deno.test("Hasher.verify() takes no password for right where there is no user, not even the decoy's", async () => {
  const known: ReturnType<Crypto["randomUUID"]> = "00000000-0000-4000-8000-000000000000";
  const randomUuid = crypto.randomUUID;
  crypto.randomUUID = () => known;
  const decoys = new Decoys("key");
  try {
    const hasher = await Hasher.open({ scheme: pbkdf2(iterations), decoys });
    const options = { login: "alice", passwordHash: undefined, client: "client" };
    assertEquals(await hasher.verify(known, options), { isRight: false });
    decoys.update([{ work: "a", count: 1, example: await hashOf(5) }]);
    assertEquals(await hasher.verify(password, options), { isRight: false });
  } finally {
    crypto.randomUUID = randomUuid;
  }
});

Deno.test("Hasher.verify() does the work of a decoy for a hash that cannot be verified", async () => {
  const decoys = new Decoys("key");
  const good = await hashOf(20);
  decoys.update([{ work: "a", count: 1, example: await hashOf(30) }]);
  const hasher = await Hasher.open({ scheme: pbkdf2(iterations), decoys });
  for (const passwordHash of ["no hash", "", good.slice(1), good.replace("i=20", "i=999999999"), undefined]) {
    using spy = spyOnDerive();
    const verdict = await hasher.verify(password, { login: "alice", passwordHash, client: "client" });
    assertEquals([verdict, spy.costs], [{ isRight: false }, [30]]);
  }
});

Deno.test("Hasher.verify() does as much for a text that cannot be a password as for a wrong one", async () => {
  const hasher = await Hasher.open({ scheme: pbkdf2(iterations) });
  for (const passwordHash of [await hashOf(20), await hashPassword("", pbkdf2(20)), undefined]) {
    for (const given of ["wrong", `${password}\0`, "x".repeat(5_000), "\u0301".repeat(31)]) {
      using spy = spyOnDerive();
      const verdict = await hasher.verify(given, { login: "alice", passwordHash, client: "client" });
      assertEquals([verdict, spy.costs], [{ isRight: false }, [20]]);
    }
  }
});

Deno.test("Hasher.verify() does not hash again when that is not wanted", async () => {
  const hasher = await Hasher.open({ scheme: pbkdf2(iterations) });
  const passwordHash = await hashOf(5);
  using spy = spyOnDerive();
  const options = { login: "alice", passwordHash, client: "client", isRehashing: false };
  assertEquals([await hasher.verify(password, options), spy.costs], [{ isRight: true, rehashed: undefined }, [5]]);
});

Deno.test("Hasher.hash() and verify() do nothing for a client that has hung up", async () => {
  const hasher = await Hasher.open({ scheme: pbkdf2(iterations) });
  using spy = spyOnDerive();
  const options = { login: "alice", client: "client", hungUp: AbortSignal.abort() };
  await assertRejects(() => hasher.hash(password, options), OverloadedError);
  await assertRejects(() => hasher.verify(password, { passwordHash: undefined, ...options }), OverloadedError);
  assertEquals(spy.costs, []);
});

Deno.test("Hasher.hash() and verify() reserve the memory of each hash that a job may make", async () => {
  const hasher = await Hasher.open({ scheme: argon2id, concurrency: 1 });
  const reserved: (number | undefined)[] = [];
  using _spy = spyOnReservations(reserved);
  const client = "client";
  const argon2Bytes = argon2Cost * 1_024;
  await hasher.hash(password, { client });
  for (const scheme of [argon2id, pbkdf2(5)]) {
    const passwordHash = await hashPassword(password, scheme);
    await hasher.verify(password, { login: "alice", passwordHash, client });
    await hasher.verify(password, { login: "alice", passwordHash, client, isRehashing: false });
  }
  assertEquals(reserved, [argon2Bytes, argon2Bytes, argon2Bytes, argon2Bytes, argon2Bytes]);
  const plain = await Hasher.open({ scheme: pbkdf2(iterations), concurrency: 1 });
  reserved.length = 0;
  await plain.verify(password, { login: "alice", passwordHash: await hashOf(5), client });
  await plain.verify(password, { login: "alice", passwordHash: await hashPassword(password, argon2id), client });
  assertEquals(reserved, [0, argon2Bytes]);
});

Deno.test("Hasher.verify() accepts a right password of a slow script without a new hash if busy", async () => {
  const hasher = await Hasher.open({ scheme: pbkdf2(iterations), concurrency: 1, maxWaitMs: 0 });
  const slowPassword = "mellow-otter-41-lantern";
  const passwordHash = "$2b$05$khDLOor4C/JlL.dYmZKxR.qSnQVVmYARv1HZc.EP3b6QgXEAMIjTy";
  const options = { login: "alice", passwordHash, client: "client" };
  const verdicts: PasswordVerdict[] = [];
  {
    using busy = occupy(hasher);
    verdicts.push(await hasher.verify(slowPassword, options), await hasher.verify("wrong", options));
    await busy.leave();
  }
  assertEquals(verdicts, [{ isRight: true, rehashed: undefined }, { isRight: false }]);
  const { rehashed = "" } = await hasher.verify(slowPassword, options);
  assert(await isHashOf(slowPassword, rehashed));

  // The second half of a wrapped hash is a job of the queue.
  const wrapped = await wrapHash("$apr1$L8iq/d9r$Mf6dwz6Y0k6PqGUF1D/vf.", pbkdf2(7));
  using busy = occupy(hasher);
  await assertRejects(() => hasher.verify(slowPassword, { ...options, passwordHash: wrapped }), OverloadedError);
  await busy.leave();
});

function hashOf(iterations: number): Promise<string> {
  return hashPassword(password, pbkdf2(iterations));
}

/** Notes the memory of each job. */
function spyOnReservations(reserved: (number | undefined)[]): Disposable {
  const { run } = HashQueue.prototype;
  HashQueue.prototype.run = function <Result>(job: Requester, work: () => Promise<Result>): Promise<Result> {
    reserved.push("memoryBytes" in job && typeof job.memoryBytes === "number" ? job.memoryBytes : undefined);
    return run.call(this, job, work) as Promise<Result>;
  };
  return {
    [Symbol.dispose]: () => {
      HashQueue.prototype.run = run;
    },
  };
}
