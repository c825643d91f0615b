// Random changes as bytes, and random damage of these bytes: a checksum does not prove who made them.
import { assert, assertEquals } from "@std/assert";
import { decodeChanges, encodeChanges } from "../../../../lib/store/file/change.ts";
import { idOfOldTicket } from "../../../../lib/store/rules.ts";
import { secretOf, sessionOf, siteOf, ticketOf, userOf } from "../../../support/store/records.ts";
// fast-check: see odd.ts.
import fc from "npm:fast-check@4.10.2";

const key = fc.string({ minLength: 1, maxLength: 64, unit: "binary-ascii" });
const login = fc.string({ minLength: 1, maxLength: 64, unit: fc.constantFrom(..."abz09._-@+") });
const text = fc.string({ maxLength: 300, unit: "binary" });
const time = fc.integer({ min: 0, max: Date.UTC(9_999, 0) });
const sites = fc.uniqueArray(login.map((host) => siteOf(`https://${host}`)), {
  maxLength: 3,
  selector: ({ origin }) => origin,
});
const groups = fc.array(login, { maxLength: 3 });

/** Any change of any kind. */
const anyChange = fc.oneof(
  fc.tuple(key, login, text, time, groups, fc.boolean()).map((
    [id, login, passwordHash, registeredAt, groups, disabled],
  ) => ({ kind: "user", record: userOf(login, { id, passwordHash, registeredAt, groups, disabled }) }) as const),
  login.map((login) => ({ kind: "user", deletedKey: login }) as const),
  fc.tuple(login, key, time, text, sites).map(([login, id, lastSeenAt, userAgent, sites]) =>
    ({ kind: "session", record: sessionOf(login, id, { lastSeenAt, userAgent, sites }) }) as const
  ),
  key.map((id) => ({ kind: "session", deletedKey: id }) as const),
  fc.tuple(key, login, time).map(([hash, login, expiresAt]) =>
    ({ kind: "ticket", record: ticketOf(hash, { id: idOfOldTicket(hash), login, expiresAt }) }) as const
  ),
  key.map((secretHash) => ({ kind: "ticket", deletedKey: secretHash }) as const),
  fc.tuple(key, key).map(([name, value]) => secretOf(name, value)),
);
const anyChanges = fc.array(anyChange, { maxLength: 20 });

Deno.test("decodeChanges() gives back whatever changes encodeChanges() was given", () => {
  fc.assert(fc.property(anyChanges, (changes) => assertEquals(decodeChanges(encodeChanges(changes)), changes)), {
    numRuns: 300,
  });
});

Deno.test("decodeChanges() of damaged bytes throws, or returns changes that can be stored", () => {
  let refused = 0;
  const damage = fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { minLength: 1, maxLength: 4 });
  const property = fc.property(anyChanges, damage, (changes, places) => {
    const bytes = Uint8Array.from(encodeChanges(changes));
    for (const [index, value] of places) bytes[index % bytes.length] = value;
    try {
      const found = decodeChanges(bytes);
      assertEquals(decodeChanges(encodeChanges(found)), found);
    } catch (error) {
      if (!(error instanceof Error) || error.name === "AssertionError") throw error;
      refused++;
    }
  });
  fc.assert(property, { numRuns: 2_000 });
  assert(refused > 100);
});
