import { assertEquals, assertStringIncludes } from "@std/assert";
import { readConfig } from "../../../lib/config/config.ts";
import { configWarnings } from "../../../lib/config/config_warnings.ts";

Deno.test("configWarnings() names what is weak and the value to set", () => {
  const weak: readonly (readonly [name: string, weak: string, sound: string, part: string])[] = [
    ["GATEHOUSE_PBKDF2_ITERATIONS", "599999", "600000", "is 599999, which makes the passwords of a stolen"],
    ["GATEHOUSE_PBKDF2_ITERATIONS", "1000", "10000000", "cheap to guess: set it to 600000 or more"],
    [
      "GATEHOUSE_PASSWORD_MIN_LENGTH",
      "14",
      "15",
      "is 14, which is short for a password that stands alone: set it",
    ],
    [
      "GATEHOUSE_LOGIN_ERRORS",
      "exact",
      "uniform",
      'is "exact", which tells anyone who asks which logins exist',
    ],
  ];
  for (const [name, weakText, soundText, part] of weak) {
    const warnings = configWarnings(readConfig({ [name]: weakText }));
    assertEquals(warnings.length, 1);
    assertStringIncludes(warnings[0] ?? "", `${name} is `);
    assertStringIncludes(warnings[0] ?? "", part);
    assertEquals(configWarnings(readConfig({ [name]: soundText })), []);
  }
});
