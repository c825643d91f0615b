/** App passwords and recovery codes without HTTP: their form, what is stored of them, and what they are limited to. */
import { assert, assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import { hash } from "node:crypto";
import {
  allowedGroups,
  appPasswordPattern,
  createAppPassword,
  createRecoveryCodes,
  findAppPassword,
  recoveryCodeKey,
  recoveryCodePattern,
} from "../../../lib/factors/random_secret.ts";
import { maxGroups } from "../../../lib/accounts/user.ts";
import { TableStore } from "../../../lib/store/memory/table_store.ts";
import { userOf } from "../../support/store/records.ts";

const now = 1_795_343_739_123;
const options = { login: "alice", name: "git", now };

Deno.test("createAppPassword() makes 144 random bits, and never the same ones", () => {
  const made = Array.from({ length: 1_000 }, () => createAppPassword(options));
  assertEquals(new Set(made.flatMap(({ password, credential: { id, key } }) => [password, id, key])).size, 3_000);
  for (const { password } of made) assertMatch(password, appPasswordPattern);
  const random = made.map(({ password }) => Uint8Array.fromBase64(password.slice(3), { alphabet: "base64url" }));
  assertEquals(new Set(random.map(({ length }) => 8 * length)), new Set([144]));
  // Each bit is set in about half of them.
  for (let bit = 0; bit < 144; bit++) {
    const count = random.filter((bytes) => ((bytes[bit >> 3] ?? 0) >> (bit & 7)) & 1).length;
    assertEquals(count > 400 && count < 600, true, `bit ${bit}: ${count}`);
  }
});

Deno.test("createAppPassword() fits the most groups of the longest names into a record", () => {
  const groups = Array.from({ length: maxGroups }, (_, index) => `${index}`.padStart(32, "g"));
  const { credential } = createAppPassword({ ...options, groups });
  assertEquals([credential.secret.length < 2_048, credential.createdAt, credential.lastUsedAt], [true, now, 0]);
  assertEquals(allowedGroups(["users", ...groups, "other"], credential), groups);
});

Deno.test("findAppPassword() hashes and looks up only a text of the right form", async () => {
  const asked: string[] = [];
  class AskedStore extends TableStore {
    override findCredential(...[kind, key]: Parameters<TableStore["findCredential"]>) {
      asked.push(key);
      return super.findCredential(kind, key);
    }
  }
  const store = new AskedStore();
  const { password, credential: { key } } = createAppPassword(options);
  for (const text of ["", "x".repeat(10_000), `${password}A`, password.slice(1), password]) {
    await findAppPassword({ login: "alice", password: text }, store);
  }
  assertEquals(asked, [key]);
});

Deno.test("findAppPassword() finds one of this login, of this text, of an enabled user", async () => {
  const store = new TableStore();
  const alice = userOf("alice");
  await store.insertUser(alice);
  const { password, credential } = createAppPassword(options);
  assertEquals(await store.insertCredentials(alice, [credential]), "done");
  const find = async (login: string, text: string) => (await findAppPassword({ login, password: text }, store))?.user;
  assertEquals(await find("alice", password), alice);
  for (
    const [login, text] of [
      ["bob", password],
      ["alice", `${password} `],
      ["alice", password.slice(0, -1)],
      ["alice", password.toUpperCase()],
      ["alice", credential.key],
      ["alice", ""],
    ] as const
  ) {
    assertEquals(await find(login, text), undefined, `${login} ${text}`);
  }
  assertEquals(await store.replaceUser(alice, { ...alice, disabled: true }), "done");
  assertEquals(await find("alice", password), undefined);
});

Deno.test("createRecoveryCodes() returns ten different codes, and credentials that hold only their hashes", () => {
  const { credentials, codes } = createRecoveryCodes("alice", 5);
  assertEquals([new Set(codes).size, credentials.length], [10, 10]);
  for (const [index, code] of codes.entries()) {
    const { id, ...rest } = credentials[index] ?? { id: "" };
    assert(recoveryCodePattern.test(code), code);
    const key = hash("sha256", code.replaceAll("-", ""), "hex");
    const common = { login: "alice", kind: "recovery", name: "", createdAt: 5, lastUsedAt: 0 };
    assertEquals<unknown>(rest, { ...common, key, secret: "", counter: 0, signCount: 0 });
    assertEquals(id.length, 26);
  }
});

Deno.test("recoveryCodeKey() ignores case, blanks and hyphens, and reads digits as the letters they look like", () => {
  const key = recoveryCodeKey("MZXW-6YTB-OI5X-GYLS-NFXG-O4TB");
  for (
    const code of ["mzxw6ytboi5xgylsnfxgo4tb", " MZXW 6YTB OI5X GYLS NFXG O4TB\n", "MZXW-6YT8-015X-GYLS-NFXG-04T8"]
  ) {
    assertEquals(recoveryCodeKey(code), key);
  }
  assertNotEquals(recoveryCodeKey("MZXW-6YTB-OI5X-GYLS-NFXG-O4TC"), key);
});
