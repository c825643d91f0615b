import { assert, assertEquals, assertMatch } from "@std/assert";
// fast-check: makes addresses that nobody thinks of, and cuts one that leads elsewhere down to its essence.
import fc from "npm:fast-check@4.10.2";
import { safeRedirectPath } from "../../../lib/http/safe_redirect_path.ts";

/** Texts, and the paths that they are. */
const good: readonly [text: string, path: string][] = [
  ["/", "/"],
  ["/a", "/a"],
  ["/a/b/", "/a/b/"],
  ["/a?b=c&d=/e", "/a?b=c&d=/e"],
  ["/a?next=//evil.example", "/a?next=//evil.example"],
  ["/a#b", "/a#b"],
  ["/?", "/?"],
  ["/a//b", "/a//b"],
  ["/@evil.example", "/@evil.example"],
  ["/:80", "/:80"],
  ["/.evil.example", "/.evil.example"],
  ["/javascript:alert(1)", "/javascript:alert(1)"],
  ["/%2F%2Fevil.example", "/%2F%2Fevil.example"],
  ["/%5Cevil.example", "/%5Cevil.example"],
  ["/%0d%0aSet-Cookie:a=b", "/%0d%0aSet-Cookie:a=b"],
  ["/%", "/%"],
  ["/~!$&'()*+,;=[]{}|^`\"<>", "/~!$&'()*+,;=[]{}|^`\"<>"],
  ["/é", "/%C3%A9"],
  ["/a/é/ü?q=ö", "/a/%C3%A9/%C3%BC?q=%C3%B6"],
  ["/ﬀ/日本", "/%EF%AC%80/%E6%97%A5%E6%9C%AC"],
  ["/🚪🔑", "/%F0%9F%9A%AA%F0%9F%94%91"],
  ["/\x80\x85\xa0\u2028\u3000\ufeff", "/%C2%80%C2%85%C2%A0%E2%80%A8%E3%80%80%EF%BB%BF"],
  // Looks like a slash, and is none.
  ["/／evil.example", "/%EF%BC%8Fevil.example"],
  [`/${"a".repeat(7_497)}`, `/${"a".repeat(7_497)}`],
  [`/?q=${"a".repeat(7_490)}`, `/?q=${"a".repeat(7_490)}`],
  // Beyond that the path alone: where "?", "/" and letters of other alphabets take more room in the address, sooner.
  [`/a/b?q=${"a".repeat(7_491)}`, "/a/b"],
  [`/a/b?q=${"?".repeat(2_600)}`, "/a/b"],
  [`/a/b?q=${"é".repeat(1_000)}`, "/a/b"],
  [`/a/b#${"a".repeat(64_000)}`, "/a/b"],
  [`/a?${"\n".repeat(8_000)}`, "/a"],
  // A backslash is a slash to browsers, and its percent-encoding to nobody.
  ["/a\\b", "/a%5Cb"],
  ["/a?b=\\", "/a?b=%5C"],
  ["/a?q=C:\\x\\y&r=\\\\host", "/a?q=C:%5Cx%5Cy&r=%5C%5Chost"],
  ["/.\\/evil.example", "/.%5C/evil.example"],
];

for (const [text, path] of good) {
  Deno.test(`safeRedirectPath() takes a path of this host: ${JSON.stringify(text.slice(0, 40))}`, () => {
    assertEquals(safeRedirectPath(text), path);
  });
}

const bad: readonly string[] = [
  "",
  "a",
  "a/b",
  "./a",
  "?a",
  "#a",
  "//",
  "//evil.example",
  "///evil.example",
  "//evil.example/%2e%2e",
  "/\\evil.example",
  "\\\\evil.example",
  "\\/evil.example",
  "/\t/evil.example",
  "/\n/evil.example",
  "/\r/evil.example",
  "\t//evil.example",
  " /a",
  "/a ",
  "/a b",
  "/a\n",
  "/a\r\nSet-Cookie: a=b",
  "/a\0",
  "/a\x1f",
  "/a\x7f",
  "/\ud800",
  "/a\udc00b",
  "／evil.example",
  "http://gate.example/",
  "https://evil.example",
  "https:/a",
  "javascript:alert(1)",
  "data:text/html,a",
  "mailto:a@evil.example",
  `/${"a".repeat(7_898)}`,
  `/${"a".repeat(64_000)}?q`,
  `/${"é".repeat(1_000)}`,
  // Without its query it would be a path, and it is no address that a browser has sent.
  "/a?\n",
];

for (const text of bad) {
  Deno.test(`safeRedirectPath() refuses what is no path of this host: ${JSON.stringify(text.slice(0, 40))}`, () => {
    assertEquals(safeRedirectPath(text), undefined);
  });
}

/** Texts made of what addresses elsewhere are made of. */
const address = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom("/", "/", "\\", ".", "..", "%2e", "evil.example", "@", ":", "?", "#") },
    fc.constantFrom("\t", "\n", "\r", " ", "\0", "\x7f", "%2f", "%5c", "%09", "/auth/", "https:", "javascript:", "ſ"),
    fc.string({ unit: "binary" }),
  ),
  { maxLength: 10 },
).map((parts) => parts.join(""));

/** Such texts, and among them many that begin as a path does. */
const anyText = fc.oneof(address, address.map((text) => `/${text}`), fc.string({ unit: "binary" }));

Deno.test("safeRedirectPath() never leads to another host, in printable ASCII alone", () => {
  let takenCount = 0;
  fc.assert(
    fc.property(anyText, (text) => {
      const path = safeRedirectPath(text);
      if (path === undefined) return;
      takenCount++;
      assertMatch(path, /^\/[\x21-\x7e]*$/);
      const once = new URL(path, "https://gate.example/auth/?next=/");
      const twice = new URL(once.href, "https://gate.example/");
      assertEquals([once.origin, twice.origin], ["https://gate.example", "https://gate.example"]);
      assertEquals([once.username, once.password, once.href], ["", "", twice.href]);
    }),
    { numRuns: 20_000 },
  );
  // Many were looked at.
  assert(takenCount > 2_000, `${takenCount}`);
});

Deno.test("safeRedirectPath() never leads to another host, also when somebody has resolved its dots", () => {
  fc.assert(
    fc.property(anyText, (text) => {
      const path = safeRedirectPath(text);
      if (path === undefined) return;
      const { pathname, search } = new URL(path, "https://gate.example/");
      assertEquals(new URL(pathname + search, "https://gate.example/").host, "gate.example");
    }),
    { numRuns: 20_000, examples: [["/.//evil.example"], ["/a/..//evil.example"], ["/%2e//evil.example"]] },
  );
});

Deno.test("safeRedirectPath() says nothing that is longer than it takes", () => {
  for (
    const text of [`/${"é".repeat(1_999)}`, `/${"日".repeat(300)}`, `/${"/".repeat(5_000)}`, `/?${"🚪".repeat(900)}`]
  ) {
    assert(encodeURIComponent(safeRedirectPath(text) ?? "").length <= 7_500, `${safeRedirectPath(text)?.length}`);
  }
});
