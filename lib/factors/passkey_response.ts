/**
 * The responses of authenticators in bodies: what `PublicKeyCredential.toJSON()` of a browser returns (W3C WebAuthn
 * Level 3, 5.1), of which the service reads these members. It ignores the others, as browsers add some.
 */

import type { FieldError } from "../http/http_error.ts";
import { type Field, type Fields, type Members, parseFields, schemasOf, type Values } from "../http/schema.ts";
import { type Bytes, decodeBase64url } from "./encoding.ts";

const code = "invalid-passkey";
const wholeNumber: Field<number> = {
  schema: { type: "integer" },
  parse(value, report) {
    return Number.isSafeInteger(value) ? Number(value) : report({ code, detail: "Must be a whole number." });
  },
};

/** The length of the id is that of W3C WebAuthn Level 3, 4. With it and a key of ML-DSA-44 the data has 2,400 bytes. */
const common = { id: bytes(1_023), clientDataJSON: bytes(2_048), authenticatorData: bytes(4_096) };
/** ML-DSA-44 has the longest keys and signatures: 1,334 and 2,420 bytes. */
const registration = { ...common, publicKey: bytes(2_048), publicKeyAlgorithm: wholeNumber };
const assertion = { ...common, signature: bytes(3_072), userHandle: optional(bytes(64)) };

export type PasskeyRegistration = Values<typeof registration>;
export type PasskeyAssertion = Values<typeof assertion>;

/** The response to `creationOptions`. */
export const passkeyRegistration = responseField("PasskeyRegistration", registration);
/** The response to `requestOptions`. */
export const passkeyAssertion = responseField("PasskeyAssertion", assertion);

function bytes(maxBytes: number): Field<Bytes> {
  const detail = `Must be 1 to ${maxBytes.toLocaleString("en")} bytes as base64url without padding.`;
  return {
    schema: { type: "string", pattern: "^[A-Za-z0-9_-]+$", maxLength: Math.ceil(maxBytes * 4 / 3) },
    parse: (value, report) => decodeBase64url(value, maxBytes) ?? report({ code, detail }),
  };
}

function optional<T>({ schema, parse }: Field<T>): Field<T | undefined> {
  return { schema, parse: (value, report) => value === undefined ? undefined : parse(value, report) };
}

function responseField<F extends Fields>(name: string, fields: F): Field<Values<F>> {
  const { id = {}, ...members } = schemasOf(fields);
  const required = Object.keys(members).filter((member) => member !== "userHandle");
  return {
    schema: {
      $id: name,
      type: "object",
      required: ["id", "response"],
      properties: { id, response: { type: "object", required, properties: members } },
      description: "What `toJSON()` of a browser's PublicKeyCredential returns. Other members are ignored.",
    },
    parse(value, report) {
      const { id, response } = { ...value as object } as Members;
      const errors: FieldError[] = [];
      const values = parseFields(fields, { members: { ...response as object, id }, errors });
      const [error] = errors;
      // Without errors every value has the type of its field.
      if (error === undefined) return values as Values<F>;
      return report({ code, detail: `${error.pointer.slice(1)}: ${error.detail}` });
    },
  };
}
