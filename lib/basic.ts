/**
 * HTTP Basic (RFC 7617), for clients that know nothing else: `curl -u`, WebDAV, Git.
 *
 * They send login and password with every request, and a hash for each would be too dear. So what was right is
 * remembered for a minute, for the client that sent it, as a digest under a key of this process, and is good only as
 * long as the user is the same one with the same password: a change of either is seen at once.
 */

import { createHmac, randomBytes } from "node:crypto";
import { RecentMap } from "./recent_map.ts";
import type { User } from "./store.ts";
import { canonicalLogin } from "./user.ts";
import type { Credentials } from "./user_input.ts";

const rememberedMs = 60 * 1_000;
/** So many are remembered: 2 MB. */
const maxRemembered = 10_000;

/** The credentials of `Authorization: Basic`; `undefined` when there are none, or they are not well formed. */
export function basicCredentials(headers: Headers): Credentials | undefined {
  const [, encoded] = /^Basic +([A-Za-z0-9+/]+={0,2})$/i.exec(headers.get("authorization") ?? "") ?? [];
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
  readonly until: number;
}

export interface BasicOptions {
  /** Who sends them, see `clientKey`: what one client is remembered for lets no other in. */
  readonly client: string;
  /** The user of that login as kept now. */
  readonly find: (login: string) => Promise<User | undefined>;
  /** The user that the credentials are right for. It throws when they are not. */
  readonly verify: () => Promise<User>;
}

/** Remembers which credentials were right. */
export class BasicMemory {
  readonly #now: () => number;
  readonly #secret = randomBytes(32);
  readonly #entries = new RecentMap<string, Entry>(maxRemembered);
  /** Being verified: a client may open many connections at once, with the same credentials. */
  readonly #open = new Map<string, Promise<void>>();

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
    const open = this.#open.get(key) ?? this.#verify(key, options);
    await open;
    return await this.#recall(key, options);
  }

  #verify(key: string, { verify }: BasicOptions): Promise<void> {
    const verified = verify().then((user) => this.#remember(key, user)).finally(() => this.#open.delete(key));
    this.#open.set(key, verified);
    return verified;
  }

  async #recall(key: string, { find }: BasicOptions): Promise<User | undefined> {
    const entry = this.#entries.get(key);
    if (entry === undefined || this.#now() >= entry.until) return undefined;
    const user = await find(entry.login);
    const isSame = user?.id === entry.userId && user.passwordHash === entry.passwordHash && !user.disabled;
    return isSame ? user : undefined;
  }

  #remember(key: string, { login, id: userId, passwordHash }: User): void {
    this.#entries.set(key, { login, userId, passwordHash, until: this.#now() + rememberedMs });
  }

  #keyOf({ login, password }: Credentials, client: string): string {
    return createHmac("sha256", this.#secret).update(JSON.stringify([login, password, client])).digest("base64url");
  }
}

function decode(base64: string): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(Uint8Array.fromBase64(base64));
  } catch {
    // Neither base64 nor UTF-8 is said to be here; the client learns that it is not logged in.
    return undefined;
  }
}
