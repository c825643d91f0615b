/** Hashes of the Worker in the hasher: the verdict, the new hash, and what happens when a queue is full. */
import { assert, assertEquals } from "@std/assert";
import { Decoys } from "../../../lib/passwords/decoys.ts";
import { Hasher } from "../../../lib/passwords/hasher.ts";
import { wrapHash } from "../../../lib/passwords/stored_hash.ts";
import { pbkdf2 } from "../../support/passwords/phc.ts";
import { isHashOf } from "../../support/passwords/verify.ts";

/** mkpasswd of whois 5.5, and htpasswd of Apache 2.4 */
const password = "secret of mkpasswd";
const bcrypt = "$2b$05$dAZz.MEhFq.TQeZHCmh/k.UEFfvvCLDG6mBwxMWCzH.BJWzht8rzy";
const client = { login: "alice", client: "192.0.2.1" };
const scheme = pbkdf2(20);

Deno.test("Hasher.verify() hashes the right password of a slow hash again, and counts the Worker's job", async () => {
  const hasher = await Hasher.open({ scheme, concurrency: 1 });
  const wrong = hasher.verify(`!${password}`, { ...client, passwordHash: bcrypt });
  const right = hasher.verify(password, { ...client, passwordHash: bcrypt });
  assertEquals([hasher.running, hasher.waiting, hasher.queue.running], [1, 1, 0]);
  assertEquals(await wrong, { isRight: false });
  const { isRight, rehashed } = await right;
  assert(isRight && rehashed !== undefined && await isHashOf(password, rehashed));
  assertEquals([hasher.running, hasher.waiting], [0, 0]);
});

Deno.test("Hasher.verify() computes the outer hash of a wrapped slow one in its queue", async () => {
  const runs: number[] = [];
  const hasher = await Hasher.open({ scheme, concurrency: 1, onRun: ({ runSeconds }) => runs.push(runSeconds) });
  const passwordHash = await wrapHash("$apr1$openssl1$j./F8TnPRmYlPQjOzsDax0", scheme);
  assertEquals((await hasher.verify("open-sesame", { ...client, passwordHash })).isRight, false);
  assertEquals((await hasher.verify("open-sesame-3.0", { ...client, passwordHash })).isRight, true);
  assertEquals(runs.length, 4);
});

Deno.test("Hasher.verify() does the work of a slow hash for an unknown login", async () => {
  const decoys = new Decoys("key");
  decoys.update([{ work: "bcrypt cost=5", count: 1, example: bcrypt }]);
  const hasher = await Hasher.open({ scheme, decoys, concurrency: 1 });
  const verdict = hasher.verify(password, { ...client, passwordHash: undefined });
  assertEquals([hasher.running, hasher.queue.running], [1, 0]);
  assertEquals(await verdict, { isRight: false });
});

Deno.test("Hasher.verify() accepts the right password of a slow hash also while its queue is full", async () => {
  const hasher = await Hasher.open({ scheme, concurrency: 1, maxWaitMs: 0 });
  const { promise, resolve } = Promise.withResolvers<void>();
  const running = hasher.queue.run({ client: "192.0.2.2" }, () => promise);
  const verdict = await hasher.verify(password, { ...client, passwordHash: bcrypt });
  assertEquals(verdict, { isRight: true, rehashed: undefined });
  resolve();
  await running;
});
