/**
 * HTTP Basic (RFC 7617), for clients that support nothing else: `curl -u`, WebDAV, Git.
 *
 * They send login and password with each request, and a hash for each would be too expensive. So right credentials are
 * cached for a minute, for the client that sent them, under a keyed digest. An entry is valid only while the user has
 * the same password and is not disabled. Requests that send the same credentials at once share one verification, which
 * belongs to no single request: it is cancelled when all of them are gone.
 */

import { createHmac, randomBytes } from "node:crypto";
import { BoundedMap } from "../bounded_map.ts";
import type { User } from "../store.ts";
import type { Credentials } from "./request_schemas.ts";
import { canonicalLogin, maxLoginLength, maxPasswordBytes } from "./user.ts";

const cachedMs = 60 * 1_000;
/** Entries of the cache, in 2 MB. */
const maxEntries = 10_000;

/** The longest login, a colon, and the longest password before its normalization, which may quarter its length. */
const maxCredentialsBytes = maxLoginLength + 1 + 4 * maxPasswordBytes;
/** In base64, after the scheme and some blanks. */
const maxHeaderLength = Math.ceil(maxCredentialsBytes / 3) * 4 + 16;

/** Reads the credentials of `Authorization: Basic`; `undefined` if they are missing, malformed or too long. */
export function basicCredentials(headers: Headers): Credentials | undefined {
  const header = headers.get("authorization") ?? "";
  const [, encoded = ""] = header.length > maxHeaderLength ? [] : /^Basic +([A-Za-z0-9+/]+={0,2})$/i.exec(header) ?? [];
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(Uint8Array.fromBase64(encoded));
    const colonAt = text.indexOf(":");
    if (colonAt >= 0) return { login: canonicalLogin(text.slice(0, colonAt)), password: text.slice(colonAt + 1) };
  } catch {
    // Neither base64 nor UTF-8: the same as no credentials.
  }
  return undefined;
}

/** A user whose credentials were right. */
interface Entry extends Pick<User, "id" | "login" | "passwordHash"> {
  /** Milliseconds since the epoch. */
  readonly verifiedAt: number;
}

export interface BasicOptions {
  /** See `rateLimitKey`. An entry of one client lets no other client in. */
  readonly client: string;
  /** Finds the current user of a login. */
  readonly find: (login: string) => Promise<User | undefined>;
  /** Returns the user whose credentials are right, or throws. `hungUp` is aborted when all requests are gone. */
  readonly verify: (hungUp: AbortSignal) => Promise<User>;
  /** Aborted when the client of this request is gone. */
  readonly hungUp: AbortSignal;
}

/** A verification that requests share. */
interface Verification {
  readonly isOver: Promise<void>;
  readonly abandoned: AbortController;
  requestCount: number;
}

/** Caches right credentials. */
export class BasicAuthCache {
  readonly #now: () => number;
  readonly #secret = randomBytes(32);
  readonly #entries = new BoundedMap<string, Entry>(maxEntries);
  readonly #open = new Map<string, Verification>();

  /** @param now milliseconds since the epoch */
  constructor(now: () => number) {
    this.#now = now;
  }

  /**
   * Returns the user of right credentials, from the cache or by `verify`, which runs once for all requests that wait.
   * `undefined` if the user changed meanwhile.
   *
   * @throws what `verify` throws
   */
  async userOf(credentials: Credentials, options: BasicOptions): Promise<User | undefined> {
    const { login, password } = credentials;
    const text = JSON.stringify([login, password, options.client]);
    const key = createHmac("sha256", this.#secret).update(text).digest("base64url");
    const user = await this.#cached(key, options);
    if (user !== undefined) return user;
    await this.#join(key, options);
    return await this.#cached(key, options);
  }

  async #cached(key: string, { find }: BasicOptions): Promise<User | undefined> {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    const ageMs = this.#now() - entry.verifiedAt;
    // A negative age comes from a clock that was set back.
    if (ageMs < 0 || ageMs >= cachedMs) return undefined;
    const user = await find(entry.login);
    const isSame = user?.id === entry.id && user.passwordHash === entry.passwordHash && !user.disabled;
    return isSame ? user : undefined;
  }

  /** Waits for the verification, and cancels it if this is the last request that leaves. */
  async #join(key: string, options: BasicOptions): Promise<void> {
    const { hungUp } = options;
    const verification = this.#open.get(key) ?? this.#begin(key, options);
    const leave = () => {
      if (--verification.requestCount === 0) verification.abandoned.abort();
    };
    verification.requestCount++;
    if (hungUp.aborted) leave();
    hungUp.addEventListener("abort", leave);
    try {
      await verification.isOver;
    } finally {
      hungUp.removeEventListener("abort", leave);
    }
  }

  #begin(key: string, { verify }: BasicOptions): Verification {
    const abandoned = new AbortController();
    // Later requests start their own.
    const close = () => this.#open.get(key) === verification && this.#open.delete(key);
    abandoned.signal.addEventListener("abort", close);
    const isOver = verify(abandoned.signal)
      .then(({ id, login, passwordHash }) => {
        this.#entries.set(key, { id, login, passwordHash, verifiedAt: this.#now() });
      })
      .finally(close);
    const verification = { isOver, abandoned, requestCount: 0 };
    this.#open.set(key, verification);
    return verification;
  }
}
