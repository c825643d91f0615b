/** The strength meter of the page rates passwords as the service does. */
import { assert, assertEquals } from "@std/assert";
import { createPasswordStrength, passwordErrors } from "../../../lib/accounts/user.ts";
import type { PasswordStrength } from "../../../lib/passwords/password_strength.js";
import { openTestApp } from "../../support/app.ts";

/** The check of the page, of the modules that the service serves. */
async function openServed(): Promise<PasswordStrength> {
  const { send } = await openTestApp();
  const [{ PasswordStrength }, zxcvbn] = await Promise.all(
    ["password_strength.js", "zxcvbn.js"].map(async (name) => {
      const { text } = await send("GET", `/page/${name}`);
      const url = URL.createObjectURL(new Blob([text], { type: "text/javascript" }));
      using _url = { [Symbol.dispose]: () => URL.revokeObjectURL(url) };
      return await import(url);
    }),
  );
  return new PasswordStrength(zxcvbn.default);
}

const minLength = 15;
const passwords = [
  "",
  "a",
  "mellow-otter-41-lantern",
  "seven purple wombats sing",
  "qwertyuiopasdfgh",
  "qwertyuiopasdfghjklzxcvbnm123456",
  "dragonmonkeyqwerty",
  "g4t3h0us3g4t3h0us3",
  "correcthorsebatterystaple",
  "aaaaaaaaaaaaaaaaaaaa",
  "abcdefghijklmnopqrstuvwxyz",
  "ALICE is in wonderland today",
  "the Gatehouse keeper 1999",
  "22.11.2026 22.11.2026",
  "1999200020012002",
  "p4ssw0rdp4ssw0rdp4ssw0rd",
  "correct horse battery staple",
  "пароль пароль пароль",
  "пароль123456789",
  "123456парольdragonqwerty",
  "ЙЦУКЕНгшщзхъфывапролджэ",
  "семь лиловых вомбатов поют",
  "e\u0301te\u0301 a\u0300 la plage, vraiment",
  `${"a".repeat(32)}mellow-otter-41-lantern`,
  "🦦🏮🦦🏮🦦🏮🦦🏮",
];

Deno.test("PasswordStrength.rate() says what the service says, and calls good what the service takes", async () => {
  const [strength, passwordStrength] = [await openServed(), createPasswordStrength()];
  for (const login of ["alice", "bo", ""]) {
    for (const password of passwords) {
      const { level, missing, weakness } = strength.rate(password, { login, minLength });
      const errors = passwordErrors({ login, password }, { minLength, passwordStrength });
      const what = JSON.stringify({ password, login });
      assertEquals(weakness, passwordStrength.weaknessOf(password, login), what);
      assertEquals(missing === 0, errors[0]?.code !== "too-short", what);
      assertEquals(level >= 3, errors.length === 0, what);
    }
  }
});

Deno.test("PasswordStrength.rate() counts code points of the composed spelling that are missing", async () => {
  const strength = await openServed();
  const missing = ["", "abcde", "e\u0301e\u0301", "🦦🦦", "mellow-otter-41-lantern"].map((password) =>
    strength.rate(password, { login: "alice", minLength }).missing
  );
  assertEquals(missing, [15, 10, 13, 13, 0]);
});

Deno.test("PasswordStrength.rate() takes no longer for a long password", async () => {
  const strength = await openServed();
  strength.rate("warm up, please", { login: "", minLength });
  const start = performance.now();
  strength.rate("p4ssw0rd".repeat(128), { login: "alice", minLength });
  // 1,024 characters as a whole would take a minute.
  assert(performance.now() - start < 1_000);
});
