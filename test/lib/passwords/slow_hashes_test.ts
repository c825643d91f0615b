/** The Worker of slow hashes: what it computes, in which order, whom it refuses, and what follows when it dies. */
import { assert, assertEquals, assertInstanceOf, assertLess, assertRejects } from "@std/assert";
import { OverloadedError, type Requester } from "../../../lib/passwords/hash_queue.ts";
import { SlowHashes } from "../../../lib/passwords/slow_hashes.ts";
import { threadMs } from "../../support/thread_time.ts";

const client = { client: "192.0.2.1" };
const settings = "$6$rounds=1000$saltstring$";

function bytes(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}

async function derive(hashes: SlowHashes, password = "password", requester: Requester = client): Promise<string> {
  return new TextDecoder().decode(await hashes.derive(settings, bytes(password), requester));
}

Deno.test("SlowHashes.derive() computes a digest, and keeps no password of its caller", async () => {
  const hashes = new SlowHashes();
  const password = bytes("password");
  // crypt(3) of libxcrypt 4.4.33
  const digest = "EzTqOEb9gQc3Va/4p4pnqWqp/wIh1Otyhg9H9E8sV0eDyHGbNBkoMxYIM0ODHPBfmDNWb6wRiAvTriYxeDgb9.";
  assertEquals(new TextDecoder().decode(await hashes.derive(settings, password, client)), digest);
  assertEquals(password.length, 0);
  assertEquals([hashes.queue.running, hashes.queue.waiting], [0, 0]);
});

Deno.test("SlowHashes.derive() takes 511 bytes, and gives more the digest of another text", async () => {
  const hashes = new SlowHashes();
  const [longest, longer] = ["a".repeat(511), "a".repeat(512)];
  // passlib 1.7.4, which takes more
  const digest = "gT992ZChsd3okCvl06E6mFsqVXAdRBsgsTQsyPLBeiMaRSsJBsQ7Wwvud6QHbc2NvUUo2/1ztPmmVSlWWTwjy1";
  assertEquals(await derive(hashes, longest), digest);
  const ofLonger = "sd61/9sVUzt9dccHqqjCvsqj0TUVS3QjWPnPEEucFK.ON84AM.fvqDepr6g963fFE1b.5INTdWAnAQH3/.5D/.";
  const other = await derive(hashes, longer);
  assertEquals(other.length, digest.length);
  assert(other !== digest && other !== ofLonger, other);
});

Deno.test("SlowHashes.derive() takes less than 5 ms of the event loop, however long the hash takes", async () => {
  const hashes = new SlowHashes();
  await derive(hashes);
  const startedMs = threadMs();
  const startedAt = performance.now();
  await hashes.derive("$6$rounds=500000$saltstring$", bytes("password"), client);
  assertLess(100, performance.now() - startedAt);
  assertLess(threadMs() - startedMs, 5);
});

Deno.test("SlowHashes.derive() computes one hash at a time, of each client in turn", async () => {
  const hashes = new SlowHashes();
  const order: string[] = [];
  const send = (name: string) =>
    derive(hashes, name, { client: `192.0.${name.charCodeAt(0)}.1` }).then(() => order.push(name));
  const all = ["a1", "a2", "a3", "b1", "c1"].map(send);
  assertEquals([hashes.queue.running, hashes.queue.waiting], [1, 4]);
  await Promise.all(all);
  assertEquals(order, ["a1", "a2", "b1", "c1", "a3"]);
});

Deno.test("SlowHashes.derive() refuses a wait that is too long, and forgets a client that is gone", async () => {
  // Three places of the 90 ms that a hash is expected to take.
  const hashes = new SlowHashes({ maxWaitMs: 300 });
  const controller = new AbortController();
  const running = derive(hashes);
  const gone = derive(hashes, "password", { ...client, hungUp: controller.signal });
  const waiting = [derive(hashes), derive(hashes)];
  const error = await assertRejects(() => derive(hashes), OverloadedError);
  assertEquals(error.retryAfterSeconds, 1);
  controller.abort();
  await assertRejects(() => gone, OverloadedError);
  const last = derive(hashes);
  assertEquals(new Set(await Promise.all([running, ...waiting, last])).size, 1);
});

Deno.test("SlowHashes.derive() fails as an overload when the Worker dies, and starts another", async () => {
  const errors: Error[] = [];
  const runs: number[] = [];
  const onRun = ({ runSeconds }: { runSeconds: number }) => runs.push(runSeconds);
  const hashes = new SlowHashes({ onRun, onCrash: (error) => errors.push(error) });
  const digest = await derive(hashes);
  for (const settings of ["$1$too-long-salt$", "$pbkdf2-sha256$1$c2FsdA$*32"]) {
    const failing = hashes.derive(settings, bytes("password"), client);
    const next = derive(hashes);
    assertInstanceOf(await failing.catch((error) => error), OverloadedError);
    assertEquals(await next, digest);
  }
  assertEquals([errors.length, runs.length], [2, 5]);
  assert(
    errors.every(({ message }) => /^The Worker of slow hashes has died: .*RangeError/.test(message)),
    String(errors),
  );
  assert(!errors.some(({ message }) => /salt\$|password/.test(message)), String(errors));
});
