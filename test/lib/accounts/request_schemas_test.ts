import { assertEquals, assertFalse, assertThrows } from "@std/assert";
import { HttpError } from "../../../lib/http/http_error.ts";
import {
  credentialsBody,
  passwordChangeBody,
  requireGoodPassword,
  ticketRequestBody,
  userChangeBody,
} from "../../../lib/accounts/request_bodies.ts";
import { registrationBody } from "../../../lib/accounts/request_schemas.ts";
import { longest, password, refusalOf, rules } from "../../support/request_schemas.ts";

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
