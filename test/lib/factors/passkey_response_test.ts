import { assert, assertEquals } from "@std/assert";
import { Buffer } from "node:buffer";
// ajv: validates a response by the schema that clients read, which must not differ from what the parser accepts.
import { Ajv2020 } from "npm:ajv@8.20.0/dist/2020.js";
import { passkeyAssertion, passkeyRegistration } from "../../../lib/factors/passkey_response.ts";
import type { Field } from "../../../lib/http/schema.ts";
import { newCreationOptions, newRequestOptions, origin, registeredPasskey } from "../../support/factors/ceremony.ts";

const { authenticator } = await registeredPasskey(-8);
const registration = authenticator.register(newCreationOptions(), { origin });
const assertion = await authenticator.authenticate(newRequestOptions(), { origin });
const ajv = new Ajv2020();
const ofBytes = (length: number) => Buffer.alloc(length, 7).toString("base64url");

/** The detail of the error that a field reports, or "" if it accepts the value; by the schema too. */
function judge(field: Field<unknown>, value: unknown): { readonly detail: string; readonly isValid: boolean } {
  const errors: string[] = [];
  const parsed = field.parse(value, ({ code, detail }) => void errors.push(`${code} ${detail}`));
  assertEquals(parsed === undefined, errors.length > 0);
  assert(errors.length <= 1);
  return { detail: errors[0] ?? "", isValid: ajv.validate(field.schema, value) };
}

Deno.test("passkeyRegistration and passkeyAssertion read what a browser sends", () => {
  assertEquals(judge(passkeyRegistration, registration), { detail: "", isValid: true });
  assertEquals(judge(passkeyAssertion, assertion), { detail: "", isValid: true });
});

Deno.test("passkeyAssertion reads the bytes, and leaves out what the service does not use", () => {
  const { id, response } = assertion;
  const value = passkeyAssertion.parse({ ...assertion, more: 1 }, () => undefined);
  const text = Object.entries(value ?? {}).map(([name, bytes]) => [name, bytes?.toString("base64url")]);
  assertEquals(Object.fromEntries(text), { id, ...response });
});

/** The longest values, in bytes. */
const limits = { id: 1_023, clientDataJSON: 2_048, authenticatorData: 4_096 };
const rows: readonly (readonly [Field<unknown>, object & { response: object }, Readonly<Record<string, number>>])[] = [
  [passkeyRegistration, registration, { ...limits, publicKey: 2_048 }],
  [passkeyAssertion, assertion, { ...limits, signature: 3_072, userHandle: 64 }],
];
for (const [field, good, members] of rows) {
  for (const [member, maxBytes] of Object.entries(members)) {
    const withValue = (value: unknown) =>
      member === "id" ? { ...good, id: value } : { ...good, response: { ...good.response, [member]: value } };

    Deno.test(`${field.schema["$id"]} has a ${member} of 1 to ${maxBytes} bytes as base64url`, () => {
      for (const value of [ofBytes(1), ofBytes(maxBytes), "__-_"]) {
        assertEquals(judge(field, withValue(value)), { detail: "", isValid: true });
      }
      const range = maxBytes.toLocaleString("en");
      const detail = `invalid-passkey ${member}: Must be 1 to ${range} bytes as base64url without padding.`;
      for (const value of ["", ofBytes(maxBytes + 2), "AA==", "+/+/", "A A", 7, null, ["AA"], {}]) {
        assertEquals(judge(field, withValue(value)), { detail, isValid: false }, JSON.stringify(value));
      }
      // The schema cannot tell bits that count for nothing.
      assertEquals(judge(field, withValue("AB")).detail, detail);
      const isOptional = member === "userHandle";
      const outcome = { detail: isOptional ? "" : detail, isValid: isOptional };
      assertEquals(judge(field, withValue(undefined)), outcome);
    });
  }

  for (const value of [undefined, null, 7, "text", [], {}, { id: "AA" }, { id: "AA", response: null }]) {
    Deno.test(`${field.schema["$id"]} is not ${JSON.stringify(value)}`, () => {
      assert(judge(field, value).detail.startsWith("invalid-passkey "));
    });
  }
}

for (const value of [undefined, null, "-7", 1.5, NaN, Infinity, []]) {
  Deno.test(`PasskeyRegistration has no publicKeyAlgorithm ${value}`, () => {
    const { response } = registration;
    const { detail } = judge(passkeyRegistration, {
      ...registration,
      response: { ...response, publicKeyAlgorithm: value },
    });
    assertEquals(detail, "invalid-passkey publicKeyAlgorithm: Must be a whole number.");
  });
}
