/** Which site a request is for, and the tokens of sites. */
import { assertEquals, assertMatch, assertNotEquals, assertThrows } from "@std/assert";
import { hashSecret } from "../../../lib/accounts/session.ts";
import { boundCode, Sites } from "../../../lib/accounts/sites.ts";
import { HttpError } from "../../../lib/http/http_error.ts";
import { sessionOf } from "../../support/store/records.ts";

const home = "https://login.example.org";
const wiki = "https://wiki.example.org";
const files = "https://files.example.net:8443";
const options = { home, sites: [wiki, files], key: "the key of the register" };
const binding = "A".repeat(22);
const session = sessionOf("alice", "01M81Q8RAFRWT8N2ZHDEH012P3");

Deno.test("originOf() returns the site of the host that the proxy names, or else of `Host`", () => {
  const sites = new Sites(options);
  const rows: readonly (readonly [string | undefined, string, string | undefined])[] = [
    ["wiki.example.org", "127.0.0.1:8000", wiki],
    ["WIKI.Example.org", "127.0.0.1:8000", wiki],
    ["files.example.net:8443", "127.0.0.1:8000", files],
    ["login.example.org", "wiki.example.org", undefined],
    [undefined, "wiki.example.org", wiki],
    [undefined, "login.example.org", undefined],
    [undefined, "127.0.0.1:8000", undefined],
    [undefined, "a".repeat(400), undefined],
  ];
  for (const [forwarded, host, origin] of rows) {
    const headers = new Headers({ host, ...forwarded !== undefined && { "x-forwarded-host": forwarded } });
    assertEquals(sites.originOf({ headers } as Request), origin, `${forwarded} ${host}`);
  }
});

Deno.test("originOf() refuses other hosts that a proxy names", () => {
  const sites = new Sites(options);
  for (
    const host of [
      "",
      "old.example.org",
      "files.example.net",
      "wiki.example.org:443",
      "wiki.example.org.",
      "a".repeat(400),
    ]
  ) {
    const headers = new Headers({ host: "wiki.example.org", "x-forwarded-host": host });
    const error = assertThrows(() => sites.originOf({ headers } as Request), HttpError);
    assertEquals(error.code, "unknown-site", host);
  }
});

Deno.test("logInAt() makes the same token for all tabs of a browser, of which the session stores a hash", () => {
  const made = new Sites(options).logInAt(wiki, { session, binding });
  assertEquals(new Sites(options).logInAt(wiki, { session, binding }), made);
  const [id, secret = ""] = made.token.split(".");
  assertEquals([id, made.site], [session.id, { origin: wiki, secretHash: hashSecret(secret) }]);
  assertMatch(secret, /^[\w-]{43}$/);
});

Deno.test("logInAt() makes another token for another browser, session, site or register", () => {
  const made = new Sites(options).logInAt(wiki, { session, binding });
  const others = [
    new Sites(options).logInAt(wiki, { session, binding: "B".repeat(22) }),
    new Sites(options).logInAt(wiki, { session: { ...session, id: "01M81Q8RAFRWT8N2ZHDEH012P4" }, binding }),
    new Sites(options).logInAt(files, { session, binding }),
    new Sites({ ...options, key: "another key" }).logInAt(wiki, { session, binding }),
  ];
  for (const other of others) assertNotEquals(other.site.secretHash, made.site.secretHash);
});

Deno.test("boundCode() depends on the code, the site, the state and the page, without its fragment", () => {
  const scope = { origin: wiki, state: "s", next: "/a?b=c" };
  const code = boundCode("c", scope);
  assertEquals(boundCode("c", { ...scope, next: "/a?b=c#d\n#e" }), code);
  const others = [
    boundCode("d", scope),
    boundCode("c", { ...scope, origin: files }),
    boundCode("c", { ...scope, state: "t" }),
    boundCode("c", { ...scope, next: "/a?b=d" }),
    boundCode("c", { ...scope, state: "s/a", next: "?b=c" }),
  ];
  assertEquals(new Set([code, ...others]).size, 6);
});
