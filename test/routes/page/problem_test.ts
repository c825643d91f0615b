/** Problems in words: the page has some for each of the service's that people can meet. */
import { assertEquals } from "@std/assert";
import { problems } from "../../../lib/http/problem.ts";
import { fieldErrors, problemText } from "../../../routes/page/problem.js";

/** What only another program than the page does wrong; it has the service's own title. */
const ofPrograms = [
  "malformed-path",
  "malformed-host",
  "malformed-json",
  "not-in-group",
  "cross-origin",
  "method-not-allowed",
  "not-json",
  "invalid-query",
  "unknown-site",
  "only-at-home",
  "site-login-invalid",
];
/** What is told at the fields that are wrong. */
const ofFields = ["invalid-user", "invalid-credential", "invalid-credentials", "invalid-ticket"];
const title = "The service's own title";

Deno.test("problemText() has words for every problem that people can meet", () => {
  const wordless = Object.keys(problems).filter((code) => problemText({ code, title, retrySeconds: 0 }) === title);
  assertEquals(wordless.toSorted(), [...ofPrograms, ...ofFields].toSorted());
});

Deno.test("problemText() says when to come again, if that is known", () => {
  const text = (retrySeconds: number) => problemText({ code: "too-many-attempts", title, retrySeconds });
  const waits = [0, 1, 89, 90, 1_200, 5_399, 5_400, 86_400].map((seconds) => text(seconds));
  const said = ["1 second", "89 seconds", "2 minutes", "20 minutes", "90 minutes", "2 hours", "24 hours"];
  assertEquals(waits, [
    "Too many wrong attempts.",
    ...said.map((wait) => `Too many wrong attempts. Try again in ${wait}.`),
  ]);
});

Deno.test("fieldErrors() puts what is wrong at the field that it belongs to", () => {
  const errors = [
    { pointer: "/login", code: "too-long", limit: 64, detail: "Other words with a number, 65" },
    { pointer: "/password", code: "guessable", reason: "repeat", detail: "Other words: also of this" },
    { pointer: "/other", code: "not-known-here", detail: "It must be something" },
  ];
  assertEquals(fieldErrors({ code: "invalid-user", title, retrySeconds: 0, errors }), [
    { name: "login", text: "Must have at most 64 characters." },
    { name: "password", text: "Easy to guess: it repeats itself." },
    { name: "other", text: "It must be something" },
  ]);
  const taken = { code: "login-taken", title, retrySeconds: 0, errors: [] };
  assertEquals(fieldErrors(taken), [{ name: "login", text: "This login is taken." }]);
});
