/** No response is more than a small multiple of its request, whatever is wrong with that. */
import { assert, assertEquals } from "@std/assert";
import { HttpError, maxErrors } from "../../lib/http/http_error.ts";
import { routes } from "../../routes/mod.ts";
import { openAdminApp } from "../support/accounts.ts";
import type { SendOptions } from "../support/app.ts";

const maxRatio = 3;
/** What any problem has. */
const fixedLength = 1_500;

const names = (count: number) => Array.from({ length: count }, (_, index) => `n${index}`);
const many = Object.fromEntries(names(1_500).map((name) => [name, 1]));
/** Bodies in which as much is wrong as can be, and texts that grow when they are told again. */
const bodies: readonly unknown[] = [
  many,
  { ...many, login: "Ä".repeat(65), password: "a", ticket: 1, cookie: 1, current_password: 1, groups: 1, disabled: 1 },
  { ["~".repeat(7_000)]: 1, ["/".repeat(7_000)]: 1 },
  { ["\x01".repeat(2_500)]: 1 },
  { login: "\x01".repeat(2_500), password: "a" },
  { groups: names(1_500), disabled: "x" },
];
const queries = [
  "a&".repeat(15_000),
  "limit=x&".repeat(4_000),
  `after=${"x".repeat(9_000)}&limit=0&prefix=${"~".repeat(9_000)}`,
];

for (const { method, path } of routes) {
  Deno.test(`${method} ${path} answers with little more than what it was asked with`, async () => {
    const { send, admin: token, addUser } = await openAdminApp();
    await addUser("alice");
    const target = path.replace(":login", "alice").replace(/:\w+\*?/g, "none");
    const requests: [target: string, options: SendOptions][] = [
      ...queries.map((query): [string, SendOptions] => [`${target}?${query}`, {}]),
      ...method === "GET" ? [] : bodies.map((json): [string, SendOptions] => [target, { json }]),
      [path.replace(/:\w+\*?/g, "%7e".repeat(3_000)), {}],
    ];
    for (const [sentTarget, options] of requests) {
      const { status, headers, text, json } = await send(method, sentTarget, { token, ...options });
      if (status < 300) continue;
      const sent = sentTarget.length + JSON.stringify(options.json ?? "").length;
      const got = text.length + JSON.stringify([...headers]).length;
      assert(
        got < maxRatio * sent + fixedLength,
        `${sent} characters were answered with ${got}: ${text.slice(0, 500)}`,
      );
      if (Array.isArray(json.errors)) assert(json.errors.length <= maxErrors);
    }
  });
}

Deno.test("HttpError tells ten errors, the first", () => {
  const errors = names(11).map((name) => ({ pointer: `/${name}`, code: "missing", detail: "" } as const));
  assertEquals(new HttpError("invalid-user", { errors: errors.slice(0, 10) }).errors, errors.slice(0, 10));
  assertEquals(new HttpError("invalid-user", { errors }).errors, errors.slice(0, 10));
});
