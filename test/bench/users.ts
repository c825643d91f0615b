/** Users and sessions for the benchmarks, made without a hash and stored without a request. */

import { createSession } from "../../lib/accounts/session.ts";
import type { Store, User } from "../../lib/store.ts";

/** So many changes are put into the store at once. */
const batchSize = 1_000;

/** The user of that number; the salt and hash are random, as a compressible register would be no measure. */
export function userOf(number: number): User {
  const base64 = (length: number) => crypto.getRandomValues(new Uint8Array(length)).toBase64({ omitPadding: true });
  return {
    id: `01M81Q8R1S${String(number).padStart(16, "0")}`,
    login: `user${number}`,
    passwordHash: `$pbkdf2-sha256$i=600000$${base64(16)}$${base64(32)}`,
    registeredAt: 1_795_343_739_123 + number,
    groups: [],
    disabled: false,
  };
}

/** Adds the first `count` users. @param onBatch called with how many there are, now and then */
export async function addUsers(store: Store, count: number, onBatch = (_count: number) => {}): Promise<void> {
  for (let start = 0; start < count; start += batchSize) {
    const size = Math.min(batchSize, count - start);
    await Promise.all(Array.from({ length: size }, (_, index) => store.insertUser(userOf(start + index))));
    onBatch(start + size);
  }
}

/** Adds a session to each of the first `count` users. @returns the tokens */
export async function addSessions(store: Store, count: number): Promise<string[]> {
  const tokens: string[] = [];
  for (let start = 0; start < count; start += batchSize) {
    const size = Math.min(batchSize, count - start);
    tokens.push(...await Promise.all(Array.from({ length: size }, (_, index) => addSession(store, start + index))));
  }
  return tokens;
}

const factors = ["password"] as const;

async function addSession(store: Store, number: number): Promise<string> {
  const { login } = userOf(number);
  const user = await store.findUser(login);
  if (user === undefined) throw new Error(`There is no ${login}`);
  const userAgent = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
  const { session, token } = createSession(login, { now: Date.now(), userAgent, address: "192.0.2.1", factors });
  await store.insertSession(session, user);
  return token;
}
