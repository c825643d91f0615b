/**
 * More logins than can be hashed, over real sockets, from one address and then from everywhere: who gets in, who is
 * refused and when, and what goes on meanwhile.
 */
import { assert, assertEquals, assertGreater, assertLess, assertMatch } from "@std/assert";
import { addressOf, rawPost, type RawReply, sendRaw } from "../support/raw_request.ts";
import { type RunningService, startService } from "../support/service.ts";

const password = "seven purple wombats sing";
/** One takes some 20 ms, so that a few hundred fit into the 5 s that a client may wait. */
const iterations = "200000";
/** More of one login than wait at a time would be too many attempts, see `lib/limits/login_throttle.ts`. */
const crowd = Array.from({ length: 30 }, (_, index) => `visitor${index}`);

interface Attempt {
  readonly login: string;
  readonly client: string;
}

function post(service: RunningService, path: string, attempt: Attempt, hangUp?: AbortSignal): Promise<RawReply> {
  const { login, client } = attempt;
  const request = rawPost(path, JSON.stringify({ login, password }), [`X-Forwarded-For: ${client}`]);
  return sendRaw(addressOf(service.url), [request], hangUp);
}

async function get(service: RunningService, path: string, token = ""): Promise<number> {
  const response = await fetch(service.url + path, { headers: { authorization: `Bearer ${token}` } });
  await response.body?.cancel();
  return response.status;
}

/** How many passwords were worked on since the start. */
async function hashCount(service: RunningService): Promise<number> {
  const text = await (await fetch(`${service.url}/metrics`)).text();
  return Number(/^gatehouse_hash_duration_seconds_count (\d+)$/m.exec(text)?.[1]);
}

/** Logins that nobody waits for before the next is sent. */
class Flood {
  readonly #service: RunningService;
  readonly #hangUp = new AbortController();
  readonly #all: Promise<void>[] = [];
  readonly replies: RawReply[] = [];

  constructor(service: RunningService) {
    this.#service = service;
  }

  get waiting(): number {
    return this.#all.length - this.replies.length;
  }

  count(status: number): number {
    return this.replies.filter((reply) => reply.status === status).length;
  }

  /** Sends more, each made for its number, until one is refused. @returns that one */
  async untilRefused(attemptOf: (number: number) => Attempt): Promise<RawReply> {
    while (true) {
      const refused = this.replies.find(({ status }) => status === 503);
      if (refused !== undefined) return refused;
      for (let count = 0; count < 20; count++) this.#send(attemptOf(this.#all.length));
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  /** All who still wait hang up. */
  async end(): Promise<void> {
    this.#hangUp.abort();
    await Promise.all(this.#all);
  }

  #send(attempt: Attempt): void {
    const reply = post(this.#service, "/session/", attempt, this.#hangUp.signal);
    this.#all.push(reply.then((reply) => void this.replies.push(reply)));
  }
}

Deno.test("a flood of logins keeps nobody out but those who wait too long, and is over when it ends", async () => {
  await using service = await startService({ env: { GATEHOUSE_PBKDF2_ITERATIONS: iterations } });
  const register = (login: string) => post(service, "/user/", { login, client: "203.0.113.9" });
  const registered = await Promise.all(["alice", "mallory", ...crowd].map(register));
  assertEquals(new Set(registered.map(({ status }) => status)), new Set([201]));
  const alice = { login: "alice", client: "203.0.113.9" };
  const { token } = JSON.parse((await post(service, "/session/", alice)).body);

  // From one address. Who is refused learns it while nearly all the others still wait.
  const mallory = new Flood(service);
  const refusal = await mallory.untilRefused(() => ({ login: "mallory", client: "198.51.100.7" }));
  assertMatch(refusal.head, /\r\nretry-after: [1-9]\r\n|\r\nretry-after: [1-9]$/);
  assertMatch(refusal.head, /\r\ncache-control: no-store/);
  assertEquals(JSON.parse(refusal.body).type, "/problem/overloaded");
  assertGreater(mallory.waiting, mallory.count(201));

  // Others have the next turn: all of this is done before the flood is.
  assertEquals((await post(service, "/session/", alice)).status, 201);
  assertEquals((await register("bob")).status, 201);
  assertEquals([await get(service, "/health/ready"), await get(service, "/guard/", token)], [200, 200]);
  assertEquals([await get(service, "/session/", token), await get(service, "/session/")], [200, 401]);
  assertGreater(mallory.waiting, 0);

  // From an address each. They take the place of all but a few of the first flood, which is over before they are: until
  // nobody has more than another.
  const visitors = new Flood(service);
  const clientOf = (number: number) => `192.0.${number >> 8}.${number & 255}`;
  await visitors.untilRefused((number) => ({ login: crowd[number % crowd.length] ?? "", client: clientOf(number) }));
  assertGreater(visitors.waiting, visitors.count(201));
  while (mallory.waiting > 5) await new Promise((resolve) => setTimeout(resolve, 5));
  assertEquals([await get(service, "/health/ready"), await get(service, "/guard/", token)], [200, 200]);
  assertGreater(visitors.waiting, 0);

  // Who waits is served.
  while (visitors.count(201) < crowd.length) await new Promise((resolve) => setTimeout(resolve, 5));
  for (const { replies } of [mallory, visitors]) {
    assert(replies.every(({ status }) => status === 201 || status === 503));
  }

  // Who hangs up is not, and the next one is as if nothing had been.
  const waiting = visitors.waiting;
  const [before] = await Promise.all([hashCount(service), mallory.end(), visitors.end()]);
  assertEquals((await post(service, "/session/", alice)).status, 201);
  assertLess(await hashCount(service) - before, waiting / 2);
});
