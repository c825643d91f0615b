/** The service that is flooded, as large as one that is worth flooding, and the requests that flood it. */

import { createLog } from "../../../lib/log.ts";
import { recommendedIterations } from "../../../lib/config/settings.ts";
import { mallocThresholdBytes, mallocVariable } from "../../../lib/config/malloc.ts";
import { hashPassword, type PasswordScheme } from "../../../lib/passwords/password_hash.ts";
import { pbkdf2 } from "../../support/passwords/phc.ts";
import { openFileStore } from "../../../lib/store/file/file_store.ts";
import { type RunningService, startService } from "../../support/service.ts";
import { type NextRequest, requestOf } from "../load.ts";
import { addSessions, addUsers, userOf } from "../users.ts";

const userCount = 100_000;
/** Looked at in turn. */
const liveCount = 1_000;
/** Ended one by one, each once. */
const spareCount = 2_000;
/** Users who log in. */
const ownerCount = 32;
/** Not guessable: it is that of registrations too. */
const password = "mellow-otter-41-lantern";

/** A running service with 100,000 users, and how to ask it. */
export interface Scene {
  readonly service: RunningService;
  readonly folder: string;
  /** Tokens of sessions that stay. */
  readonly live: readonly string[];
  /** Tokens of sessions that a request may end: whoever uses one takes it away. */
  readonly spare: string[];
}

/** Fills the folder and starts the service on it; the caller's to dispose of. */
export async function openScene(
  folder: string,
  scheme = pbkdf2(recommendedIterations),
): Promise<Scene & AsyncDisposable> {
  const tokens = await fill(folder, scheme);
  const service = await startAtFullCost(folder, scheme);
  return {
    service,
    folder,
    live: tokens.slice(0, liveCount),
    spare: tokens.slice(liveCount),
    [Symbol.asyncDispose]: () => service[Symbol.asyncDispose](),
  };
}

/** Starts the service on a folder as `deno task start` does, with hashes as dear as they are by default. */
export function startAtFullCost(folder: string, { kind } = pbkdf2(recommendedIterations)): Promise<RunningService> {
  return startService({
    env: {
      GATEHOUSE_STORE: folder,
      GATEHOUSE_PASSWORD_HASH: kind,
      GATEHOUSE_PBKDF2_ITERATIONS: String(recommendedIterations),
      [mallocVariable]: String(mallocThresholdBytes),
    },
  });
}

/** Right passwords of several users, from so many client addresses in turn. */
export function loginsFrom(addressCount: number): NextRequest {
  return (number) => logIn(`owner${number % ownerCount}`, { password, address: addressOf(number % addressCount) });
}

/** Registrations, each of another login, from so many client addresses in turn. */
export function registrationsFrom(addressCount: number): NextRequest {
  const round = crypto.randomUUID().slice(0, 8);
  return (number) =>
    requestOf("POST /user/", {
      headers: { "X-Forwarded-For": addressOf(number % addressCount) },
      json: { login: `${round}-${number}`, password },
    });
}

/** One try to log in. */
export function logIn(login: string, options: { password: string; address: string }): Uint8Array<ArrayBuffer> {
  const headers = { "X-Forwarded-For": options.address };
  return requestOf("POST /session/", { headers, json: { login, password: options.password } });
}

/** The client address of that number, of 16 million. */
export function addressOf(number: number): string {
  return [10, number >> 16 & 255, number >> 8 & 255, number & 255].join(".");
}

/** @returns the tokens of its sessions */
async function fill(folder: string, scheme: PasswordScheme): Promise<string[]> {
  await using store = await openFileStore(folder, { log: createLog(() => {}) });
  await addUsers(store, userCount);
  for (let number = 0; number < ownerCount; number++) {
    const passwordHash = await hashPassword(password, scheme);
    await store.insertUser({ ...userOf(userCount + number), login: `owner${number}`, passwordHash });
  }
  return await addSessions(store, liveCount + spareCount);
}
