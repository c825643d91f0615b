/**
 * Whether the time of a refusal tells what was wrong: tries of every kind, one at a time and in random order.
 *
 * There are accounts of a lower and of a higher cost than today's, as after two changes of the setting. No limit of
 * `lib/limits/login_throttle.ts` applies: each attempt has another address, and there are 20 logins of each kind.
 */

import { createLog } from "../../../lib/log.ts";
import { recommendedIterations } from "../../../lib/config/settings.ts";
import { hashPassword } from "../../../lib/passwords/password_hash.ts";
import { pbkdf2 } from "../../support/passwords/phc.ts";
import type { Store, User } from "../../../lib/store.ts";
import { openFileStore } from "../../../lib/store/file/file_store.ts";
import { Load, timesOf } from "../load.ts";
import { median, type Row } from "../table.ts";
import { userOf } from "../users.ts";
import { addressOf, logIn, startAtFullCost } from "./scene.ts";

const tries = 200;
const loginCount = 20;
/** In percent of the smallest median. */
const target = 2;
const password = "mellow-otter-41-lantern";
const kinds = ["unknown", "wrong", "disabled", "older", "dearer"] as const;
type Kind = typeof kinds[number];

/** What differs from a user whose password is not the one that is tried; `undefined` is no user. */
const changes: Readonly<Record<Kind, ((user: User) => User) | undefined>> = {
  unknown: undefined,
  wrong: (user) => user,
  disabled: (user) => ({ ...user, disabled: true }),
  older: (user) => ({ ...user, passwordHash: withIterations(user.passwordHash, recommendedIterations / 2) }),
  dearer: (user) => ({ ...user, passwordHash: withIterations(user.passwordHash, recommendedIterations + 100_000) }),
};

/** Every kind on one service; `folder` is made. */
export async function equalTime(folder: string): Promise<Row> {
  await fill(folder);
  await using service = await startAtFullCost(folder);
  using load = new Load(service.url);
  const times: Record<Kind, number[]> = { unknown: [], wrong: [], disabled: [], older: [], dearer: [] };
  const order = shuffled(kinds.flatMap((kind) => Array.from({ length: tries }, (_, number) => ({ kind, number }))));
  for (const [index, { kind, number }] of order.entries()) {
    const login = `${kind}${number % loginCount}`;
    const attempt = { password: passwordFor(kind), address: addressOf(index) };
    times[kind].push(...timesOf([await load.send(logIn(login, attempt))], 401));
  }
  return rowOf(times);
}

async function fill(folder: string): Promise<void> {
  await using store = await openFileStore(folder, { log: createLog(() => {}) });
  const passwordHash = await hashPassword(password, pbkdf2(recommendedIterations));
  for (const [index, kind] of kinds.entries()) await addKind(store, kind, { index, passwordHash });
}

async function addKind(store: Store, kind: Kind, options: { index: number; passwordHash: string }): Promise<void> {
  const change = changes[kind];
  if (change === undefined) return;
  for (let number = 0; number < loginCount; number++) {
    const user = { ...userOf(options.index * loginCount + number), login: `${kind}${number}` };
    await store.insertUser(change({ ...user, passwordHash: options.passwordHash }));
  }
}

/** A disabled account is tried with the right one: nothing shall tell that it would be. */
function passwordFor(kind: Kind): string {
  return kind === "disabled" ? password : `wrong-${crypto.randomUUID()}`;
}

/** The hash is then that of no password at all, and takes as long as any. */
function withIterations(passwordHash: string, iterations: number): string {
  return passwordHash.replace(`i=${recommendedIterations}$`, `i=${iterations}$`);
}

function shuffled<Item>(items: readonly Item[]): Item[] {
  return items.map((item) => ({ item, at: Math.random() })).sort((a, b) => a.at - b.at).map(({ item }) => item);
}

function rowOf(times: Readonly<Record<Kind, readonly number[]>>): Row {
  const medians = kinds.map((kind) => median(times[kind]));
  const percent = (Math.max(...medians) / Math.min(...medians) - 1) * 100;
  const each = kinds.map((kind, index) => `${kind} ${medians[index]?.toFixed(1)} ms`).join(", ");
  return {
    what: `medians of ${tries} refused logins each: ${kinds.join(", ")} (at today's cost, half of it, 1/6 more)`,
    target: `< ${target} % apart`,
    measured: `${percent.toFixed(2)} % (${each})`,
    isHeld: percent < target,
  };
}
