import { assertEquals, assertFalse, assertStrictEquals, assertThrows } from "@std/assert";
import { createPasswordStrength } from "../../../lib/passwords/weakness.ts";
import { HttpError } from "../../../lib/http/http.ts";
import { maxLoginLength, maxPasswordBytes } from "../../../lib/accounts/user.ts";
import {
  parseLogin,
  parsePasswordChange,
  parseRegistration,
  requireGoodPassword,
} from "../../../lib/accounts/request_schemas.ts";

const rules = { minLength: 15, passwordStrength: createPasswordStrength() };
/** 17 characters, 17 bytes. */
const password = "wJ4-qLm9zVt2xRs,!";

/** The code, and pointer and code of each field, that a function refuses with. */
function refusalOf(parse: () => unknown): unknown {
  const error = assertThrows(parse, HttpError);
  return [error.code, ...(error.errors ?? []).map(({ pointer, code }) => `${pointer} ${code}`)];
}

const longest = "l".repeat(64);
const goodLogins: readonly string[] = [
  ..."az09",
  ..."alice 4711 a.b_c-d+e@example.org a@ a+ a- a. a_ 0x a..b--c".split(" "),
  longest,
];

Deno.test("parseRegistration() takes a good login and password", () => {
  assertEquals([maxLoginLength, longest.length], [64, 64]);
  for (const login of goodLogins) {
    assertEquals(parseRegistration({ login, password }, rules), { login, password, ticket: undefined });
  }
});

Deno.test("parseRegistration() takes capitals for small letters", () => {
  const { login } = parseRegistration({ login: "Alice@Example.ORG", password }, rules);
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

Deno.test("parseRegistration() refuses a bad login", () => {
  for (const [login, ...codes] of badLogins) {
    const refusal = refusalOf(() => parseRegistration({ login, password }, rules));
    assertEquals(refusal, ["invalid-user", ...codes.map((code) => `/login ${code}`)], JSON.stringify(login));
  }
});

/** So many different code points of four bytes each, in no order that anyone would guess. */
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
  Deno.test(`parseRegistration() ${code === undefined ? "takes" : "refuses"} a password of ${title}`, () => {
    const parse = () => parseRegistration({ login: "Alice", password: text }, rules);
    if (code !== undefined) assertEquals(refusalOf(parse), ["invalid-user", `/password ${code}`]);
    else assertStrictEquals(parse().password, text);
  });
}

Deno.test("parseRegistration() allows passwords of at most 1,024 bytes", () => {
  assertEquals(maxPasswordBytes, 1_024);
});

Deno.test("parseRegistration() asks for the length that is set, and says how long the password is", () => {
  for (const minLength of [8, 15, 17]) {
    assertEquals(parseRegistration({ login: "alice", password }, { ...rules, minLength }).password, password);
  }
  const parse = () => parseRegistration({ login: "alice", password }, { ...rules, minLength: 18 });
  const detail = "It must have at least 18 characters and has 17";
  assertEquals(assertThrows(parse, HttpError).errors, [
    { pointer: "/password", code: "too-short", limit: 18, detail },
  ]);
});

Deno.test("parseRegistration() tells why a password is easily guessed, in no more words than needed", () => {
  const parse = () => parseRegistration({ login: "alice", password: "passwordpassword" }, rules);
  const detail = "It is easily guessed: it repeats itself";
  assertEquals(assertThrows(parse, HttpError).errors, [
    { pointer: "/password", code: "guessable", reason: "repeat", detail },
  ]);
});

/** Bodies that neither a registration nor a login can be. */
const badBodies: readonly (readonly [title: string, body: unknown, ...errors: string[]])[] = [
  ["null", null, " not-object"],
  ["an array", [{ login: "alice", password }], " not-object"],
  ["an empty array", [], " not-object"],
  ["text", "alice", " not-object"],
  ["a number", 1, " not-object"],
  ["true", true, " not-object"],
  ["nothing", undefined, " not-object"],
  ["no field", {}, "/login missing", "/password missing"],
  ["no login", { password }, "/login missing"],
  ["no password", { login: "alice" }, "/password missing"],
  ["null in both", { login: null, password: null }, "/login not-text", "/password not-text"],
  ["numbers", { login: 1, password: 2 }, "/login not-text", "/password not-text"],
  ["a list and an object", { login: ["alice"], password: { a: 1 } }, "/login not-text", "/password not-text"],
  ["false and true", { login: false, password: true }, "/login not-text", "/password not-text"],
  ["a lone high surrogate", { login: "al\ud800", password }, "/login not-unicode"],
  ["a lone low surrogate", { login: "alice", password: `${password}\udc00` }, "/password not-unicode"],
  [
    "surrogates in the wrong order",
    { login: "alice", password: `\ude00\ud83d${password}` },
    "/password not-unicode",
  ],
  ["an unknown field", { login: "alice", password, admin: true }, "/admin unknown-field"],
  ["an unknown field with null", { login: "alice", password, admin: null }, "/admin unknown-field"],
  ["a field in capitals", { Login: "alice", password }, "/Login unknown-field", "/login missing"],
  ["an empty name", { login: "alice", password, "": 1 }, "/ unknown-field"],
  [
    "names that a pointer escapes",
    { login: "alice", password, "a/b~c~1/": 1 },
    "/a~1b~0c~01~1 unknown-field",
  ],
  ["everything at once", { x: 1, login: 7 }, "/x unknown-field", "/login not-text", "/password missing"],
  [
    "names that every object knows",
    JSON.parse('{"__proto__":{"login":"alice","password":"x"},"constructor":1,"toString":2}'),
    ...["/__proto__ unknown-field", "/constructor unknown-field", "/toString unknown-field"],
    ...["/login missing", "/password missing"],
  ],
];
for (const [title, body, ...errors] of badBodies) {
  Deno.test(`parseRegistration() and parseLogin() refuse ${title}`, () => {
    assertEquals(refusalOf(() => parseRegistration(body, rules)), ["invalid-user", ...errors]);
    assertEquals(refusalOf(() => parseLogin(body)), ["invalid-credentials", ...errors]);
  });
}

Deno.test("parseRegistration() tells all bad fields at once", () => {
  const body = { login: "älice", password: "short", cookie: true };
  const errors = ["/cookie unknown-field", "/login invalid-characters", "/password too-short"];
  assertEquals(refusalOf(() => parseRegistration(body, rules)), ["invalid-user", ...errors]);
  const withoutLogin = { login: 1, password: "passwordpassword" };
  const both = ["/login not-text", "/password guessable"];
  assertEquals(refusalOf(() => parseRegistration(withoutLogin, rules)), ["invalid-user", ...both]);
});

Deno.test("parseRegistration() tells six unknown fields, and refuses however many there are", () => {
  const names = Array.from({ length: 1_000 }, (_, index) => `field${index}`);
  const body = { ...Object.fromEntries(names.map((name) => [name, 1])), login: "alice", password };
  const errors = names.slice(0, 6).map((name) => `/${name} unknown-field`);
  assertEquals(refusalOf(() => parseRegistration(body, rules)), ["invalid-user", ...errors]);
});

Deno.test("parseRegistration() names the known fields, and never repeats what was in a field", () => {
  const secret = "hunter2";
  const body = { login: `${secret}:`, password: secret, more: secret };
  const { errors, message } = assertThrows(() => parseRegistration(body, rules), HttpError);
  assertEquals(errors?.[0]?.detail, "Known are login, password, ticket");
  assertFalse(JSON.stringify([errors, message]).includes(secret));
});

Deno.test("parseRegistration() and parseLogin() tell people what a field must be", () => {
  const cases: readonly (readonly [parse: () => unknown, ...details: string[]])[] = [
    [() => parseLogin([]), "The body must be an object"],
    [() => parseLogin({ x: 1, login: "", password: "" }), "Known are login, password, cookie"],
    [() => parseLogin({ login: 1, password: "\ud800" }), "It must be text", "It must be valid Unicode"],
    [() => parseLogin({ login: "", cookie: 1 }), "It must be there", "It must be true or false"],
    [() => parseRegistration({ login: "", password }, rules), "It must have at least 1 character"],
    [
      () => parseRegistration({ login: `${longest}!`, password: "x".repeat(1_025) }, rules),
      "It must have at most 64 characters",
      "It must be made of a-z 0-9 . _ - @ + and begin with a letter or digit",
      "It must have at most 1024 bytes of UTF-8",
    ],
  ];
  for (const [parse, ...details] of cases) {
    assertEquals(assertThrows(parse, HttpError).errors?.map(({ detail }) => detail), details);
  }
});

Deno.test("parseLogin() takes whatever text may have been registered, and more: the uniform answer is for the rest", () => {
  const rows: readonly (readonly [login: string, password: string])[] = [
    ["alice", password],
    ["", ""],
    ["al:ice\0", "short"],
    ["l".repeat(5_000), "x".repeat(10_000)],
    ["\u212aelvin", "passwordpassword"],
    ["alice", "cafe\u0301"],
  ];
  for (const [login, given] of rows) {
    assertEquals(parseLogin({ login, password: given }), { login, password: given, cookie: false });
  }
  assertEquals(parseLogin({ login: "ALICE", password }).login, "alice");
});

Deno.test("parseLogin() takes true and false for `cookie`, and false when it is not there", () => {
  const credentials = { login: "alice", password };
  assertEquals(parseLogin({ ...credentials, cookie: true }).cookie, true);
  assertEquals(parseLogin({ ...credentials, cookie: false }).cookie, false);
  assertEquals(parseLogin(credentials).cookie, false);
  for (const cookie of [null, 0, 1, "", "true", [], {}]) {
    const refusal = refusalOf(() => parseLogin({ ...credentials, cookie }));
    assertEquals(refusal, ["invalid-credentials", "/cookie not-boolean"], JSON.stringify(cookie));
  }
  const all = ["/x unknown-field", "/login missing", "/password not-text", "/cookie not-boolean"];
  assertEquals(refusalOf(() => parseLogin({ x: 1, password: 1, cookie: 1 })), [
    "invalid-credentials",
    ...all,
  ]);
});

Deno.test("parseRegistration() takes a ticket as it is, and refuses one that is no text", () => {
  const body = { login: "alice", password };
  for (const ticket of ["", " x ", "t".repeat(5_000)]) {
    assertEquals(parseRegistration({ ...body, ticket }, rules).ticket, ticket);
  }
  for (const ticket of [null, 1, ["x"]]) {
    assertEquals(refusalOf(() => parseRegistration({ ...body, ticket }, rules)), ["invalid-user", "/ticket not-text"]);
  }
});

Deno.test("parsePasswordChange() takes the present password or a ticket, never both", () => {
  const parse = (body: unknown) => parsePasswordChange(body);
  const byPassword = { password, currentPassword: "", ticket: undefined };
  assertEquals(parse({ password, current_password: "" }), byPassword);
  assertEquals(parse({ password, ticket: "x" }), { password, ticket: "x" });
  const both = { password, ticket: "x", current_password: "y" };
  assertEquals(refusalOf(() => parse(both)), ["invalid-user", "/current_password unknown-field"]);
  // Who may set it is asked before it is judged.
  const guessable = { password: "Alice-Vk9-qTz4.Lm2", ticket: "x" };
  assertEquals(parse(guessable), guessable);
  const judge = (password: string) => requireGoodPassword(password, "alice", rules);
  assertEquals(refusalOf(() => judge(guessable.password)), ["invalid-user", "/password guessable"]);
  judge(password);
});
