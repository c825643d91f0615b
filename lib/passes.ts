/**
 * Passes: the replies of `/guard` that let a user through, kept for the same request again.
 *
 * A guarded site asks with every request for it, and a browser sends the same cookies each time. So what such a request
 * was answered is found by its whole Cookie header, without parsing it, hashing a token or making a reply. A pass is good
 * only while the store says that its session and its user are what they were, and until the session has to be looked at
 * again for its age: what ends a session ends its passes at once.
 *
 * That the look-up compares secrets in a time that depends on them tells nobody anything: a `Map` compares only what has
 * the same hash already, which is keyed by a secret of the process.
 */

import { RecentMap } from "./recent_map.ts";
import type { Store, UserSession } from "./store.ts";

/** Passes that are kept: browsers in use at a time, some 1 kB each. */
const maxPasses = 20_000;
/** Characters. Cookies of the guarded site are among them, and may be of any length. */
const maxCookieLength = 1_000;

/** What was asked, and the answer. */
export interface Pass {
  /** Whose reply it is. */
  readonly found: UserSession;
  /** The whole of it: other groups may be asked for by another. */
  readonly url: string;
  /** Until when it is good, at the latest, in milliseconds since the epoch. */
  readonly until: number;
  /** Without a body, so that it can be sent any number of times. */
  readonly reply: Response;
}

/** A pass, and at which revision of the store it was last found to be right. */
interface KeptPass extends Pass {
  revision: number;
}

/** Remembers passes. */
export class Passes {
  readonly #store: Store;
  readonly #now: () => number;
  readonly #passes = new RecentMap<string, KeptPass>(maxPasses);

  /** @param now milliseconds since the epoch */
  constructor(store: Store, now: () => number) {
    this.#store = store;
    this.#now = now;
  }

  /** The reply to the same request before, if it is still right. */
  recall(cookie: string, url: string): Response | undefined {
    const pass = this.#passes.get(cookie);
    if (pass === undefined || pass.url !== url) return undefined;
    return this.#now() < pass.until && this.#isRight(pass) ? pass.reply : undefined;
  }

  /** Keeps a pass, if the store can say later whether it is still right. */
  remember(cookie: string, pass: Pass): void {
    const { revision } = this.#store;
    if (cookie.length > maxCookieLength || !this.#store.isCurrent(pass.found)) return;
    this.#passes.set(cookie, { ...pass, revision });
  }

  /** Mostly nothing has changed at all since the last request, which is seen without a look at 100,000 users. */
  #isRight(pass: KeptPass): boolean {
    const { revision } = this.#store;
    if (pass.revision === revision) return true;
    if (!this.#store.isCurrent(pass.found)) return false;
    pass.revision = revision;
    return true;
  }
}
