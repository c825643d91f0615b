import { assertEquals } from "@std/assert";
import { Buffer } from "node:buffer";
import { type Ceremony, creationOptions, passkeyOrigin, requestOptions } from "../../../lib/factors/passkey.ts";
import { origin, registeredPasskey, user } from "../../support/factors/ceremony.ts";

const { authenticator, credential } = await registeredPasskey();
const ceremony: Ceremony = {
  origin,
  challenges: { issue: ({ login }) => login, open: () => undefined },
  scope: { purpose: "passkey-login", login: "AAAA", binding: "" },
};

Deno.test("creationOptions() demands a passkey that can log in alone, and offers the algorithms in order", () => {
  const options = creationOptions(ceremony, { user, title: "The lab", passkeys: [credential] });
  const id = authenticator.id.toString("base64url");
  assertEquals(options, {
    rp: { id: "login.example.com", name: "The lab" },
    user: { id: Buffer.from(user.id).toString("base64url"), name: "alice", displayName: "alice" },
    challenge: "AAAA",
    pubKeyCredParams: [-48, -8, -7, -257].map((alg) => ({ type: "public-key", alg })),
    timeout: 300_000,
    excludeCredentials: [{ type: "public-key", id }],
    authenticatorSelection: { residentKey: "required", requireResidentKey: true, userVerification: "required" },
    attestation: "none",
  });
});

Deno.test("requestOptions() names no passkeys and no user", () => {
  assertEquals(requestOptions({ ...ceremony, origin: "http://localhost:8000" }), {
    rpId: "localhost",
    challenge: "AAAA",
    timeout: 300_000,
    allowCredentials: [],
    userVerification: "required",
  });
});

for (
  const [origin, host, expected] of [
    ["https://login.example.com", "login.example.com", true],
    ["https://login.example.com:8443", "login.example.com:8443", true],
    ["http://localhost", "localhost", true],
    ["http://localhost:8000", "localhost:8000", true],
    ["http://login.example.com", "login.example.com", false],
    ["http://localhost.example.com", "localhost.example.com", false],
    ["http://127.0.0.1:8000", "127.0.0.1:8000", false],
    ["https://login.example.com", "example.com", false],
    ["null", "login.example.com", false],
    [undefined, "login.example.com", false],
  ] as const
) {
  Deno.test(`passkeyOrigin() ${expected ? "accepts" : "refuses"} ${origin} at ${host}`, () => {
    const headers = new Headers({ host, ...origin !== undefined && { origin } });
    assertEquals(passkeyOrigin({ headers, url: `http://${host}/` }), expected ? origin : undefined);
  });
}

Deno.test("passkeyOrigin() reads no text that is no origin, whatever Sec-Fetch-Site says of it", () => {
  const host = "login.example.com";
  const rows: readonly [origin: string, isAccepted: boolean][] = [
    [`https://${host}`, true],
    [`https://${"a.".repeat(126)}a:65534`, true],
    [`https://${"a.".repeat(127)}a:65534`, false],
    ["https://[", false],
    ["https://", false],
    ["https://a b", false],
    [`https://${host}:99999`, false],
    [`https://${host}:443`, false],
    [`https://${host}/`, false],
    [`https://user@${host}`, false],
    ["https://LOGIN.example.com", false],
    ["http://localhost:99999", false],
  ];
  for (const [origin, isAccepted] of rows) {
    const headers = new Headers({ host, origin, "sec-fetch-site": "same-origin" });
    assertEquals(passkeyOrigin({ headers, url: `http://${host}/` }), isAccepted ? origin : undefined, origin);
  }
});
