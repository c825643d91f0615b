/** Whom a second factor is required of, and what counts as one. */
import { assertEquals } from "@std/assert";
import { hasSecondFactor, provableFactors, requiresSecondFactor } from "../../../lib/factors/second_factor.ts";
import { type Credential, type Factor, isSecondFactor } from "../../../lib/store.ts";
import { credentialOf, sessionOf, userOf } from "../../support/store/records.ts";

const alice = userOf("alice");
const grace = userOf("grace", { groups: ["admin"] });
/** No administrator: that group has another name. */
const heidi = userOf("heidi", { groups: ["admins"] });

Deno.test("hasSecondFactor() wants more than a password", () => {
  const rows: readonly [isEnough: boolean, ...factors: Factor[]][] = [
    [false],
    [false, "password"],
    [true, "passkey"],
    [true, "password", "totp"],
    [true, "password", "recovery"],
  ];
  for (const [isEnough, ...factors] of rows) {
    assertEquals(hasSecondFactor(sessionOf("alice", "s", { factors })), isEnough, factors.join());
  }
});

Deno.test("requiresSecondFactor() follows the setting", () => {
  const required = (["optional", "admins", "all"] as const).map((secondFactor) => {
    return [alice, grace, heidi].filter((user) => requiresSecondFactor(user, { secondFactor })).map(({ login }) =>
      login
    );
  });
  assertEquals(required, [[], ["grace"], ["alice", "grace", "heidi"]]);
});

Deno.test("isSecondFactor() and provableFactors() count passkeys and TOTP, no recovery codes and app passwords", () => {
  const of = (kind: Credential["kind"]) => credentialOf("grace", kind, { kind });
  const others = [of("recovery"), of("app-password")];
  const rows = [
    ["passkey", ["passkey", "recovery"]],
    ["totp", ["totp", "recovery"]],
    ["recovery", []],
    ["app-password", []],
  ] as const;
  for (const [kind, provable] of rows) {
    assertEquals(isSecondFactor({ kind }), provable.length > 0);
    assertEquals<unknown>(provableFactors([...others, of(kind)]), provable);
  }
  assertEquals(provableFactors([]), []);
});
