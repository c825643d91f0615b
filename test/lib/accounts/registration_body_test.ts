/** Which logins and passwords a registration may have, and how the errors name the fields. */
import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { HttpError } from "../../../lib/http/http_error.ts";
import { maxLoginLength, maxPasswordBytes } from "../../../lib/accounts/user.ts";
import { registrationBody } from "../../../lib/accounts/request_schemas.ts";
import { longest, password, refusalOf, rules } from "../../support/request_schemas.ts";

const goodLogins: readonly string[] = [
  ..."az09",
  ..."alice 4711 a.b_c-d+e@example.org a@ a+ a- a. a_ 0x a..b--c".split(" "),
  longest,
];

Deno.test("registrationBody.parse() takes a good login and password", () => {
  assertEquals([maxLoginLength, longest.length], [64, 64]);
  for (const login of goodLogins) {
    assertEquals(registrationBody.parse({ login, password }, rules), { login, password });
  }
});

Deno.test("registrationBody.parse() reads capitals in a login as lower case", () => {
  const { login } = registrationBody.parse({ login: "Alice@Example.ORG", password }, rules);
  assertEquals(login, "alice@example.org");
});

const badLogins: readonly (readonly [login: string, ...errors: string[]])[] = [
  ["", "too-short"],
  [`${longest}l`, "too-long"],
  [`${longest}!`, "too-long", "invalid-characters"],
  ...[
    ...[".alice", "_alice", "-alice", "@alice", "+alice"],
    ...["al ice", " alice", "alice ", "alice\n", "\nalice", "alice\0", "\0", "a\tb", "a\u00a0b", "a\u200bb"],
    ...[
      "al:ice",
      "al/ice",
      "al\\ice",
      "al%41",
      "al?",
      "al#",
      "al,ice",
      "al;ice",
      'al"ice',
      "al'ice",
      "<al>",
      "al=",
      "~",
    ],
    ...["älice", "аlice", "ａlice", "alicе", "١٢", "alice\u0301", "\u{1f600}", "\u017f"],
    // The Kelvin sign, as first, inner and last letter.
    ...["\u212a", "\u212aelvin", "a\u212a", "mar\u212aus"],
  ].map((login) => [login, "invalid-characters"] as const),
];

Deno.test("registrationBody.parse() refuses a bad login", () => {
  for (const [login, ...codes] of badLogins) {
    const refusal = refusalOf(() => registrationBody.parse({ login, password }, rules));
    assertEquals(refusal, ["invalid-user", ...codes.map((code) => `/login ${code}`)], JSON.stringify(login));
  }
});

/** Different code points of four bytes each, in an order that is hard to guess. */
function astral(count: number): string {
  return Array.from({ length: count }, (_, index) => String.fromCodePoint(0x1f300 + index * index * 7 % 640))
    .join("");
}

// U+0390 is one code point of 2 bytes in NFC and three of 6 bytes in NFD.
const greek = (count: number) => "\u0390".repeat(count).normalize("NFD");
const passwords: readonly (readonly [title: string, password: string, code: string | undefined])[] = [
  ["15 characters", password.slice(0, 15), undefined],
  ["14 characters", password.slice(0, 14), "too-short"],
  ["none", "", "too-short"],
  ["15 code points of two UTF-16 units", astral(15), undefined],
  ["14 code points of two UTF-16 units", astral(14), "too-short"],
  ["15 letters that are 30 code points in NFD", "áćéǵíḱĺńóṕŕśúẃý".normalize("NFD"), undefined],
  ["14 letters that are 28 code points in NFD", "áćéǵíḱĺńóṕŕśúẃ".normalize("NFD"), "too-short"],
  ["1,024 bytes", password + "x".repeat(1_024 - 17), undefined],
  ["1,025 bytes", password + "x".repeat(1_025 - 17), "too-long"],
  ["1,024 bytes of fewer characters", password + "x" + "ü".repeat(503), undefined],
  ["1,025 bytes of fewer characters", password + "ü".repeat(504), "too-long"],
  ["1,023 bytes in NFC that are 3,035 in NFD", password + greek(503), undefined],
  ["1,025 bytes in NFC", password + greek(504), "too-long"],
  ["16 KiB of accents", "\u0301".repeat(8_192), "too-long"],
  ["16 KiB of accents in no order", "\u0301\u0323".repeat(4_096), "too-long"],
  ["a letter and 4,096 accents", `${password}${"\u0301".repeat(4_096)}`, "too-long"],
  ["spaces at both ends, and what joins letters", "  wJ4-qLm9\u00a0zV\u200dt  ", undefined],
  ["what everyone guesses", "passwordpassword", "guessable"],
  ["the login", "ten quiet alice walruses", "guessable"],
  ["the login in capitals", "ten quiet ALICE walruses", "guessable"],
  ["a tab", "correct horse\tbattery", "control-characters"],
  ["a line break", "correct horse battery\n", "control-characters"],
  ["NULs that make it long enough", "8 chars.\0\0\0\0\0\0\0", "control-characters"],
  ["a control character of Latin-1", "correct horse battery\x85", "control-characters"],
  ["31 marks in a row", `correct horse battery${"\u0301".repeat(31)}`, "too-many-marks"],
  ["30 marks in a row", `correct horse battery${"\u0301".repeat(30)}`, undefined],
  ["5,000 control characters", "\t".repeat(5_000), "too-long"],
  ["the service's name", "ten quiet Gatehouse walruses", "guessable"],
];
for (const [title, text, code] of passwords) {
  Deno.test(`registrationBody.parse() ${code === undefined ? "takes" : "refuses"} a password of ${title}`, () => {
    const parse = () => registrationBody.parse({ login: "Alice", password: text }, rules);
    if (code !== undefined) assertEquals(refusalOf(parse), ["invalid-user", `/password ${code}`]);
    else assertStrictEquals(parse().password, text);
  });
}

Deno.test("registrationBody.parse() allows passwords of at most 1,024 bytes", () => {
  assertEquals(maxPasswordBytes, 1_024);
});

Deno.test("registrationBody.parse() requires the length of the settings, and tells the length of the password", () => {
  for (const minLength of [8, 15, 17]) {
    assertEquals(registrationBody.parse({ login: "alice", password }, { ...rules, minLength }).password, password);
  }
  const parse = () => registrationBody.parse({ login: "alice", password }, { ...rules, minLength: 18 });
  const detail = "Must have at least 18 characters. It has 17.";
  assertEquals(assertThrows(parse, HttpError).errors, [
    { pointer: "/password", code: "too-short", limit: 18, detail },
  ]);
});

Deno.test("registrationBody.parse() tells why a password is easy to guess", () => {
  const parse = () => registrationBody.parse({ login: "alice", password: "passwordpassword" }, rules);
  const detail = "Easy to guess: it repeats itself.";
  assertEquals(assertThrows(parse, HttpError).errors, [
    { pointer: "/password", code: "guessable", reason: "repeat", detail },
  ]);
});
