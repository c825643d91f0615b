/**
 * What a client may send that nobody thinks of: texts, values, headers, methods, paths, and ways to spoil a body.
 *
 * All of it is HTTP as any library would send it; what is none is sent over raw sockets, in test/main/fuzz_test.ts.
 */

// fast-check: makes the values, repeats them by a seed, and cuts one that fails down to its essence.
import fc from "npm:fast-check@4.10.2";

export type Headers = Readonly<Record<string, string>>;
/** What was valid until then, changed. */
export type Spoiling = (value: unknown) => unknown;

/** One of several, each with how often it comes. */
export function weighted<Value>(...choices: readonly (readonly [number, fc.Arbitrary<Value>])[]): fc.Arbitrary<Value> {
  return fc.oneof(...choices.map(([weight, arbitrary]) => ({ weight, arbitrary })));
}

/** Halves of surrogate pairs: no UTF-8 can carry them, and JSON can. */
const halves = ["\ud800", "\udfff\ud83d"];
/** NUL, one letter in two spellings, letters from right to left, one emoji of four code points. */
const unicode = ["a\0b", "é", "e\u0301", "\u212a", "\u202eabc", "שלום", "🧙🏽‍♀️", "\ufeff", "ﷺ"];
const special = [
  "",
  " ",
  "../..",
  "%00",
  "__proto__",
  "constructor",
  "'; --",
  "<b>",
  "${1}",
  "a\r\nb: c",
  "root",
  "ADMIN",
];
/** Around the limits of a login, of a password and of a body. */
const lengths = [64, 65, 1_024, 1_025, 7_000, 17_000];

export const oddText: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom(...halves),
  fc.constantFrom(...unicode, ...special),
  fc.tuple(fc.constantFrom("a", "é", "🧙", "\0"), fc.constantFrom(...lengths)).map(([text, count]) =>
    text.repeat(count)
  ),
  fc.string({ unit: fc.integer({ min: 0, max: 0x10ffff }).map((code) => String.fromCodePoint(code)), maxLength: 20 }),
);

const oddValue: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom(null, true, false, 0, -0, -1, 0.1, 2 ** 53, 1e308, -1e308, 5e-324),
  fc.constantFrom<unknown>([], {}, [[]], [null], { "": "" }, { length: 1 }),
  oddText,
  fc.array(oddText, { maxLength: 40 }),
  fc.constantFrom(10, 1_000).map((depth) => JSON.parse("[".repeat(depth) + "]".repeat(depth))),
);

/** Names of fields; by `fromEntries` "__proto__" is one as any other. */
const oddName = fc.oneof(
  fc.constantFrom("__proto__", "a/b~c", "groups", "admin", "cookie", "login", "ticket"),
  oddText,
);

/** A field less, a field more, another value, a list around it, something else altogether. */
export const oddSpoiling: fc.Arbitrary<Spoiling> = fc.oneof(
  fc.nat(3).map((index): Spoiling => (value) => withEntries(value, (entries) => entries.toSpliced(index, 1))),
  fc.tuple(oddName, oddValue).map((entry): Spoiling => (value) => withEntries(value, (entries) => [...entries, entry])),
  fc.tuple(fc.nat(3), oddValue).map(([index, odd]): Spoiling => (value) =>
    withEntries(value, (entries) => entries.map(([name, own], at) => [name, at === index ? odd : own]))
  ),
  fc.constant<Spoiling>((value) => [value]),
  oddValue.map((odd): Spoiling => () => odd),
);

function withEntries(value: unknown, change: (entries: [string, unknown][]) => [string, unknown][]): unknown {
  return typeof value === "object" && value !== null ? Object.fromEntries(change(Object.entries(value))) : value;
}

/** From the text of a good body: broken off, doubled, with a key twice, and around the limit of 16 KiB. */
const textSpoilings: readonly ((text: string) => string)[] = [
  (text) => text.slice(0, -1),
  (text) => text + text,
  (text) => `\ufeff${text}`,
  (text) => `\n\t ${text} \r\n`,
  (text) => text.replace(/\}$/, ',"login":"~free~"}'),
  (text) => text.replaceAll('"', "'"),
  (text) => text.padEnd(16 * 1_024),
  (text) => text.padEnd(16 * 1_024 + 1),
  (text) => text.padEnd(60_000),
  () => "[".repeat(8_000) + "]".repeat(8_000),
  () => '{"a":'.repeat(2_700),
  () => "-",
  () => "NaN",
  () => "",
];

/** Texts and bytes to send in the place of a good body. */
export function oddBody(good: fc.Arbitrary<unknown>): fc.Arbitrary<string | Uint8Array<ArrayBuffer>> {
  const texts = fc.tuple(good, fc.constantFrom(...textSpoilings)).map(([value, spoil]) =>
    spoil(JSON.stringify(value) ?? "")
  );
  return weighted<string | Uint8Array<ArrayBuffer>>(
    [4, texts],
    [1, fc.uint8Array({ maxLength: 40 }).map((bytes) => new Uint8Array(bytes))],
  );
}

/** Bytes as Latin-1; the control characters among them are no HTTP. */
export const oddHeaderText: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom("", ",", ";=", '"', "*", "null", "\xff\xfe", "=?utf-8?q?=41?=", "a".repeat(5_000), "-1", "1e999"),
  fc.string({ unit: fc.integer({ min: 0x20, max: 0xff }).map(toHeaderCharacter), maxLength: 12 }),
);

function toHeaderCharacter(code: number): string {
  return String.fromCharCode(code >= 0x7f && code < 0xa0 ? 0x7e : code);
}

/** Where somebody may want to be sent to: paths of the same host, and what browsers take for another. */
export const oddLocation: fc.Arbitrary<string> = fc.constantFrom(
  ...["/", "/a?b#c", "/auth/", "//evil.test/", "/\\evil.test", "https://evil.test/", "/%zz", "/.//evil.test", "/\xe9"],
);
const clients = ["203.0.113.9", "10.0.0.1, 127.0.0.1", "2001:db8::1", "::ffff:1.2.3.4", "unix", "1.2.3.4:5"];
const types = ["application/JSON; charset=utf-8", "application/json; charset=latin1", "text/plain", "a/b", ""];
const lengthTexts = ["0", "1", "16384", "16385", "99999999999999999999", "-1", "abc"];

const headers: Readonly<Record<string, fc.Arbitrary<string>>> = {
  "content-type": fc.constantFrom(...types),
  "content-length": fc.constantFrom(...lengthTexts),
  "content-encoding": fc.constantFrom("gzip", "identity"),
  "if-match": oddHeaderText,
  "if-none-match": oddHeaderText,
  "x-forwarded-for": fc.oneof(fc.constantFrom(...clients), oddHeaderText),
  "x-forwarded-proto": fc.constantFrom("https", "http", "x,y", ""),
  "x-forwarded-host": fc.constantFrom("evil.test", "a/b", "[", ""),
  "x-forwarded-uri": fc.oneof(oddLocation, oddHeaderText),
  "x-forwarded-method": fc.constantFrom("GET", "POST", "get", "?"),
  "sec-fetch-site": fc.constantFrom("none", "same-site", "x"),
  "sec-fetch-mode": fc.constantFrom("cors", "websocket", "x"),
  "sec-fetch-dest": fc.constantFrom("document", "image", "x"),
  "origin": fc.constantFrom("null", "http://gatehouse.test", "https://evil.test", "http://[", "x"),
  "accept": fc.oneof(fc.constantFrom("*/*", "text/html", "application/json;q=0"), oddHeaderText),
  "cookie": oddHeaderText,
  "user-agent": oddHeaderText,
  "x-request-id": oddHeaderText,
  "remote-user": fc.constantFrom("root", "~login~"),
  "range": fc.constantFrom("bytes=0-0", "bytes=9-1"),
};
const oddHeader = fc.oneof(...Object.entries(headers).map(([name, text]) => fc.tuple(fc.constant(name), text)));

/** One to three headers, of names that mean something to somebody. */
export const oddHeaders: fc.Arbitrary<Headers> = fc.array(oddHeader, { minLength: 1, maxLength: 3 })
  .map((entries) => Object.fromEntries(entries));

/** But those that the `Request` of no library takes. */
export const oddMethod: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom("GET", "HEAD", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"),
  fc.constantFrom("get", "patch", "Head", "PROPFIND", "QUERY", "M-SEARCH", "a".repeat(100)),
  fc.stringMatching(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,12}$/).filter((text) => !/^(connect|trace|track)$/i.test(text)),
);

const segments = [
  ...["", ".", "..", "%2e%2e", "%2F", "%00", "%ff", "%zz", "%", "%ED%A0%80", "\\", ";a=b", "*", "~login~", "é", "🧙"],
  ...[
    "user",
    "USER",
    "session",
    "password",
    "ticket",
    "problem",
    "page",
    "guard",
    "docs",
    "__proto__",
    "a".repeat(8_000),
  ],
];
const queries = [
  "",
  "?",
  "??",
  "?a=%zz",
  "?limit=1&limit=x",
  "?group=%00&next=//evil.test",
  "?=&&",
  "#a",
  "?a&b".repeat(999),
];

export const oddQuery: fc.Arbitrary<string> = fc.constantFrom(...queries);
export const oddPath: fc.Arbitrary<string> = fc.tuple(
  fc.array(fc.constantFrom(...segments), { minLength: 1, maxLength: 5 }),
  oddQuery,
).map(([parts, query]) => `/${parts.join("/")}${query}`);

/** One spelling of each path is served; these are others. */
export const oddSpelling: fc.Arbitrary<(path: string) => string> = fc.constantFrom(
  (path) => path.replace(/(?<=.)\/$/, ""),
  (path) => `${path}/`,
  (path) => `/${path}`,
  (path) => path.toUpperCase(),
  (path) => path.replace(/s/, "%73"),
  (path) => `/a/..${path}`,
  (path) => path.replace(/~\w+~|[^/]*$/, "%zz"),
  (path) => path.replace(/~\w+~|[^/]*$/, "%ff").replace(/(?<=.)\/$/, ""),
);
