/**
 * How often a thing may be done by each of many clients, in an hour.
 *
 * As `tokenBucket` in `lib/limits/limit_rule.ts` has it; the store of limits bounds how many are counted, see
 * `lib/limits/limit_store.ts`. The networks that a client is in are counted too, with more for each.
 */

import { networksOf } from "../http/client_address.ts";
import { type Counter, tokenBucket } from "./limit_rule.ts";
import type { RateLimiter } from "./rate_limiter.ts";

/**
 * How many times as much as a client may do all of an IPv6 /56 together, 256 of them, and all of a /48: 65,536. Who has
 * a whole network is one that does so much, and who shares one with others has to share this. It also bounds how many
 * counts one network can have kept, and so push out: at 100 wrong passwords a client and hour they are 1,000 of a /48,
 * and it takes 100 hours to fill the 100,000 that are kept of a kind.
 */
const networkTimes = [4, 10] as const;

/**
 * Counters of a client, as `rateLimitKey` has it, and of the networks that it is in. @param perHour of a client, at least
 * 1
 */
export function clientCounters(name: string, perHour: number): (client: string) => readonly Counter[] {
  const kind = tokenBucket(name, perHour);
  const networkKinds = networkTimes.map((times, index) => tokenBucket(`${name}-network-${index + 1}`, times * perHour));
  return (client) => {
    const networks = networksOf(client);
    const wider = networkKinds.flatMap((kind, index) =>
      networks.slice(index, index + 1).map((of) => ({ kind, of: [of] }))
    );
    return [{ kind, of: [client] }, ...wider];
  };
}

/** A quota for each client and the networks that it is in. */
export class Quota {
  readonly #limiter: RateLimiter;
  readonly #countersOf: (client: string) => readonly Counter[];

  /** @param name tells it from other kinds of counters. @param perHour how many at once and per hour; 0 is unlimited */
  constructor(limiter: RateLimiter, { name, perHour }: { readonly name: string; readonly perHour: number }) {
    this.#limiter = limiter;
    this.#countersOf = perHour === 0 ? () => [] : clientCounters(name, perHour);
  }

  /** The whole seconds after which there will be one for the client; 0 when there is. */
  waitSeconds(client: string): Promise<number> {
    return this.#limiter.waitSeconds(this.#countersOf(client));
  }

  /**
   * Takes one.
   *
   * @returns 0 when there was one, else as `waitSeconds`
   */
  take(client: string): Promise<number> {
    return this.#limiter.take(this.#countersOf(client));
  }

  /** Puts back one that was taken. */
  putBack(client: string): Promise<void> {
    return this.#limiter.change(this.#countersOf(client).map((counter) => ({ counter, step: counter.kind.putBack })));
  }
}
