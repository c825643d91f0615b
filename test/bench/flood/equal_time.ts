/**
 * Whether the time of a refusal tells what was wrong: tries of every kind, one at a time and in random order. Those of
 * one kind are next to each other, and are compared with each other, as the machine may be busy with something else.
 *
 * The register has hashes of three kinds, as after an import and a change of the setting. For each there are users that
 * are tried with a wrong password, disabled ones with the right one, and logins that nobody has whose decoy is of this
 * kind. No limit of `lib/limits/login_throttle.ts` applies: each attempt has another address, and there are 20 logins
 * of each sort.
 */

import { randomBytes, scryptSync } from "node:crypto";
import { openDecoys } from "../../../lib/accounts/login_decoys.ts";
import { createLog } from "../../../lib/log.ts";
import { recommendedIterations } from "../../../lib/config/settings.ts";
import { argon2id, hashPassword } from "../../../lib/passwords/password_hash.ts";
import { workOf } from "../../../lib/passwords/stored_hash.ts";
import type { Store } from "../../../lib/store.ts";
import { openFileStore } from "../../../lib/store/file/file_store.ts";
import { pbkdf2 } from "../../support/passwords/phc.ts";
import { Load, timesOf } from "../load.ts";
import { median, type Row } from "../table.ts";
import { userOf } from "../users.ts";
import { addressOf, logIn, startAtFullCost } from "./scene.ts";

const tries = 200;
const loginCount = 20;
/** In percent of the time of a login that nobody has. */
const target = 2;
const password = "mellow-otter-41-lantern";
const sorts = ["unknown", "wrong", "disabled"] as const;

/** Tries of one sort against hashes of one kind. */
interface Group {
  readonly work: string;
  readonly sort: typeof sorts[number];
  readonly logins: string[];
  readonly times: number[];
}

/** Every group on one service; `folder` is made. */
export async function equalTime(folder: string): Promise<Row> {
  const groups = await fill(folder);
  await using service = await startAtFullCost(folder);
  using load = new Load(service.url);
  const kinds = Object.values(Object.groupBy(groups, ({ work }) => work));
  const rounds = shuffled(
    kinds.flatMap((kind = []) => Array.from({ length: tries }, (_, number) => ({ kind, number }))),
  );
  const order = rounds.flatMap(({ kind, number }) => shuffled(kind).map((group) => ({ ...group, number })));
  for (const [index, { sort, logins, times, number }] of order.entries()) {
    const login = logins[number % loginCount] ?? "";
    // A disabled user is tried with the right password: nothing tells that it would be.
    const attempt = { password: sort === "disabled" ? password : crypto.randomUUID(), address: addressOf(index) };
    times.push(...timesOf([await load.send(logIn(login, attempt))], 401));
  }
  return rowOf(groups);
}

async function fill(folder: string): Promise<Group[]> {
  await using store = await openFileStore(folder, { log: createLog(() => {}) });
  const hashes = [
    await hashPassword(password, pbkdf2(recommendedIterations)),
    await hashPassword(password, argon2id),
    werkzeugHash(),
  ];
  const groups = hashes.flatMap((hash) => {
    return sorts.map((sort): Group => ({ work: workOf(hash) ?? "", sort, logins: [], times: [] }));
  });
  let number = 0;
  for (const passwordHash of hashes) {
    for (const { sort, logins } of groups.filter(({ work }) => work === workOf(passwordHash))) {
      for (; sort !== "unknown" && logins.length < loginCount; number++) {
        const user = { ...userOf(number), passwordHash, disabled: sort === "disabled" };
        await store.insertUser(user);
        logins.push(user.login);
      }
    }
  }
  await findUnknown(store, groups.filter(({ sort }) => sort === "unknown"));
  return groups;
}

/** Fills groups with logins that nobody has, by the work of their decoys. */
async function findUnknown(store: Store, groups: readonly Group[]): Promise<void> {
  const decoys = await openDecoys({ store, log: createLog(() => {}) });
  for (let number = 0; groups.some(({ logins }) => logins.length < loginCount); number++) {
    const login = `nobody${number}`;
    const group = groups.find(({ work }) => work === decoys.hashOf(login)?.work);
    if (group !== undefined && group.logins.length < loginCount) group.logins.push(login);
  }
}

/** As Flask's Werkzeug makes them. */
function werkzeugHash(): string {
  const salt = randomBytes(12).toString("base64url");
  const digest = scryptSync(password, salt, 64, { N: 32_768, r: 8, p: 1, maxmem: 2 ** 26 });
  return `scrypt:32768:8:1$${salt}$${digest.toString("hex")}`;
}

function shuffled<Item>(items: readonly Item[]): Item[] {
  return items.map((item) => ({ item, at: Math.random() })).sort((a, b) => a.at - b.at).map(({ item }) => item);
}

function rowOf(groups: readonly Group[]): Row {
  const known = groups.filter(({ sort }) => sort !== "unknown").map(({ work, sort, times }) => {
    const unknown = groups.find((group) => group.work === work && group.sort === "unknown")?.times ?? [];
    const percent = (median(times.map((ms, index) => ms / (unknown[index] ?? NaN))) - 1) * 100;
    return { percent, text: `${work}, ${sort} ${percent.toFixed(2)} % of ${median(unknown).toFixed(0)} ms` };
  });
  const percent = Math.max(...known.map(({ percent }) => Math.abs(percent)));
  return {
    what: "time of a refused login, with a wrong password or of a disabled user, against a login that nobody has, " +
      `${tries} tries each`,
    target: `< ${target} % apart`,
    measured: `${percent.toFixed(2)} % (${known.map(({ text }) => text).join("; ")})`,
    isHeld: percent < target,
  };
}
