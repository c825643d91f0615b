import { STATUS_CODES } from "node:http";
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { settings } from "../../../lib/config/settings.ts";
import { maxBodyBytes, maxBodyMs } from "../../../lib/http/request_body.ts";
import { isProblemCode, problems } from "../../../lib/http/problem.ts";
import { maxLoginLength, maxPasswordBytes } from "../../../lib/accounts/user.ts";

Deno.test("problems have a code for a URL, the status of an error, a title and a meaning", () => {
  for (const [code, { status, title, meaning }] of Object.entries(problems)) {
    assertMatch(code, /^[a-z]+(-[a-z]+)*$/);
    assert(status >= 400 && status in STATUS_CODES, code);
    assertMatch(title, /^[A-Z][^.]*$/);
    assertMatch(meaning, /^[A-Z].*\.$/);
  }
});

Deno.test("problems never share a title", () => {
  const titles = Object.values(problems).map(({ title }) => title);
  assertEquals(new Set(titles).size, titles.length);
});

Deno.test("problems of the contract have its codes and statuses", () => {
  const contract: readonly (readonly [code: string, status: number])[] = [
    ["malformed-path", 400],
    ["malformed-json", 400],
    ["not-authenticated", 401],
    ["wrong-credentials", 401],
    ["wrong-password", 401],
    ["unknown-login", 404],
    ["forbidden", 403],
    ["cross-origin", 403],
    ["login-again", 403],
    ["wrong-current-password", 403],
    ["ticket-invalid", 403],
    ["registration-closed", 403],
    ["not-found", 404],
    ["method-not-allowed", 405],
    ["slow-body", 408],
    ["login-taken", 409],
    ["last-admin", 409],
    ["precondition-failed", 412],
    ["body-too-large", 413],
    ["not-json", 415],
    ["invalid-user", 422],
    ["invalid-credentials", 422],
    ["invalid-ticket", 422],
    ["invalid-query", 422],
    ["too-many-registrations", 429],
    ["internal-error", 500],
    ["overloaded", 503],
    ["store-closed", 503],
    ["store-unavailable", 503],
    ["not-ready", 503],
    ["store-full", 507],
  ];
  for (const [code, status] of contract) {
    assert(isProblemCode(code), code);
    assertEquals(problems[code].status, status, code);
  }
});

Deno.test("problems tell the limits that hold", () => {
  assertStringIncludes(problems["body-too-large"].meaning, `${maxBodyBytes / 1_024} KiB`);
  assertStringIncludes(problems["slow-body"].meaning, `${maxBodyMs / 1_000} seconds`);
  const { meaning } = problems["invalid-user"];
  assertStringIncludes(meaning, `1 to ${maxLoginLength} of`);
  assertStringIncludes(meaning, `${settings.passwordMinLength.default} characters or more`);
  assertStringIncludes(meaning, `at most ${maxPasswordBytes.toLocaleString("en")} bytes`);
});

Deno.test("isProblemCode() knows the problems, and not what every object has", () => {
  for (const code of Object.keys(problems)) assert(isProblemCode(code));
  for (const code of ["", "unknown", "LOGIN-TAKEN", "login-taken ", "__proto__", "constructor", "toString"]) {
    assertEquals(isProblemCode(code), false, code);
  }
});
