/** The page judges passwords as the service does, by what it is served. */
import { assert, assertEquals } from "@std/assert";
import { PasswordStrength } from "../../../lib/passwords/password_strength.ts";
import { passwordErrors } from "../../../lib/accounts/user.ts";
import { Strength } from "../../../routes/page/strength.js";
import { openTestApp } from "../../support/app.ts";

/** The judge of the page, of the module that is served. */
async function openServed(): Promise<Strength> {
  const { send } = await openTestApp();
  const { text } = await send("GET", "/page/zxcvbn.js");
  const url = URL.createObjectURL(new Blob([text], { type: "text/javascript" }));
  const module = await import(url);
  URL.revokeObjectURL(url);
  return new Strength(module.default);
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

Deno.test("Strength.judge() says what the service says, and calls good what the service takes", async () => {
  const [strength, passwordStrength] = [await openServed(), new PasswordStrength()];
  for (const login of ["alice", "bo", ""]) {
    for (const password of passwords) {
      const { level, missing, reason } = strength.judge(password, login, minLength);
      const errors = passwordErrors(password, login, { minLength, passwordStrength });
      const what = JSON.stringify({ password, login });
      assertEquals(reason, passwordStrength.weaknessOf(password, login), what);
      assertEquals(missing === 0, errors[0]?.code !== "too-short", what);
      assertEquals(level >= 3, errors.length === 0, what);
    }
  }
});

Deno.test("Strength.judge() counts code points of the composed spelling that are missing", async () => {
  const strength = await openServed();
  const missing = ["", "abcde", "e\u0301e\u0301", "🦦🦦", "mellow-otter-41-lantern"].map((password) =>
    strength.judge(password, "alice", minLength).missing
  );
  assertEquals(missing, [15, 10, 13, 13, 0]);
});

Deno.test("Strength.judge() takes no longer for a long password", async () => {
  const strength = await openServed();
  strength.judge("warm up, please", "", minLength);
  const start = performance.now();
  strength.judge("p4ssw0rd".repeat(128), "alice", minLength);
  // 1,024 characters as a whole would take a minute.
  assert(performance.now() - start < 1_000);
});
