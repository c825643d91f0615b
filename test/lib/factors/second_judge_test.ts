/**
 * The same ceremonies judged by `@simplewebauthn/server`: good ones of each algorithm, and a thousand that are changed
 * at random. Both must accept the same, except where a row says why not.
 */

import { assert, assertEquals } from "@std/assert";
import { Buffer } from "node:buffer";
// The library of most services on Node.js and Deno: a second opinion on every check, by other authors.
import { verifyAuthenticationResponse, verifyRegistrationResponse } from "npm:@simplewebauthn/server@14.0.3";
// fast-check: makes the changes, repeats them by a seed, and cuts one that fails down to its essence.
import fc from "npm:fast-check@4.10.2";
import { coseAlgorithmIds } from "../../../lib/factors/cose_algorithm.ts";
import { type AssertionJson, type Deviation, flag } from "../../support/factors/authenticator.ts";
import {
  judgeAssertion,
  judgeRegistration,
  newCreationOptions,
  newRequestOptions,
  origin,
  registeredPasskey,
} from "../../support/factors/ceremony.ts";

const expected = { expectedOrigin: origin, expectedRPID: "login.example.com", requireUserVerification: true };
const passkeys = await Promise.all(coseAlgorithmIds.map((algorithm) => registeredPasskey(algorithm)));
const [passkey = await registeredPasskey()] = passkeys;

type Passkey = typeof passkey;
/** Whether each judge accepts. */
type Verdicts = readonly [own: boolean, other: boolean];
/** Where the attested id begins, with its length. The judges read it, and the key behind it, differently. */
const idLengthAt = 53;

async function otherAccepts(judge: () => Promise<{ readonly verified: boolean }>): Promise<boolean> {
  try {
    return (await judge()).verified;
  } catch {
    // It throws most refusals.
    return false;
  }
}

/** Registers with a deviation. */
async function register({ authenticator }: Passkey, deviation: Deviation = {}): Promise<Verdicts> {
  const options = newCreationOptions();
  const response = authenticator.register(options, { origin, ...deviation });
  const { challenge: expectedChallenge } = options;
  return [
    !("refused" in await judgeRegistration(response)),
    await otherAccepts(() => verifyRegistrationResponse({ response, expectedChallenge, ...expected })),
  ];
}

/** Logs in with a deviation. */
async function logIn(passkey: Passkey, deviation: Deviation = {}): Promise<Verdicts> {
  const options = newRequestOptions();
  const json = await passkey.authenticator.authenticate(options, { origin, ...deviation });
  return await assertionVerdicts(json, { passkey, options });
}

async function assertionVerdicts(
  response: AssertionJson,
  { passkey, options }: { readonly passkey: Passkey; readonly options: ReturnType<typeof newRequestOptions> },
): Promise<Verdicts> {
  const { authenticator: { id, coseKey }, credential: own } = passkey;
  const credential = { id: id.toString("base64url"), publicKey: Uint8Array.from(coseKey), counter: own.signCount };
  const { challenge: expectedChallenge } = options;
  return [
    !("refused" in await judgeAssertion(response, { credential: own })),
    await otherAccepts(() => verifyAuthenticationResponse({ response, expectedChallenge, credential, ...expected })),
  ];
}

for (const passkey of passkeys) {
  Deno.test(`both judges accept a passkey of the algorithm ${passkey.authenticator.algorithm}`, async () => {
    assertEquals(await register(passkey), [true, true]);
    assertEquals(await logIn(passkey), [true, true]);
  });
}

const allFlags = flag.UP | flag.UV | flag.BE | flag.BS | flag.AT | flag.ED;
const cutKey = (data: Buffer) => data.subarray(0, idLengthAt + 2 + passkey.authenticator.id.length + 1);
const byDesign: readonly (readonly [what: string, verdicts: Promise<Verdicts>, isAccepted: boolean])[] = [
  ["a frame of another site at the registration", register(passkey, { client: { crossOrigin: true } }), false],
  ["a frame of another site", logIn(passkey, { client: { crossOrigin: true } }), false],
  ["an id that differs from the attested one", register(passkey, { attestedId: Buffer.alloc(32) }), false],
  ["a COSE key that cannot be read, as the SPKI counts", register(passkey, { data: cutKey }), true],
  ["the flag of extensions without extensions", register(passkey, { flags: allFlags }), true],
  ["a counter that has not grown, with a warning", logIn(counting(passkey), { signCount: 5 }), true],
];
for (const [what, verdicts, isAccepted] of byDesign) {
  Deno.test(`only ${isAccepted ? "this service" : "the other judge"} accepts ${what}`, async () => {
    assertEquals(await verdicts, [isAccepted, !isAccepted]);
  });
}

function counting(passkey: Passkey): Passkey {
  return { ...passkey, credential: { ...passkey.credential, signCount: 5 } };
}

/** A change of some bytes. */
const change = fc.record({
  kind: fc.constantFrom("cut", "drop", "insert", "flip"),
  at: fc.nat({ max: 2 ** 30 }),
  value: fc.integer({ min: 1, max: 255 }),
}).map(({ kind, at, value }) => (bytes: Uint8Array, end: number) => {
  const index = at % end;
  const [before, after] = [bytes.subarray(0, index), bytes.subarray(index + 1)];
  if (kind === "cut") return before;
  const middle = { drop: [], insert: [value, bytes[index] ?? 0], flip: [(bytes[index] ?? 0) ^ value] }[kind];
  return Buffer.from([...before, ...middle, ...after]);
});
const value = fc.oneof(
  fc.constantFrom("webauthn.get", "webauthn.create", origin, `${origin}:443`, null, undefined),
  fc.anything(),
);
/** Not -48 and -257, which take four times as long. */
const index = fc.constantFrom(coseAlgorithmIds.indexOf(-8), coseAlgorithmIds.indexOf(-7));

/** Changes of a part of a response before it is signed. @param limits where they apply in the authenticator data */
function deviations({ dataEnd, flagMask }: { readonly dataEnd: number; readonly flagMask: number }) {
  return fc.oneof<fc.Arbitrary<Deviation>[]>(
    fc.tuple(fc.constantFrom("type", "challenge", "origin", "other"), value)
      .map(([name, value]) => ({ client: { [name]: value } })),
    change.map((apply) => ({ clientData: (data) => apply(data, data.length) })),
    fc.nat({ max: 255 }).map((flags) => ({ flags: flags & flagMask })),
    change.map((apply) => ({ data: (data) => apply(data, Math.min(dataEnd, data.length)) })),
  );
}

Deno.test("both judges accept and refuse changed registrations alike", async () => {
  const changed = deviations({ dataEnd: idLengthAt, flagMask: ~flag.ED });
  const counts = await compare(fc.tuple(index, changed), ([index, deviation]) => register(passkeyAt(index), deviation));
  assert(counts.accepted > 20 && counts.refused > 200, JSON.stringify(counts));
});

Deno.test("both judges accept and refuse changed assertions alike that are signed", async () => {
  const changed = deviations({ dataEnd: Infinity, flagMask: ~0 });
  const counts = await compare(fc.tuple(index, changed), ([index, deviation]) => logIn(passkeyAt(index), deviation));
  assert(counts.accepted > 20 && counts.refused > 200, JSON.stringify(counts));
});

Deno.test("both judges refuse assertions that are changed after they were signed", async () => {
  const part = fc.constantFrom("clientDataJSON", "authenticatorData", "signature");
  const counts = await compare(fc.tuple(index, part, change), async ([index, part, apply]) => {
    const options = newRequestOptions();
    const { response, ...json } = await passkeyAt(index).authenticator.authenticate(options, { origin });
    const bytes = Buffer.from(response[part], "base64url");
    const changed = { ...response, [part]: Buffer.from(apply(bytes, bytes.length)).toString("base64url") };
    return await assertionVerdicts({ ...json, response: changed }, { passkey: passkeyAt(index), options });
  });
  assertEquals(counts.accepted, 0);
});

/** Compares the judges on 350 random responses. */
async function compare<T>(arbitrary: fc.Arbitrary<T>, judge: (value: T) => Promise<Verdicts>) {
  const counts = { accepted: 0, refused: 0 };
  const property = fc.asyncProperty(arbitrary, async (value) => {
    const [own, other] = await judge(value);
    assertEquals(own, other);
    counts[own ? "accepted" : "refused"]++;
  });
  await fc.assert(property, { seed: 20_261_127, numRuns: 350 });
  return counts;
}

function passkeyAt(index: number): Passkey {
  return passkeys[index] ?? passkey;
}
