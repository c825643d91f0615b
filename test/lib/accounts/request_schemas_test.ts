import { assertEquals, assertFalse, assertStrictEquals, assertThrows } from "@std/assert";
import { createPasswordStrength } from "../../../lib/passwords/weakness.ts";
import { HttpError } from "../../../lib/http/http_error.ts";
import { maxLoginLength, maxPasswordBytes } from "../../../lib/accounts/user.ts";
import {
  credentialsBody,
  passwordChangeBody,
  registrationBody,
  requireGoodPassword,
  ticketRequestBody,
  userChangeBody,
} from "../../../lib/accounts/request_schemas.ts";

const rules = { minLength: 15, passwordStrength: createPasswordStrength() };
/** 17 characters, 17 bytes. */
const password = "wJ4-qLm9zVt2xRs,!";

/** The code of the problem, and pointer and code of each bad field. */
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

/** Bodies that are neither a registration nor a login. */
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
  Deno.test(`registrationBody.parse() and credentialsBody.parse() refuse ${title}`, () => {
    assertEquals(refusalOf(() => registrationBody.parse(body, rules)), ["invalid-user", ...errors]);
    assertEquals(refusalOf(() => credentialsBody.parse(body)), ["invalid-credentials", ...errors]);
  });
}

Deno.test("registrationBody.parse() lists all bad fields at once", () => {
  const body = { login: "älice", password: "short", cookie: true };
  const errors = ["/cookie unknown-field", "/login invalid-characters", "/password too-short"];
  assertEquals(refusalOf(() => registrationBody.parse(body, rules)), ["invalid-user", ...errors]);
  const withoutLogin = { login: 1, password: "passwordpassword" };
  const both = ["/login not-text", "/password guessable"];
  assertEquals(refusalOf(() => registrationBody.parse(withoutLogin, rules)), ["invalid-user", ...both]);
});

Deno.test("registrationBody.parse() lists at most six unknown fields", () => {
  const names = Array.from({ length: 1_000 }, (_, index) => `field${index}`);
  const body = { ...Object.fromEntries(names.map((name) => [name, 1])), login: "alice", password };
  const errors = names.slice(0, 6).map((name) => `/${name} unknown-field`);
  assertEquals(refusalOf(() => registrationBody.parse(body, rules)), ["invalid-user", ...errors]);
});

Deno.test("registrationBody.parse() lists the known fields, and never repeats a value", () => {
  const secret = "hunter2";
  const body = { login: `${secret}:`, password: secret, more: secret };
  const { errors, message } = assertThrows(() => registrationBody.parse(body, rules), HttpError);
  assertEquals(errors?.[0]?.detail, "Unknown field. Known fields: login, password, ticket.");
  assertFalse(JSON.stringify([errors, message]).includes(secret));
});

Deno.test("registrationBody.parse() and credentialsBody.parse() explain each error in a sentence", () => {
  const cases: readonly (readonly [parse: () => unknown, ...details: string[]])[] = [
    [() => credentialsBody.parse([]), "The body must be an object."],
    [
      () => credentialsBody.parse({ x: 1, login: "", password: "" }),
      "Unknown field. Known fields: login, password, cookie.",
    ],
    [() => credentialsBody.parse({ login: 1, password: "\ud800" }), "Must be text.", "Must be valid Unicode."],
    [() => credentialsBody.parse({ login: "", cookie: 1 }), "Required.", "Must be true or false."],
    [() => registrationBody.parse({ login: "", password }, rules), "Must have at least 1 character."],
    [
      () => registrationBody.parse({ login: `${longest}!`, password: "x".repeat(1_025) }, rules),
      "Must have at most 64 characters.",
      "Must consist of a-z 0-9 . _ - @ + and start with a letter or digit.",
      "Must have at most 1024 bytes of UTF-8.",
    ],
  ];
  for (const [parse, ...details] of cases) {
    assertEquals(assertThrows(parse, HttpError).errors?.map(({ detail }) => detail), details);
  }
});

Deno.test("credentialsBody.parse() accepts any text: an unregistrable one gets the uniform response", () => {
  const rows: readonly (readonly [login: string, password: string])[] = [
    ["alice", password],
    ["", ""],
    ["al:ice\0", "short"],
    ["l".repeat(5_000), "x".repeat(10_000)],
    ["\u212aelvin", "passwordpassword"],
    ["alice", "cafe\u0301"],
  ];
  for (const [login, given] of rows) {
    assertEquals(credentialsBody.parse({ login, password: given }), { login, password: given });
  }
  assertEquals(credentialsBody.parse({ login: "ALICE", password }).login, "alice");
});

Deno.test("credentialsBody.parse() takes true and false for `cookie`, which may be absent", () => {
  const given = { login: "alice", password };
  assertEquals(credentialsBody.parse({ ...given, cookie: true }).cookie, true);
  assertEquals(credentialsBody.parse({ ...given, cookie: false }).cookie, false);
  assertEquals(credentialsBody.parse(given).cookie, undefined);
  for (const cookie of [null, 0, 1, "", "true", [], {}]) {
    const refusal = refusalOf(() => credentialsBody.parse({ ...given, cookie }));
    assertEquals(refusal, ["invalid-credentials", "/cookie not-boolean"], JSON.stringify(cookie));
  }
  const all = ["/x unknown-field", "/login missing", "/password not-text", "/cookie not-boolean"];
  assertEquals(refusalOf(() => credentialsBody.parse({ x: 1, password: 1, cookie: 1 })), [
    "invalid-credentials",
    ...all,
  ]);
});

Deno.test("registrationBody.parse() takes any text as a ticket, and refuses other values", () => {
  const body = { login: "alice", password };
  for (const ticket of ["", " x ", "t".repeat(5_000)]) {
    assertEquals(registrationBody.parse({ ...body, ticket }, rules).ticket, ticket);
  }
  for (const ticket of [null, 1, ["x"]]) {
    assertEquals(refusalOf(() => registrationBody.parse({ ...body, ticket }, rules)), [
      "invalid-user",
      "/ticket not-text",
    ]);
  }
});

Deno.test("passwordChangeBody.parse() takes the current password or a ticket, never both and never neither", () => {
  const parse = (body: unknown) => passwordChangeBody.parse(body);
  for (const proof of [{ current_password: "" }, { ticket: "x" }]) {
    assertEquals(parse({ password, ...proof }), { password, ...proof });
  }
  const both = { password, ticket: "x", current_password: "y" };
  assertEquals(refusalOf(() => parse(both)), ["invalid-user", "/current_password unknown-field"]);
  assertEquals(refusalOf(() => parse({ password })), ["invalid-user", "/current_password missing"]);
  assertEquals(refusalOf(() => parse({ password, ticket: 1 })), ["invalid-user", "/ticket not-text"]);
  // The proof is checked before the password is judged.
  const guessable = { password: "Alice-Vk9-qTz4.Lm2", ticket: "x" };
  assertEquals(parse(guessable), guessable);
  const judge = (password: string) => requireGoodPassword({ login: "alice", password }, rules);
  assertEquals(refusalOf(() => judge(guessable.password)), ["invalid-user", "/password guessable"]);
  judge(password);
});

Deno.test("userChangeBody.parse() takes groups, disabled or both, and keeps absent fields absent", () => {
  for (const change of [{ groups: [] }, { disabled: false }, { groups: ["a", "b"], disabled: true }]) {
    assertEquals(userChangeBody.parse(change), change);
  }
  assertEquals(refusalOf(() => userChangeBody.parse({})), ["invalid-user", " missing"]);
  assertEquals(refusalOf(() => userChangeBody.parse({ x: 1 })), ["invalid-user", "/x unknown-field"]);
  const bad = { groups: ["a", "a"], disabled: null };
  const errors = ["/disabled not-boolean", "/groups invalid-groups"];
  assertEquals(refusalOf(() => userChangeBody.parse(bad)), ["invalid-user", ...errors]);
});

Deno.test("ticketRequestBody.parse() requires a login for a reset only", () => {
  assertEquals(ticketRequestBody.parse({ purpose: "register" }), { purpose: "register" });
  for (const purpose of ["register", "reset"] as const) {
    assertEquals(ticketRequestBody.parse({ purpose, login: "Alice" }), { purpose, login: "alice" });
    const bad = { purpose, login: "al ice" };
    assertEquals(refusalOf(() => ticketRequestBody.parse(bad)), ["invalid-ticket", "/login invalid-characters"]);
  }
  const rows: readonly (readonly [body: unknown, ...errors: string[]])[] = [
    [{}, "/purpose unknown-purpose"],
    [{ purpose: "setup" }, "/purpose unknown-purpose"],
    [{ purpose: "reset" }, "/login missing"],
    [{ purpose: "reset", login: null }, "/login not-text"],
  ];
  for (const [body, ...errors] of rows) {
    assertEquals(refusalOf(() => ticketRequestBody.parse(body)), ["invalid-ticket", ...errors]);
  }
});
