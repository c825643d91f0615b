/** Logging in with a hash that another program made. */
import { assertEquals, assertFalse, assertMatch } from "@std/assert";
import { parseStoredHash, wrapHash } from "../../lib/passwords/stored_hash.ts";
import { openTestApp } from "../support/app.ts";
import { userOf } from "../support/login_attempt.ts";
import { cheapVectors, type Vector } from "../support/passwords/vectors.ts";

for (const [by, vectors] of Map.groupBy(cheapVectors, ({ by }) => by)) {
  Deno.test(`logIn() accepts the password of ${by}, and hashes it again`, () => logInTwice(vectors));
}

async function logInTwice(vectors: readonly Vector[]): Promise<void> {
  const { app, send, lines } = await openTestApp();
  for (const [index, { password, hash }] of vectors.entries()) {
    const login = `user${index}`;
    const logIn = async (password: string) => (await send("POST", "/session/", { json: { login, password } })).status;
    const passwordHash = parseStoredHash(hash).isFast ? await wrapHash(hash, app.hasher.scheme) : hash;
    const user = {
      id: `01M81Q8R1S09CHZ85XEV6WDC${String(index).padStart(2, "0")}`,
      login,
      passwordHash,
      registeredAt: 0,
      groups: [],
    };
    await app.store.insertRecords([{ kind: "user", record: { ...user, disabled: false } }]);

    assertEquals(await logIn(`!${password}`), 401);
    assertEquals((await userOf(app.store, login)).passwordHash, passwordHash);
    assertEquals(await logIn(password), 201);
    const rehashed = (await userOf(app.store, login)).passwordHash;
    assertMatch(rehashed, /^\$pbkdf2-sha256\$i=100\$[^$]{22}\$[^$]{43}$/);
    assertEquals([await logIn(password), await logIn(`!${password}`)], [201, 401]);
    assertEquals((await userOf(app.store, login)).passwordHash, rehashed);

    assertFalse(lines.some((line) => line.includes(hash.slice(-15)) || line.includes(passwordHash.slice(-15))));
  }
}

Deno.test("logIn() refuses a disabled user with a foreign hash, and a hash that cannot be verified", async () => {
  const { app, send } = await openTestApp();
  const [{ password, hash }] = cheapVectors as readonly [Vector];
  const wrapped = await wrapHash(hash, app.hasher.scheme);
  const rows = [["disabled", wrapped, true], ["locked", "!", false], ["yescrypt", "$y$j9T$salt$hash", false]] as const;
  for (const [index, [login, passwordHash, disabled]] of rows.entries()) {
    const user = {
      id: `01M81Q8R1S09CHZ85XEV6WDCY${index}`,
      login,
      passwordHash,
      registeredAt: 0,
      groups: [],
      disabled,
    };
    await app.store.insertRecords([{ kind: "user", record: user }]);
    assertEquals((await send("POST", "/session/", { json: { login, password } })).status, 401);
    assertEquals((await userOf(app.store, login)).passwordHash, passwordHash);
  }
});
