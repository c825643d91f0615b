import { assertEquals } from "@std/assert";
import { basicCredentials } from "../../../lib/accounts/basic_auth.ts";
import type { Credentials } from "../../../lib/accounts/request_schemas.ts";

/** The header that carries a text, as UTF-8 in base64. */
function basicOf(text: string): string {
  return `Basic ${new TextEncoder().encode(text).toBase64()}`;
}

/** What is read of a header. */
function read(authorization: string): Credentials | undefined {
  return basicCredentials(new Headers({ authorization }));
}

const good: readonly [text: string, login: string, password: string][] = [
  ["alice:secret", "alice", "secret"],
  ["alice:", "alice", ""],
  [":secret", "", "secret"],
  [":", "", ""],
  ["alice:with:colons:", "alice", "with:colons:"],
  ["ALICE:Secret", "alice", "Secret"],
  // The Kelvin sign: no small letter of it is a "k".
  ["\u212aate:secret", "\u212aate", "secret"],
  ["zoe:sept éléphants à Nîmes 🐘", "zoe", "sept éléphants à Nîmes 🐘"],
  [" alice : secret ", " alice ", " secret "],
  ["alice:a\tb\0", "alice", "a\tb\0"],
  ["\ufeffalice:\ufeffsecret", "\ufeffalice", "\ufeffsecret"],
  [`${"a".repeat(64)}:${"x".repeat(4_096)}`, "a".repeat(64), "x".repeat(4_096)],
];

for (const [text, login, password] of good) {
  Deno.test(`basicCredentials() reads a login and a password as they are: ${JSON.stringify(text.slice(0, 40))}`, () => {
    assertEquals(read(basicOf(text)), { login, password });
  });
}

const alice = basicOf("alice:secret");

Deno.test("basicCredentials() takes the scheme in whatever capitals, and base64 without padding", () => {
  const credentials = { login: "alice", password: "secret" };
  for (const header of [alice, alice.replace("Basic", "BASIC"), alice.replace("Basic ", "basic   ")]) {
    assertEquals(read(header), credentials, header);
  }
  const padded = basicOf("alice:a");
  assertEquals(padded.endsWith("="), true);
  assertEquals(read(padded.replace(/=+$/, "")), read(padded));
});

const bad: readonly [what: string, header: string][] = [
  ["nothing", ""],
  ["more than anybody's credentials", basicOf(`alice:${"x".repeat(5_000)}`)],
  ["the scheme alone", "Basic"],
  ["the scheme and a blank", "Basic "],
  ["another scheme", alice.replace("Basic", "Bearer")],
  ["a scheme that begins alike", alice.replace("Basic", "Basics")],
  ["a scheme that ends alike", `x${alice}`],
  ["no blank", alice.replace(" ", "")],
  ["a tab", alice.replace(" ", "\t")],
  ["two of them", `${alice}, ${alice}`],
  ["something behind", `${alice} x`],
  ["a parameter", `${alice},realm="x"`],
  ["plain text", "Basic alice:secret"],
  ["no base64", "Basic !!!!"],
  ["base64 of another length", `${alice}A`],
  ["too much padding", `${alice}=`],
  ["padding in the middle", alice.replace("Basic YW", "Basic YW==")],
  ["base64url", `Basic ${new Uint8Array([97, 58, 0xfb, 0xef, 0xff]).toBase64({ alphabet: "base64url" })}`],
  ["no colon", basicOf("alice")],
  ["no text", `Basic ${new Uint8Array([]).toBase64()}`],
  ["no UTF-8", `Basic ${new Uint8Array([97, 58, 0xff]).toBase64()}`],
  ["Latin-1", `Basic ${new Uint8Array([97, 58, 0xe9]).toBase64()}`],
  ["a surrogate in UTF-8", `Basic ${new Uint8Array([97, 58, 0xed, 0xa0, 0x80]).toBase64()}`],
];

for (const [what, header] of bad) {
  Deno.test(`basicCredentials() finds none in what is not well formed: ${what}`, () => {
    assertEquals(read(header), undefined);
  });
}

Deno.test("basicCredentials() finds none without the header", () => {
  assertEquals(basicCredentials(new Headers({ "proxy-authorization": alice })), undefined);
});
