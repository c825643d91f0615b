/** A register of three kinds of hashes, and failed logins to it. */
import { assertEquals } from "@std/assert";
import { hashPassword } from "../../../lib/passwords/password_hash.ts";
import type { User } from "../../../lib/store.ts";
import { TableStore } from "../../../lib/store/memory/table_store.ts";
import type { TestApp } from "../app.ts";
import { spyOnDerive } from "./derivations.ts";
import { pbkdf2 } from "./phc.ts";

/** Of every known user. */
export const password = "mellow-otter-41-lantern";
/** Three kinds, each several times as expensive as the one before; `cost` is what `spyOnDerive` notes. */
export const kinds = [
  { cost: 100, share: 0.5, hash: await hashPassword(password, pbkdf2(100)) },
  {
    cost: 20_000,
    share: 0.3,
    hash: "pbkdf2_sha256$20000$rBMVbRXUPePI07Qm$tSHA+PEsfHyZS+Y9Lg2P6qw+nFpvQWB2KuEnVwYY6hg=",
  },
  { cost: 8_192, share: 0.2, hash: "$argon2i$v=19$m=8192,t=2,p=1$Fv7EeIkdcdilfvlCQhqqUA$1xE4Wr2jPD5GIWoe+TvXSQ" },
] as const;
export const countOfEach = 200;
/** Stored before the service starts, so that draws are the same in every run. */
const secret = { name: "decoy", value: "a key of this test" };

export const knownLogins = Array.from({ length: countOfEach }, (_, index) => `known${index}`);
export const unknownLogins = Array.from({ length: countOfEach }, (_, index) => `unknown${index}`);

/** The kind of a known login, in proportion to the shares. */
export function kindOf(index: number): typeof kinds[number] {
  const [first, second, third] = kinds;
  return index % 10 < 5 ? first : index % 10 < 8 ? second : third;
}

export function userWith(login: string, changes: Partial<User>): User {
  const id = `01M81Q8R1S${login.toUpperCase().replaceAll(/[ILOU]/g, "X").padStart(16, "0")}`;
  return { id, login, passwordHash: "", registeredAt: 0, groups: [], disabled: false, ...changes };
}

export async function storeOfKnown(): Promise<TableStore> {
  const store = new TableStore();
  await store.ensureSecret(secret);
  for (const [index, login] of knownLogins.entries()) {
    await store.insertUser(userWith(login, { passwordHash: kindOf(index).hash }));
  }
  return store;
}

export interface Attempt {
  readonly ms: number;
  /** Of the derivations. */
  readonly cost: string;
}

/** Tries a wrong password from a client of its own, so that no limit counts. */
export async function attempt({ send }: TestApp, login: string, index: number): Promise<Attempt> {
  using spy = spyOnDerive();
  const startedAt = performance.now();
  const { status } = await send("POST", "/session/", {
    json: { login, password: `wrong ${password}` },
    client: `198.51.${index >> 8}.${index & 255}`,
  });
  const ms = performance.now() - startedAt;
  assertEquals(status, 401);
  return { ms, cost: spy.costs.join() };
}
