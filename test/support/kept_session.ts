/** A store with one session, for tests of sessions. */
import { assert } from "@std/assert";
import { createSession, findLiveSession } from "../../lib/accounts/session.ts";
import type { Session, Store, User } from "../../lib/store.ts";
import { TableStore } from "../../lib/store/memory/table_store.ts";

/** Milliseconds since the epoch. */
export const start = Date.parse("2026-11-23T09:35:39.123Z");

export const minuteMs = 60 * 1_000;

export const hourMs = 60 * minuteMs;

export const dayMs = 24 * hourMs;

/** The lifetimes of the default settings. */
export const lifetimes = { sessionIdleMs: 7 * dayMs, sessionMaxMs: 30 * dayMs };

/** Who logs in. */
export const client = { now: start, userAgent: "Browser/1.0", address: "192.0.2.1", factors: ["password"] } as const;

interface Kept {
  readonly store: Store;
  readonly session: Session;
  readonly user: User;
  readonly token: string;
}

/** A store with a session of alice. */
export async function keepSession(change: Partial<Session> = {}): Promise<Kept> {
  const store = new TableStore();
  const user = { id: "1", login: "alice", passwordHash: "", registeredAt: start, groups: [], disabled: false };
  await store.insertUser(user);
  const created = createSession("alice", client);
  const session = { ...created.session, ...change };
  assert(await store.insertSession(session, user));
  return { store, session, user, token: created.token };
}

/** Looks for a session, and lets the note that it was seen be written. */
export async function find(token: string, options: { store: Store; now: number } & Partial<Lookup>) {
  const { lifetimes: own = lifetimes, onError = unexpected, ...rest } = options;
  const found = await findLiveSession(token, { ...rest, lifetimes: own, onError });
  for (let step = 0; step < 20; step++) await Promise.resolve();
  return found;
}

interface Lookup {
  readonly lifetimes: typeof lifetimes;
  readonly onError: (error: unknown) => void;
}

/** Fails the test: no error may be reported. */
export function unexpected(error: unknown): never {
  throw error;
}
