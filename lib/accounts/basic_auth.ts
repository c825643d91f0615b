/**
 * HTTP Basic (RFC 7617), for clients that know nothing else: `curl -u`, WebDAV, Git.
 *
 * They send login and password with every request, and a hash for each would be too dear. So what was right is
 * remembered for a minute, for the client that sent it, as a digest under a key of this process, and is good only as
 * long as the user is the same one with the same password: a change of either is seen at once.
 */

import { createHmac, randomBytes } from "node:crypto";
import { BoundedMap } from "../bounded_map.ts";
import type { User } from "../store.ts";
import { canonicalLogin, maxLoginLength, maxPasswordBytes } from "./user.ts";
import type { Credentials } from "./request_schemas.ts";

const rememberedMs = 60 * 1_000;
/** So many are remembered: 2 MB. */
const maxRemembered = 10_000;

/**
 * Longest credentials, bytes: the longest login, a colon, and a password four times as long as the longest, which one
 * may be before its normalization.
 */
const maxCredentialsBytes = maxLoginLength + 1 + 4 * maxPasswordBytes;
/** In base64, after the scheme and some blanks. */
const maxHeaderLength = Math.ceil(maxCredentialsBytes / 3) * 4 + 16;

/**
 * The credentials of `Authorization: Basic`; `undefined` when there are none, they are not well formed, or they are
 * longer than anybody's.
 */
export function basicCredentials(headers: Headers): Credentials | undefined {
  const header = headers.get("authorization") ?? "";
  if (header.length > maxHeaderLength) return undefined;
  const [, encoded] = /^Basic +([A-Za-z0-9+/]+={0,2})$/i.exec(header) ?? [];
  const text = encoded === undefined ? undefined : decode(encoded);
  const colonAt = text?.indexOf(":") ?? -1;
  if (text === undefined || colonAt < 0) return undefined;
  return { login: canonicalLogin(text.slice(0, colonAt)), password: text.slice(colonAt + 1) };
}

/** Whose credentials were right. */
interface Entry {
  readonly login: string;
  readonly userId: string;
  readonly passwordHash: string;
  /** Milliseconds since the epoch. */
  readonly verifiedAt: number;
}

export interface BasicOptions {
  /** Who sends them, see `rateLimitKey`: what one client is remembered for lets no other in. */
  readonly client: string;
  /** The user of that login as kept now. */
  readonly find: (login: string) => Promise<User | undefined>;
  /**
   * The user that the credentials are right for. It throws when they are not. Run for all requests that send the same
   * at once: `hungUp` is aborted when the last of them has hung up.
   */
  readonly verify: (hungUp: AbortSignal) => Promise<User>;
  /** Aborted when the client of this request hangs up. */
  readonly hungUp: AbortSignal;
}

/** A verification under way, which belongs to no single request. */
interface Verification {
  readonly isOver: Promise<void>;
  readonly abandoned: AbortController;
  /** Requests that wait for it. */
  waitingCount: number;
}

/** Remembers which credentials were right. */
export class BasicAuthCache {
  readonly #now: () => number;
  readonly #secret = randomBytes(32);
  readonly #entries = new BoundedMap<string, Entry>(maxRemembered);
  /** A client may open many connections at once, with the same credentials. */
  readonly #open = new Map<string, Verification>();

  /** @param now milliseconds since the epoch */
  constructor(now: () => number) {
    this.#now = now;
  }

  /**
   * The user that the credentials are right for: as remembered, else by `verify`, once for all who ask meanwhile;
   * `undefined` when the user was changed while they were verified.
   *
   * @throws what `verify` throws
   */
  async userOf(credentials: Credentials, options: BasicOptions): Promise<User | undefined> {
    const key = this.#keyOf(credentials, options.client);
    const user = await this.#recall(key, options);
    if (user !== undefined) return user;
    await this.#join(this.#open.get(key) ?? this.#verify(key, options), { key, ...options });
    return await this.#recall(key, options);
  }

  #verify(key: string, { verify }: BasicOptions): Verification {
    const abandoned = new AbortController();
    const isOver = verify(abandoned.signal)
      .then((user) => this.#remember(key, user))
      .finally(() => this.#close(key, verification));
    const verification = { isOver, abandoned, waitingCount: 0 };
    this.#open.set(key, verification);
    return verification;
  }

  /** Waits with the others. When the last has hung up, those who come later do not join what is given up. */
  async #join(verification: Verification, { key, hungUp }: BasicOptions & { key: string }): Promise<void> {
    const leave = () => {
      verification.waitingCount--;
      if (verification.waitingCount > 0) return;
      this.#close(key, verification);
      verification.abandoned.abort();
    };
    verification.waitingCount++;
    if (hungUp.aborted) leave();
    hungUp.addEventListener("abort", leave);
    try {
      await verification.isOver;
    } finally {
      hungUp.removeEventListener("abort", leave);
    }
  }

  #close(key: string, verification: Verification): void {
    if (this.#open.get(key) === verification) this.#open.delete(key);
  }

  async #recall(key: string, { find }: BasicOptions): Promise<User | undefined> {
    const entry = this.#entries.get(key);
    if (entry === undefined || !isRecent(entry, this.#now())) return undefined;
    const user = await find(entry.login);
    const isSame = user?.id === entry.userId && user.passwordHash === entry.passwordHash && !user.disabled;
    return isSame ? user : undefined;
  }

  #remember(key: string, { login, id: userId, passwordHash }: User): void {
    this.#entries.set(key, { login, userId, passwordHash, verifiedAt: this.#now() });
  }

  #keyOf({ login, password }: Credentials, client: string): string {
    return createHmac("sha256", this.#secret).update(JSON.stringify([login, password, client])).digest("base64url");
  }
}

/** What was verified ahead of now was so by a clock that was set back since, and would be remembered until then. */
function isRecent({ verifiedAt }: Entry, now: number): boolean {
  return verifiedAt <= now && now < verifiedAt + rememberedMs;
}

function decode(base64: string): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(Uint8Array.fromBase64(base64));
  } catch {
    // Neither base64 nor UTF-8 is said to be here; the client learns that it is not logged in.
    return undefined;
  }
}
