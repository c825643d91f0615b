/** `query()` reads the declared parameters of a URL. Tests of request bodies cover the other schemas. */
import { assertEquals } from "@std/assert";
import { query } from "../../../lib/http/query.ts";

const queries: readonly (readonly [url: string, parameters: Readonly<Record<string, string>>])[] = [
  ["http://a/", {}],
  ["http://a/?", {}],
  ["http://a/?limit=5", { limit: "5" }],
  ["http://a/?prefix=%C3%A9+b&limit=5", { prefix: "é b", limit: "5" }],
  ["http://a/?limit=", { limit: "" }],
  ["http://a/?limit", {}],
  ["http://a/?limit=%zz", { limit: "%zz" }],
  ["http://a/?limit=1=2?3", { limit: "1=2?3" }],
  ["http://a/?&&limit=5&&", { limit: "5" }],
  // The first counts.
  ["http://a/?limit=1&limit=2", { limit: "1" }],
  ["http://a/?xlimit=1&limitx=2&a?limit=3&x=limit=4", {}],
  ["http://a/#?limit=1", {}],
  ["http://a/?prefix=a#&limit=1", { prefix: "a" }],
  ["http://a/?after=1", {}],
  // An address that `URL` refuses.
  ["http://[/?limit=5", { limit: "5" }],
  [`http://a/?${"a&".repeat(30_000)}limit=5`, { limit: "5" }],
];

const asSent = { schema: {}, parse: (value: unknown) => value };
const limitAndPrefix = query({ limit: asSent, prefix: asSent });

for (const [url, parameters] of queries) {
  Deno.test(`query() reads the declared parameters, and nothing like them: ${url.slice(0, 60)}`, () => {
    const request = Object.defineProperty(new Request("http://a/"), "url", { value: url });
    assertEquals(limitAndPrefix.parse(request), { limit: undefined, prefix: undefined, ...parameters });
  });
}
