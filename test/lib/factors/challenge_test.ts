import { assert, assertEquals, assertMatch, assertNotEquals, assertStringIncludes } from "@std/assert";
import { Buffer } from "node:buffer";
import { decodeBase64url } from "../../../lib/factors/encoding.ts";
import {
  ceremonyBinding,
  ceremonyCookie,
  challengeMs,
  Challenges,
  type ChallengeScope,
} from "../../../lib/factors/challenge.ts";
import { storedKey, type StoredKeyOptions } from "../../../lib/accounts/stored_key.ts";
import { createLog } from "../../../lib/log.ts";
import { StoreFullError } from "../../../lib/store.ts";
import { TableStore } from "../../../lib/store/memory/table_store.ts";

const now = Date.parse("2026-11-27T04:00:00Z");
const scope: ChallengeScope = { purpose: "passkey-login", login: "alice", binding: "browser" };
const at = (now: number) => new Challenges("a key", () => now);
const challenges = at(now);
const challenge = challenges.issue(scope);

Deno.test("Challenges opens its own challenge, until five minutes later", () => {
  const opened = challenges.open(challenge, scope);
  assertEquals(opened?.issuedAt, now);
  assertEquals(opened?.payload.length, 16);
  assertEquals(at(now + challengeMs - 1).open(challenge, scope)?.issuedAt, now);
  assertEquals(at(now + challengeMs).open(challenge, scope), undefined);
});

Deno.test("Challenges accepts a clock that is up to a minute behind", () => {
  assertEquals(at(now - 60_000).open(challenge, scope)?.issuedAt, now);
  assertEquals(at(now - 60_001).open(challenge, scope), undefined);
});

Deno.test("Challenges never repeats a challenge", () => {
  assertEquals(new Set(Array.from({ length: 1_000 }, () => challenges.issue(scope))).size, 1_000);
});

Deno.test("Challenges carries a payload, also the longest and an empty one", () => {
  for (const length of [0, 20, 64]) {
    const payload = Buffer.alloc(length, 7);
    const issued = challenges.issue(scope, payload);
    assertEquals(challenges.open(issued, scope)?.payload, payload);
  }
  assertEquals(challenges.open(challenges.issue(scope, Buffer.alloc(65)), scope), undefined);
});

const otherScopes: Readonly<Record<string, Partial<ChallengeScope>>> = {
  "another purpose": { purpose: "totp-setup" },
  "another login": { login: "bob" },
  "no login": { login: "" },
  "another browser": { binding: "browser2" },
  "no browser": { binding: "" },
  "a login that takes over the browser": { login: 'alice","browser', binding: "" },
};
for (const [what, other] of Object.entries(otherScopes)) {
  Deno.test(`Challenges refuses a challenge for ${what}`, () => {
    assertEquals(challenges.open(challenge, { ...scope, ...other }), undefined);
  });
}

Deno.test("Challenges refuses a challenge of another register", () => {
  assertEquals(new Challenges("another key", () => now).open(challenge, scope), undefined);
});

Deno.test("Challenges refuses a challenge of which any byte is another, or that is cut off", () => {
  const bytes = Buffer.from(challenge, "base64url");
  for (const index of bytes.keys()) {
    const forged = Buffer.from(bytes.with(index, (bytes[index] ?? 0) ^ 1)).toString("base64url");
    assertEquals(challenges.open(forged, scope), undefined, `byte ${index}`);
    assertEquals(challenges.open(bytes.subarray(0, index).toString("base64url"), scope), undefined);
  }
});

for (
  const value of [undefined, null, 7, {}, [challenge], "", "=", `${challenge}=`, ` ${challenge}`, "A".repeat(9_999)]
) {
  Deno.test(`Challenges refuses ${JSON.stringify(value)?.slice(0, 20)}`, () => {
    assertEquals(challenges.open(value, scope), undefined);
  });
}

/** As `openApp` does. */
async function openChallenges(options: StoredKeyOptions): Promise<Challenges> {
  return new Challenges(await storedKey("ceremony", options), () => now);
}

Deno.test("storedKey() lets each instance open the challenges of its register, and of no other", async () => {
  const log = createLog(() => {});
  const store = new TableStore();
  const [one, two] = await Promise.all([openChallenges({ store, log }), openChallenges({ store, log })]);
  const other = await openChallenges({ store: new TableStore(), log });
  const issued = one.issue(scope);
  assertEquals(two.open(issued, scope)?.issuedAt, now);
  assertEquals(other.open(issued, scope), undefined);
});

Deno.test("storedKey() warns of a key that cannot be stored, and works without", async () => {
  class FullStore extends TableStore {
    override ensureSecret(): Promise<string> {
      return Promise.reject(new StoreFullError("full"));
    }
  }
  const lines: string[] = [];
  const one = await openChallenges({ store: new FullStore(), log: createLog((line) => lines.push(line)) });
  assertEquals(one.open(one.issue(scope), scope)?.issuedAt, now);
  assertEquals(lines.length, 1);
  assertStringIncludes(lines[0] ?? "", '"event":"key-not-stored"');
  assertStringIncludes(lines[0] ?? "", '"key":"ceremony"');
});

Deno.test("ceremonyBinding() makes a value for each browser, which its cookie keeps", () => {
  const binding = ceremonyBinding(new Headers());
  assertMatch(binding, /^[A-Za-z0-9_-]{22}$/);
  assertNotEquals(ceremonyBinding(new Headers()), binding);
  const cookie = ceremonyCookie(binding);
  const attributes = "Max-Age=300; Path=/; Secure; HttpOnly; SameSite=Lax";
  assertEquals(cookie, `__Host-gatehouse-ceremony=${binding}; ${attributes}`);
  const headers = new Headers({ cookie: `other=1; __Host-gatehouse-ceremony=${binding}` });
  assertEquals(ceremonyBinding(headers), binding);
});

for (const value of ["", "short", "A".repeat(23), `${"A".repeat(21)}!`]) {
  Deno.test(`ceremonyBinding() replaces the cookie "${value}"`, () => {
    const headers = new Headers({ cookie: `__Host-gatehouse-ceremony=${value}` });
    const binding = ceremonyBinding(headers);
    assertMatch(binding, /^[A-Za-z0-9_-]{22}$/);
    assertNotEquals(binding, ceremonyBinding(headers));
  });
}

for (
  const [text, expected] of [
    ["AA", [0]],
    ["__-_", [255, 255, 191]],
    ["AB", undefined],
    ["A", undefined],
    ["AA==", undefined],
    ["A A", undefined],
    ["+/+/", undefined],
    ["AA\n", undefined],
    ["", undefined],
    ["AAAA", [0, 0, 0]],
    ["AAAAAA", undefined],
    [7, undefined],
  ] as const
) {
  Deno.test(`decodeBase64url() ${expected ? "reads" : "refuses"} ${JSON.stringify(text)}, at most 3 bytes`, () => {
    const bytes = decodeBase64url(text, 3);
    assertEquals(bytes?.toString("hex"), expected && Buffer.from(expected).toString("hex"));
    assert(bytes === undefined || bytes.length <= 3);
  });
}
