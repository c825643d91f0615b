import { assert, assertEquals } from "@std/assert";
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { coseAlgorithmIds } from "../../../lib/factors/cose_algorithm.ts";
import { Authenticator, type Deviation, flag } from "../../support/factors/authenticator.ts";
import {
  judgeAssertion,
  judgeRegistration,
  newCreationOptions,
  newRequestOptions,
  now,
  origin,
  registeredPasskey,
  user,
} from "../../support/factors/ceremony.ts";

const passkey = await registeredPasskey();
const other = await registeredPasskey();

for (const algorithm of coseAlgorithmIds) {
  Deno.test(`a passkey of the algorithm ${algorithm} is registered and logs in`, async () => {
    const authenticator = await Authenticator.create(algorithm);
    const outcome = await judgeRegistration(authenticator.register(newCreationOptions(), { origin, signCount: 7 }));
    assert(!("refused" in outcome), JSON.stringify(outcome));
    const id = authenticator.id.toString("base64url");
    assertEquals(outcome, {
      key: createHash("sha256").update(authenticator.id).digest("hex"),
      secret: `${algorithm}.${authenticator.publicKey.toString("base64url")}.${id}`,
      counter: now,
      signCount: 7,
    });
    const credential = { ...outcome, login: user.login, counter: 0 };
    const json = await authenticator.authenticate(newRequestOptions(), { origin, signCount: 8 });
    const expected = { counter: now, signCount: 8, isCounterStuck: false };
    assertEquals(await judgeAssertion(json, { credential }), expected);
    for (const signature of [changed, changedAtEnd]) {
      const other = await authenticator.authenticate(newRequestOptions(), { origin, signature });
      assertEquals(await judgeAssertion(other, { credential }), { refused: "signature" });
    }
  });
}

/** What is wrong in either ceremony, and the part that is refused; `undefined` if it is not. */
const common: readonly (readonly [what: string, deviation: Deviation, refused: string | undefined])[] = [
  ["no client data", { clientData: () => Buffer.from(" ") }, "type"],
  ["client data that is not JSON", { clientData: () => Buffer.from('{"type":') }, "type"],
  ["client data that is null", { clientData: () => Buffer.from("null") }, "type"],
  ["client data that is a list", { clientData: () => Buffer.from("[]") }, "type"],
  ["no type", { client: { type: undefined } }, "type"],
  ["another type", { client: { type: "payment.get" } }, "type"],
  ["no challenge", { client: { challenge: undefined } }, "challenge"],
  ["a challenge that is a number", { client: { challenge: 1 } }, "challenge"],
  ["a forged challenge", { client: { challenge: "A".repeat(72) } }, "challenge"],
  ["no origin", { client: { origin: undefined } }, "origin"],
  ["the origin of another site", { client: { origin: "https://login.example.net" } }, "origin"],
  ["the origin of a parent", { client: { origin: "https://example.com" } }, "origin"],
  ["the origin of a subdomain", { client: { origin: "https://a.login.example.com" } }, "origin"],
  ["the origin with another port", { client: { origin: `${origin}:8443` } }, "origin"],
  ["the origin with another scheme", { client: { origin: "http://login.example.com" } }, "origin"],
  ["the origin with a path", { client: { origin: `${origin}/` } }, "origin"],
  ["the origin in capitals", { client: { origin: origin.toUpperCase() } }, "origin"],
  ["a list with the origin", { client: { origin: [origin] } }, "origin"],
  ["no crossOrigin", { client: { crossOrigin: undefined } }, undefined],
  ["crossOrigin", { client: { crossOrigin: true } }, "cross-origin"],
  ["crossOrigin as text", { client: { crossOrigin: "false" } }, "cross-origin"],
  ["crossOrigin null", { client: { crossOrigin: null } }, "cross-origin"],
  ["a topOrigin", { client: { topOrigin: origin } }, "top-origin"],
  ["members of a later standard", { client: { extra: { deep: [] } } }, undefined],
  ["the RP ID of a parent", { rpId: "example.com" }, "rp-id"],
  ["the RP ID of another site", { rpId: "login.example.net" }, "rp-id"],
  ["the RP ID with the scheme", { rpId: origin }, "rp-id"],
];

/** All flags but AT and ED, with the reserved ones. */
const all = 0xff & ~(flag.AT | flag.ED);
/** Flags of a registration have AT too. */
const flagRows: readonly (readonly [what: string, flags: number, refused: string | undefined])[] = [
  ["no user present", all & ~flag.UP, "user-present"],
  ["user not verified", all & ~flag.UV, "user-verified"],
  ["backed up, but not eligible", all & ~flag.BE, "backup-state"],
  ["no user present, and no other flag", 0, "user-present"],
  ["eligible, not backed up", flag.UP | flag.UV | flag.BE, undefined],
  ["of one device", flag.UP | flag.UV, undefined],
  ["all but those of other parts, and reserved bits", all, undefined],
  ["user not verified, and no other flag", flag.UP, "user-verified"],
];

const registrationRows: typeof common = [
  ...common,
  ["the type of a login", { client: { type: "webauthn.get" } }, "type"],
  ...flagRows.map(([what, flags, refused]) => [what, { flags: flags | flag.AT }, refused] as const),
  ["no attested credential", { flags: all | flag.ED }, "attested-credential"],
  ["another id in the authenticator data", { attestedId: new Uint8Array(32) }, "credential-id"],
  ["a longer id there", { data: replaced(54, 33) }, "credential-id"],
  ["a shorter id there", { data: replaced(54, 31) }, "credential-id"],
  ["a far longer id there", { data: replaced(53, 1) }, "credential-id"],
  ["data that ends within the head", { data: (data) => data.subarray(0, 36) }, "authenticator-data"],
  ["data that ends within the RP ID", { data: (data) => data.subarray(0, 31) }, "authenticator-data"],
  ["data that ends after the head", { data: (data) => data.subarray(0, 37) }, "attested-credential"],
  ["data that ends within the id", { data: (data) => data.subarray(0, 86) }, "attested-credential"],
  ["data without a key", { data: (data) => data.subarray(0, 87) }, "attested-credential"],
];

const assertionRows: typeof common = [
  ...common,
  ["the type of a registration", { client: { type: "webauthn.create" } }, "type"],
  ...flagRows.map(([what, flags, refused]) => [what, { flags }, refused] as const),
  ["an attested credential", { flags: all | flag.AT }, "attested-credential"],
  ["no extensions", { flags: all | flag.ED }, "extensions"],
  [
    "extensions",
    { flags: flag.UP | flag.UV | flag.ED, data: (data) => Buffer.concat([data, Uint8Array.of(0xa0)]) },
    undefined,
  ],
  [
    "extensions without their flag",
    { flags: all, data: (data) => Buffer.concat([data, Uint8Array.of(0xa0)]) },
    "extensions",
  ],
  ["data that ends within the head", { data: (data) => data.subarray(0, 36) }, "authenticator-data"],
  ["data that ends within the RP ID", { data: (data) => data.subarray(0, 31) }, "authenticator-data"],
  [
    "the signature of other data",
    { signature: (signature) => signature.with(9, (signature[9] ?? 0) ^ 1) },
    "signature",
  ],
  ["half a signature", { signature: (signature) => signature.subarray(0, 35) }, "signature"],
  ["one byte as signature", { signature: () => Uint8Array.of(0x30) }, "signature"],
  ["more than a signature", { signature: (signature) => Buffer.concat([signature, Uint8Array.of(0)]) }, "signature"],
];

for (const [what, deviation, refused] of registrationRows) {
  Deno.test(`verifyRegistration() ${refused ? `refuses the ${refused}` : "accepts"}: ${what}`, async () => {
    const outcome = await judgeRegistration(
      passkey.authenticator.register(newCreationOptions(), { origin, ...deviation }),
    );
    assertEquals("refused" in outcome ? outcome.refused : undefined, refused);
  });
}

for (const [what, deviation, refused] of assertionRows) {
  Deno.test(`verifyAssertion() ${refused ? `refuses the ${refused}` : "accepts"}: ${what}`, async () => {
    const json = await passkey.authenticator.authenticate(newRequestOptions(), { origin, ...deviation });
    const outcome = await judgeAssertion(json, passkey);
    assertEquals("refused" in outcome ? outcome.refused : undefined, refused);
  });
}

const keyRows = [
  ["the key of another algorithm", { publicKeyAlgorithm: -8 }],
  ["an algorithm that is not offered", { publicKeyAlgorithm: -35 }],
  ["the algorithm 0", { publicKeyAlgorithm: 0 }],
  ["a key that is cut off", { publicKey: passkey.authenticator.publicKey.subarray(0, -1).toString("base64url") }],
] as const;
for (const [what, members] of keyRows) {
  Deno.test(`verifyRegistration() refuses the public-key: ${what}`, async () => {
    const json = passkey.authenticator.register(newCreationOptions(), { origin });
    const response = { ...json.response, ...members };
    assertEquals(await judgeRegistration({ ...json, response }), { refused: "public-key" });
  });
}

Deno.test("verifyRegistration() refuses the credential-id: that of another passkey in the JSON", async () => {
  const json = passkey.authenticator.register(newCreationOptions(), { origin });
  const id = other.authenticator.id.toString("base64url");
  assertEquals(await judgeRegistration({ ...json, id }), { refused: "credential-id" });
});

Deno.test("verifyRegistration() accepts an id of 1,023 bytes", async () => {
  const authenticator = await Authenticator.create(-8, { id: Buffer.alloc(1_023, 7) });
  const outcome = await judgeRegistration(authenticator.register(newCreationOptions(), { origin }));
  assert(!("refused" in outcome));
  assertEquals(outcome.key.length, 64);
});

const { credential } = passkey;
const assertionChanges: readonly (readonly [string, Parameters<typeof judgeAssertion>[1], string | undefined])[] = [
  ["the credential of another passkey", { credential: { ...credential, key: other.credential.key } }, "credential-id"],
  ["the credential of another user", { credential: { ...credential, login: "bob" } }, "credential-id"],
  ["another user's id", { credential, user: { ...user, id: user.id.replace("A", "B") } }, "user-handle"],
  ["the key of another passkey", { credential: { ...credential, secret: other.credential.secret } }, "signature"],
  ["a stored key that cannot be read", { credential: { ...credential, secret: "" } }, "signature"],
  ["a challenge before the last used one", { credential: { ...credential, counter: now + 1 } }, "used-challenge"],
  ["the last used challenge", { credential: { ...credential, counter: now } }, "used-challenge"],
  ["a challenge after the last used one", { credential: { ...credential, counter: now - 1 } }, undefined],
  ["used an hour ahead", { credential: { ...credential, counter: now + 3_600_000 } }, "used-challenge"],
  ["used when the clock was wrong", { credential: { ...credential, counter: now + 3_600_001 } }, undefined],
];
for (const [what, expectation, refused] of assertionChanges) {
  Deno.test(`verifyAssertion() ${refused ? `refuses the ${refused}` : "accepts"}: ${what}`, async () => {
    const json = await passkey.authenticator.authenticate(newRequestOptions(), { origin });
    const outcome = await judgeAssertion(json, expectation);
    assertEquals("refused" in outcome ? outcome.refused : undefined, refused);
  });
}

for (const [isAlone, refused] of [[true, "user-handle"], [false, undefined]] as const) {
  Deno.test(`verifyAssertion() judges a response without user handle, isAlone: ${isAlone}`, async () => {
    const { response, ...json } = await passkey.authenticator.authenticate(newRequestOptions(), { origin });
    const { userHandle: _, ...rest } = response;
    const outcome = await judgeAssertion({ ...json, response: rest }, { credential, isAlone });
    assertEquals("refused" in outcome ? outcome.refused : undefined, refused);
  });
}

Deno.test("verifyAssertion() accepts an unverified user as second factor", async () => {
  const json = await passkey.authenticator.authenticate(newRequestOptions(), { origin, flags: flag.UP });
  const outcome = await judgeAssertion(json, { credential, isAlone: false });
  assertEquals(outcome, { counter: now, signCount: 0, isCounterStuck: false });
});

for (
  const [stored, sent, isCounterStuck] of [
    [0, 0, false],
    [0, 1, false],
    [1, 2, false],
    [5, 0xffffffff, false],
    [1, 1, true],
    [2, 1, true],
    [1, 0, true],
  ] as const
) {
  Deno.test(`verifyAssertion() ${isCounterStuck ? "reports" : "takes"} the count ${sent} after ${stored}`, async () => {
    const json = await passkey.authenticator.authenticate(newRequestOptions(), { origin, signCount: sent });
    const outcome = await judgeAssertion(json, { credential: { ...credential, signCount: stored } });
    assertEquals(outcome, { counter: now, signCount: sent, isCounterStuck });
  });
}

function replaced(at: number, value: number) {
  return (data: Buffer) => data.with(at, value);
}

function changed(signature: Buffer): Uint8Array {
  return signature.with(20, (signature[20] ?? 0) ^ 1);
}

function changedAtEnd(signature: Buffer): Uint8Array {
  return signature.with(-1, (signature.at(-1) ?? 0) ^ 1);
}
