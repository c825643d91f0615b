import { assertEquals } from "@std/assert";
import * as core from "@zxcvbn-ts/core";
import * as languageCommon from "@zxcvbn-ts/language-common";
import { createPasswordStrength } from "../../../lib/accounts/user.ts";
import { PasswordStrength } from "../../../lib/passwords/password_strength.js";

const passwordStrength = createPasswordStrength();

const repeat = "repeat";
const common = "common";
const refused: readonly (readonly [password: string, reason: string])[] = [
  ["aaaaaaaaaaaaaaaaaaaa", repeat],
  ["passwordpassword1", repeat],
  ["letmeinletmein", repeat],
  ["Ab1!Ab1!Ab1!Ab1!", repeat],
  ["\u{1f600}".repeat(16), repeat],
  ["abcdefghijklmnopqrst", "sequence"],
  ["qwertyuiopasdfghjkl", common],
  ["iloveyou", common],
  ["987654321987654", common],
  ["p@55w0rd1", common],
  ["PASSWORD", common],
  ["poiuytgb", "keyboard"],
  ["13.04.1988", "date"],
  ["2001", "year"],
  ["zxkqjvph", "short"],
  ["", "short"],
];

Deno.test("PasswordStrength.weaknessOf() says why a password is easily guessed", () => {
  for (const [password, reason] of refused) {
    assertEquals(passwordStrength.weaknessOf(password, "alice"), reason, password);
  }
});

const accepted: readonly string[] = [
  "correct horse battery staple",
  "correcthorsebatterystaple",
  "purple dragon monkey soup",
  "wJ4-qLm9zVt2xRs",
  "ten quiet walruses",
  "Ångström und Öl, bitte",
  "собака ест мыло по утрам",
  "犬は毎朝石鹸を食べますよね",
  // One character more than what is too short.
  "zxkqjvphw",
  // What an object has by itself is no dictionary.
  "constructor toString valueOf",
  "__proto__ hasOwnProperty",
];

Deno.test("PasswordStrength.weaknessOf() accepts passwords that are hard to guess", () => {
  for (const password of accepted) {
    assertEquals(passwordStrength.weaknessOf(password, "alice"), undefined, password);
  }
});

/** Long, and made of a few things that come to anybody's mind. */
const silly: readonly string[] = [
  "qwertyuiopasdfghjklzxcvbnm123456",
  "qwertyuiopasdfghjklzxcvbnm",
  "QWERTYUIOPASDFGHJKLZXCVBNM",
  "poiuytrewqlkjhgfdsamnbvcxz",
  "1234567890qwertyuiop",
  "1qaz2wsx3edc4rfv5tgb",
  "1q2w3e4r5t6y7u8i9o0p",
  "Qwertyuiop[]asdfghjkl;'",
  "!@#$%^&*()_+!@#$",
  "abcdefghijklmnopqrstuvwxyz",
  "zyxwvutsrqponmlkjihgfedcba",
  "abcdefgh12345678",
  "1234567890123456",
  "01234567890123456789",
  "111222333444555666",
  "aaaabbbbccccdddd",
  "aaaaaaaaaaaaaaaa",
  "abcabcabcabcabcabc",
  "passwordpassword1",
  "password1234567890",
  "Password123456789!",
  "P@$$w0rdP@$$w0rd1",
  "iloveyou123456789",
  "monkey monkey monkey",
  "dragonmonkeyqwerty",
  "superman batman",
  "abcd1234abcd1234",
  "alicealicealice",
  "4l1c34l1c34l1c3",
  "g4t3h0us3g4t3h0us3",
];

Deno.test("PasswordStrength.weaknessOf() refuses long and silly passwords, however many parts they have", () => {
  assertEquals(silly.filter((password) => passwordStrength.weaknessOf(password, "alice") === undefined), []);
});

Deno.test("PasswordStrength.weaknessOf() checks Russian letters by the keys of an English keyboard too", () => {
  const rows: readonly (readonly [password: string, reason: string | undefined])[] = [
    ["йцукенгшщзхъфывапролджэ", "keyboard"],
    ["ЙЦУКЕНгшщзхъ12345", "keyboard"],
    ["пароль123456789", common],
    ["123456парольdragonqwerty", common],
    ["приветпривет123", repeat],
    ["абвгдежзийклмнопрст", "sequence"],
    ["рстуфхиыеонм", "sequence"],
    ["лкйизжыйгшккуд", common],
    ["12ю04ю1988", "date"],
    ["ёлка над рекой, туман", undefined],
  ];
  for (const [password, reason] of rows) assertEquals(passwordStrength.weaknessOf(password, "alice"), reason, password);
});

Deno.test("PasswordStrength.weaknessOf() makes one estimate of Russian letters too: one takes milliseconds", () => {
  let count = 0;
  class Counting extends core.ZxcvbnFactory {
    override check(...args: Parameters<core.ZxcvbnFactory["check"]>) {
      count++;
      return super.check(...args);
    }
  }
  const counted = new PasswordStrength({
    core: { ...core, ZxcvbnFactory: Counting },
    "language-common": languageCommon,
  });
  for (const password of ["ёлка над рекой, туман", "ten quiet walruses"]) counted.weaknessOf(password, "alice");
  assertEquals(count, 2);
});

Deno.test("PasswordStrength.weaknessOf() refuses the login and the service's name inside a password", () => {
  const inside = "login";
  const rows: readonly (readonly [password: string, login: string, reason: string | undefined])[] = [
    ["ten quiet alice walruses", "alice", inside],
    ["ten quiet ALICE walruses", "alice", inside],
    ["tenquietaliceswalruses", "alice", inside],
    ["ten quiet walruses alice", "alice", inside],
    ["ten quiet alic walruses", "alice", undefined],
    ["ten quiet walruses and bobs", "bobs", inside],
    // Three characters are inside many an innocent word.
    ["ten quiet bobsleds race", "bob", undefined],
    ["ten quiet walruses", "", undefined],
    ["any al@example.org fish", "al@example.org", inside],
    ["ten quiet GateHouse walruses", "alice", "service-name"],
    ["ten quiet gate house walruses", "alice", undefined],
    // Behind what is otherwise judged.
    [`${"ten quiet walruses eat nine loud sardines"} alice`, "alice", inside],
    [
      `${"ten quiet walruses eat nine loud sardines"} gatehouse`,
      "alice",
      "service-name",
    ],
  ];
  for (const [password, login, reason] of rows) {
    assertEquals(passwordStrength.weaknessOf(password, login), reason, `${password} of ${login}`);
  }
});

Deno.test("PasswordStrength.weaknessOf() counts a short login as known to an attacker", () => {
  assertEquals(passwordStrength.weaknessOf("7xqz12.03.1987", "xqz"), "date");
  assertEquals(passwordStrength.weaknessOf("7xqz12.03.1987", "nob"), undefined);
  assertEquals(passwordStrength.weaknessOf("7xqz12.03.1987", "xqz"), "date");
});

Deno.test("PasswordStrength.weaknessOf() checks the composed spelling", () => {
  // In NFD each is two characters, a letter and an accent, which repeat in no simple way.
  const composed = "\u00e9".repeat(20);
  assertEquals(passwordStrength.weaknessOf(composed.normalize("NFD"), "alice"), repeat);
  assertEquals(passwordStrength.weaknessOf("ten quiet caf\u0065\u0301s", "caf\u00e9"), "login");
});

Deno.test("PasswordStrength.weaknessOf() checks the first 32 characters only", () => {
  const hard = "wJ4-qLm9zVt2xRs";
  assertEquals(passwordStrength.weaknessOf("a".repeat(32) + hard, "alice"), repeat);
  assertEquals(passwordStrength.weaknessOf("a".repeat(32 - hard.length) + hard, "alice"), undefined);
  assertEquals(passwordStrength.weaknessOf(hard + "a".repeat(1_000), "alice"), undefined);
});
