import { assertEquals, assertFalse, assertMatch, assertNotEquals, assertStrictEquals } from "@std/assert";
import { createHash } from "node:crypto";
import { decodeTime } from "@std/ulid";
import { createSession, presentedToken, sessionCookie } from "../../../lib/accounts/session.ts";
import type { Store } from "../../../lib/store.ts";
import { client, find, keepSession, start } from "../../support/kept_session.ts";

Deno.test("createSession() keeps the SHA-256 of the token's secret, and nothing of the secret", () => {
  const { session, token } = createSession("alice", client);
  const [id, secret = ""] = token.split(".");
  assertEquals(session, {
    id: id ?? "",
    login: "alice",
    secretHash: createHash("sha256").update(secret).digest("hex"),
    createdAt: start,
    lastSeenAt: start,
    userAgent: "Browser/1.0",
    address: "192.0.2.1",
    factors: ["password"],
    authenticatedAt: start,
    sites: [],
  });
  assertFalse(JSON.stringify(session).includes(secret));
});

Deno.test("createSession() makes a token of a ULID of its time and 32 random bytes in base64url", () => {
  const tokens = Array.from({ length: 100 }, () => createSession("alice", client).token);
  for (const token of tokens) {
    assertMatch(token, /^[0-9A-HJKMNP-TV-Z]{26}\.[\w-]{43}$/);
    const [id = "", secret = ""] = token.split(".");
    assertEquals(decodeTime(id), start);
    assertEquals(Uint8Array.fromBase64(secret, { alphabet: "base64url" }).length, 32);
  }
  for (const half of [0, 1]) assertEquals(new Set(tokens.map((token) => token.split(".")[half])).size, 100);
});

Deno.test("createSession() keeps 256 characters of a User-Agent", () => {
  const userAgentOf = (userAgent: string) => createSession("alice", { ...client, userAgent }).session.userAgent;
  assertEquals(userAgentOf(""), "");
  assertEquals(userAgentOf("x".repeat(256)), "x".repeat(256));
  assertEquals(userAgentOf("x".repeat(256) + "y"), "x".repeat(256));
});

const cookieName = "__Host-gatehouse";
type Presented = ReturnType<typeof presentedToken>;
/** A token that looks like one of ours, and is none. */
const ours = `01KAN6Z3H3AAAAAAAAAAAAAAAA.${"b".repeat(43)}`;
const bearer = (token: string): Presented => ({ token, isCookie: false });
const cookie = (token: string): Presented => ({ token, isCookie: true });

const presented: readonly (readonly [headers: Readonly<Record<string, string>>, expected: Presented])[] = [
  [{}, undefined],
  [{ authorization: `Bearer ${ours}` }, bearer(ours)],
  [{ authorization: `bearer ${ours}` }, bearer(ours)],
  [{ authorization: `BEARER   ${ours}` }, bearer(ours)],
  [{ authorization: "Bearer abc.def" }, undefined],
  [{ authorization: `Bearer ${ours}A` }, undefined],
  [{ authorization: `Bearer ${ours.toLowerCase()}` }, undefined],
  [{ authorization: "Bearer" }, undefined],
  [{ authorization: "Bearer " }, undefined],
  [{ authorization: `Bearer${ours}` }, undefined],
  [{ authorization: `Bearer\t${ours}` }, undefined],
  [{ authorization: `Bearer ${ours} def` }, undefined],
  [{ authorization: `Bearer ${ours}, Bearer ${ours}` }, undefined],
  [{ authorization: `XBearer ${ours}` }, undefined],
  [{ authorization: "Basic YWxpY2U6eA==" }, undefined],
  [{ authorization: ours }, undefined],
  [{ authorization: "" }, undefined],
  [{ cookie: `${cookieName}=abc` }, cookie("abc")],
  [{ cookie: `a=1; ${cookieName}=abc; b=2` }, cookie("abc")],
  [{ cookie: `a=1;${cookieName}=abc;b=2` }, cookie("abc")],
  [{ cookie: `${cookieName}=` }, cookie("")],
  [{ cookie: `${cookieName}=a=b` }, cookie("a=b")],
  // A browser holds one of them at most.
  [{ cookie: `${cookieName}=first; ${cookieName}=second` }, undefined],
  [{ cookie: `${cookieName}=same; a=1;${cookieName}=same` }, undefined],
  [{ cookie: `${cookieName}=; a=1; b=2; ${cookieName}=abc; c` }, undefined],
  [{ cookie: `${cookieName}=abc; ${cookieName}x=def; x${cookieName}=ghi` }, cookie("abc")],
  [{ cookie: "" }, undefined],
  [{ cookie: "a=1" }, undefined],
  [{ cookie: cookieName }, undefined],
  [{ cookie: `a=${cookieName}=abc` }, undefined],
  [{ cookie: `a=1, ${cookieName}=abc` }, undefined],
  [{ cookie: `"${cookieName}=abc"` }, undefined],
  [{ cookie: `x${cookieName}=abc` }, undefined],
  [{ cookie: `${cookieName}x=abc` }, undefined],
  [{ cookie: `${cookieName} =abc` }, undefined],
  [{ cookie: `${cookieName.toLowerCase()}=abc` }, undefined],
  [{ cookie: `${cookieName.slice(7)}=abc` }, undefined],
  // What makes a parser of all cookies throw.
  [{ cookie: `=; =a; ;; ${cookieName}=abc` }, cookie("abc")],
  [{ cookie: "=a" }, undefined],
  // Names that a sibling host may set, as they lack the prefix, until somebody trims them by Unicode.
  ...["\u00a0", "\u0085", "\v", "\f", "\t", "  "].map((blank) =>
    [{ cookie: `a=1; ${blank}${cookieName}=planted` }, undefined] as const
  ),
  [{ cookie: `\u00a0${cookieName}=planted` }, undefined],
  // A token of ours means it, be it good or bad; any other header is somebody else's.
  [{ authorization: `Bearer ${ours}`, cookie: `${cookieName}=def` }, bearer(ours)],
  [{ authorization: "Bearer abc", cookie: `${cookieName}=def` }, cookie("def")],
  [{ authorization: "Basic YWxpY2U6eA==", cookie: `${cookieName}=def` }, cookie("def")],
  [{ authorization: 'Digest username="a"', cookie: `${cookieName}=def` }, cookie("def")],
  [{ authorization: "Bearer", cookie: `${cookieName}=def` }, cookie("def")],
  [{ authorization: "", cookie: `${cookieName}=def` }, cookie("def")],
];

Deno.test("presentedToken() reads the bearer token, else the cookie, and nothing like them", () => {
  for (const [headers, expected] of presented) {
    assertEquals(presentedToken(new Headers(headers)), expected, JSON.stringify(headers));
  }
});

Deno.test("findLiveSession() finds the session of its token", async () => {
  const { store, session, token } = await keepSession();
  assertEquals((await find(token, { store, now: start }))?.session, session);
});

const badTokens: readonly (readonly [title: string, change: (token: string) => string])[] = [
  ["an empty one", () => ""],
  ["the id alone", (token) => token.slice(0, 26)],
  ["the secret alone", (token) => token.slice(27)],
  ["no dot", (token) => token.replace(".", "")],
  ["two dots", (token) => token.replace(".", "..")],
  ["another id", (token) => `01KAN6Z3H3AAAAAAAAAAAAAAAA${token.slice(26)}`],
  ["another secret", (token) => `${token.slice(0, 27)}${"A".repeat(43)}`],
  ["another first character of the secret", (token) => token.slice(0, 27) + swapped(token[27]) + token.slice(28)],
  ["another last character of the secret", (token) => token.slice(0, -1) + swapped(token.at(-1))],
  ["a secret cut short", (token) => token.slice(0, -1)],
  ["a secret made longer", (token) => `${token}A`],
  ["the id in small letters", (token) => token.slice(0, 26).toLowerCase() + token.slice(26)],
  ["the secret in capitals", (token) => token.slice(0, 27) + "A" + token.slice(28).toUpperCase()],
  ["a space at the end", (token) => `${token} `],
  ["a line break at the end", (token) => `${token}\n`],
  ["a line before it", (token) => `x\n${token}`],
  ["padding", (token) => `${token}=`],
];

function swapped(character: string | undefined): string {
  return character === "A" ? "B" : "A";
}

for (const [title, change] of badTokens) {
  Deno.test(`findLiveSession() finds nothing by a token with ${title}`, async () => {
    const { store, token } = await keepSession();
    assertNotEquals(change(token), token);
    assertStrictEquals(await find(change(token), { store, now: start }), undefined);
  });
}

Deno.test("findLiveSession() rejects a token that differs in any one character", async () => {
  const { store, session, token } = await keepSession();
  assertEquals((await find(token, { store, now: start }))?.session, session);
  for (let index = 27; index < token.length; index++) {
    const other = token.slice(0, index) + swapped(token[index]) + token.slice(index + 1);
    assertStrictEquals(await find(other, { store, now: start }), undefined, `character ${index}`);
  }
  assertEquals((await find(token, { store, now: start }))?.session, session);
});

Deno.test("findLiveSession() finds nothing by what is kept: the hash is no secret", async () => {
  const { store, session } = await keepSession();
  const asSecret = Uint8Array.fromHex(session.secretHash).toBase64({ alphabet: "base64url", omitPadding: true });
  assertEquals(await find(`${session.id}.${asSecret}`, { store, now: start }), undefined);
});

Deno.test("findLiveSession() asks the store for nothing that is no id", async () => {
  const { store, token } = await keepSession();
  const asked: string[] = [];
  const spied: Store = Object.assign(Object.create(store), {
    findSession: (id: string) => {
      asked.push(id);
      return store.findSession(id);
    },
  });
  await find(`__proto__.${"A".repeat(43)}`, { store: spied, now: start });
  await find(`${"A".repeat(10_000)}.${"A".repeat(43)}`, { store: spied, now: start });
  assertEquals(asked, []);
  await find(token, { store: spied, now: start });
  assertEquals(asked, [token.slice(0, 26)]);
});

Deno.test("sessionCookie() gives the token to this host alone, over HTTPS alone, to no script", () => {
  const attributes = "Path=/; Secure; HttpOnly; SameSite=Lax";
  assertEquals(sessionCookie("abc.def", 2_592_000), `__Host-gatehouse=abc.def; Max-Age=2592000; ${attributes}`);
  assertEquals(sessionCookie("", 0), `__Host-gatehouse=; Max-Age=0; ${attributes}`);
});

Deno.test("sessionCookie() sets what presentedToken() reads", () => {
  const { token } = createSession("alice", client);
  const pair = sessionCookie(token, 60).split(";")[0] ?? "";
  assertEquals(presentedToken(new Headers({ cookie: pair })), { token, isCookie: true });
});
