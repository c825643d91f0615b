import { serialize } from "node:v8";
import { assert, assertEquals, assertThrows } from "@std/assert";
import type { Change } from "../../../lib/store.ts";
import { decodeChanges, encodeChanges } from "../../../lib/store/change.ts";
import { sessionOf, ticketOf, userOf } from "./records.ts";

const changes: readonly Change[] = [
  { kind: "put-user", user: userOf("alice") },
  { kind: "put-user", user: userOf("bob", { groups: ["admin", "staff"], disabled: true }) },
  { kind: "delete-user", login: "carol" },
  { kind: "put-session", session: sessionOf("alice", "s1", { userAgent: "Ünïcode ☂" }) },
  { kind: "delete-session", id: "s2" },
  { kind: "put-ticket", ticket: ticketOf("t1", { purpose: "reset", login: "alice" }) },
  { kind: "delete-ticket", secretHash: "t2" },
];

Deno.test("decodeChanges() gives back what encodeChanges() was given, in order", () => {
  assertEquals(decodeChanges(encodeChanges(changes)), [...changes]);
  assertEquals(decodeChanges(encodeChanges([])), []);
});

Deno.test("decodeChanges() keeps the order of changes of one record", () => {
  const moves: Change[] = [
    { kind: "put-user", user: userOf("alice", { id: "first" }) },
    { kind: "delete-user", login: "alice" },
    { kind: "put-user", user: userOf("alice", { id: "second" }) },
    { kind: "put-user", user: userOf("bob") },
  ];
  assertEquals(decodeChanges(encodeChanges(moves)), moves);
});

Deno.test("encodeChanges() takes at most 165 bytes a user of 12 letters in a batch of 1,000", () => {
  const users = Array.from({ length: 1_000 }, (_, index): Change => ({
    kind: "put-user",
    user: userOf(`user${String(index).padStart(8, "0")}`, {
      passwordHash: `$pbkdf2-sha256$i=600000$${"s".repeat(22)}$${"h".repeat(43)}`,
    }),
  }));
  assert(encodeChanges(users).length <= 165_000);
});

Deno.test("decodeChanges() lets users without groups share one list", () => {
  const [one, two] = decodeChanges(encodeChanges([
    { kind: "put-user", user: userOf("alice") },
    { kind: "put-user", user: userOf("bob") },
  ]));
  assert(one?.kind === "put-user" && two?.kind === "put-user" && one.user.groups === two.user.groups);
});

const refused: Record<string, unknown> = {
  "not a list": { changes: [] },
  "a run that is not a list": ["put-user"],
  "a kind that a later version wrote": [[8, ["x"]]],
};

for (const [what, value] of Object.entries(refused)) {
  Deno.test(`decodeChanges() refuses ${what}`, () => {
    assertThrows(() => decodeChanges(serialize(value)), TypeError, "Cannot decode");
  });
}

Deno.test("decodeChanges() refuses bytes that are no structured clone", () => {
  assertThrows(() => decodeChanges(new Uint8Array([1, 2, 3])));
});
