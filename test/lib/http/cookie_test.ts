/** Which requests a page of this origin sent. Reading cookies is tested with the tokens that they carry. */
import { assertEquals, assertFalse } from "@std/assert";
import { isSameOrigin } from "../../../lib/http/cookie.ts";

const host = "auth.example.org";
const origins: readonly (readonly [headers: Readonly<Record<string, string>>, isSame: boolean])[] = [
  [{ "sec-fetch-site": "same-origin" }, true],
  [{ "sec-fetch-site": "same-site" }, false],
  [{ "sec-fetch-site": "cross-site" }, false],
  [{ "sec-fetch-site": "none" }, false],
  [{ "sec-fetch-site": "" }, false],
  [{ "sec-fetch-site": "SAME-ORIGIN" }, false],
  [{ "sec-fetch-site": "same-origin, cross-site" }, false],
  // Sec-Fetch-Site decides where it is there.
  [{ "sec-fetch-site": "cross-site", origin: `https://${host}` }, false],
  [{ "sec-fetch-site": "same-site", origin: `https://${host}` }, false],
  [{ "sec-fetch-site": "", origin: `https://${host}` }, false],
  [{ "sec-fetch-site": "same-origin", origin: "https://evil.example" }, true],
  [{ origin: `https://${host}` }, true],
  [{ origin: `http://${host}` }, true],
  [{ origin: `https://${host}:443` }, true],
  [{ origin: `https://${host}:8443`, host: `${host}:8443` }, true],
  [{ origin: "https://[::1]:8443", host: "[::1]:8443" }, true],
  [{ origin: `https://${host}:8443` }, false],
  [{ origin: `https://${host}`, host: `${host}:8443` }, false],
  [{ origin: "https://evil.example" }, false],
  [{ origin: "https://example.org" }, false],
  [{ origin: `https://evil.${host}` }, false],
  [{ origin: `https://${host}.evil.example` }, false],
  [{ origin: `https://${host}@evil.example` }, false],
  [{ origin: `https://evil.example/${host}` }, false],
  [{ origin: `https://evil.example#${host}` }, false],
  [{ origin: "null" }, false],
  [{ origin: "" }, false],
  [{ origin: host }, false],
  [{ origin: `https://${host}, https://evil.example` }, false],
  [{ referer: `https://${host}/` }, false],
  [{}, false],
];

Deno.test("isSameOrigin() is true for a page of this origin alone", () => {
  for (const [headers, isSame] of origins) {
    const withHost = { headers: new Headers({ host, ...headers }), url: "http://elsewhere.test/" };
    assertEquals(isSameOrigin(withHost), isSame, JSON.stringify(headers));
  }
});

Deno.test("isSameOrigin() knows the host by the address where there is no Host, as over HTTP/2", () => {
  const rows = [
    ["http://auth.example.org/user/?a=//b", true],
    ["http://auth.example.org", true],
    ["http+unix://auth.example.org/", true],
    ["http://auth.example.org:8443/", false],
    ["http://evil.example/auth.example.org", false],
    ["http://evil.example?//auth.example.org/", false],
    ["http://evil.example#//auth.example.org/", false],
    ["http://user@auth.example.org/", false],
    ["http:///", false],
    ["", false],
  ] as const;
  const headers = new Headers({ origin: `https://${host}` });
  for (const [url, isSame] of rows) assertEquals(isSameOrigin({ headers, url }), isSame, url);
});

Deno.test("isSameOrigin() takes two unknown hosts for different ones", () => {
  for (const url of ["http:///", "", "null", "file:///"]) {
    for (const origin of ["null", "", "https://evil.example", "nonsense", "file:///a", "data:,"]) {
      assertFalse(isSameOrigin({ headers: new Headers({ origin }), url }));
    }
    assertFalse(isSameOrigin({ headers: new Headers(), url }));
  }
});

Deno.test("isSameOrigin() does not look at an origin that is longer than any host", () => {
  const hostOf = (length: number) => "a.".repeat(length).slice(0, length - "https://".length);
  for (const [length, isSame] of [[300, true], [302, false]] as const) {
    const long = hostOf(length);
    assertEquals(isSameOrigin({ headers: new Headers({ host: long, origin: `https://${long}` }), url: "" }), isSame);
  }
});
