import { assertEquals } from "@std/assert";
import { Tables } from "../../../../lib/store/memory/tables.ts";
import { secretOf, sessionOf, ticketOf, userOf } from "../../../support/store/records.ts";

Deno.test("apply() twice is apply() once, for every kind of change", () => {
  const once = new Tables();
  const twice = new Tables();
  for (const tables of [once, twice, twice]) {
    tables.apply({ kind: "user", record: userOf("alice") });
    tables.apply({ kind: "user", record: userOf("bob") });
    tables.apply({ kind: "user", deletedKey: "bob" });
    tables.apply({ kind: "session", record: sessionOf("alice", "s1") });
    tables.apply({ kind: "session", record: sessionOf("alice", "s2") });
    tables.apply({ kind: "session", deletedKey: "s2" });
    tables.apply({ kind: "ticket", record: ticketOf("t1") });
    tables.apply({ kind: "ticket", record: ticketOf("t2") });
    tables.apply({ kind: "ticket", deletedKey: "t2" });
    tables.apply(secretOf("decoy"));
  }
  assertEquals([...twice.changes()], [...once.changes()]);
  assertEquals([twice.users.size, twice.sessions.size, twice.tickets.size, twice.secrets.size], [1, 1, 1, 1]);
});

Deno.test("changes() read slowly shows what was there throughout once, and what came later too", () => {
  const tables = new Tables();
  for (const login of ["a", "b", "c", "d"]) tables.apply({ kind: "user", record: userOf(login) });
  const changes = tables.changes();
  const seen = [changes.next().value, changes.next().value];
  tables.apply({ kind: "user", deletedKey: "c" });
  tables.apply({ kind: "user", record: userOf("a", { passwordHash: "changed behind the reader" }) });
  tables.apply({ kind: "user", record: userOf("d", { passwordHash: "changed before the reader" }) });
  tables.apply({ kind: "user", record: userOf("e") });
  seen.push(...changes);
  const users = seen.map((change) => change?.kind === "user" ? change.record : undefined);
  assertEquals(users.map((user) => user?.login), ["a", "b", "d", "e"]);
  assertEquals(users[2]?.passwordHash, "changed before the reader");
});

Deno.test("users() stand in order of registration, whatever is changed of them", () => {
  const tables = new Tables();
  for (const login of ["c", "a", "b"]) tables.apply({ kind: "user", record: userOf(login) });
  tables.apply({ kind: "user", record: userOf("c", { disabled: true }) });
  assertEquals(Array.from(tables.users.values(), (user) => user.login), ["c", "a", "b"]);
});

Deno.test("sessionsOf() knows a user's sessions as they come and go", () => {
  const tables = new Tables();
  assertEquals(idsOf(tables, "alice"), []);
  tables.apply({ kind: "session", record: sessionOf("alice", "s1") });
  tables.apply({ kind: "session", record: sessionOf("bob", "s2") });
  tables.apply({ kind: "session", record: sessionOf("alice", "s3") });
  assertEquals(idsOf(tables, "alice"), ["s1", "s3"]);
  tables.apply({ kind: "session", record: sessionOf("alice", "s3", { lastSeenAt: 9 }) });
  assertEquals(idsOf(tables, "alice"), ["s1", "s3"]);
  tables.apply({ kind: "session", deletedKey: "s1" });
  tables.apply({ kind: "session", deletedKey: "s1" });
  assertEquals(idsOf(tables, "alice"), ["s3"]);
  tables.apply({ kind: "session", deletedKey: "s3" });
  assertEquals([idsOf(tables, "alice"), idsOf(tables, "bob")], [[], ["s2"]]);
});

Deno.test("adminCount follows groups, disabling and deletion", () => {
  const tables = new Tables();
  const counts: number[] = [];
  const admin = { groups: ["staff", "admin"] };
  for (const user of [userOf("a", admin), userOf("b", admin), userOf("a"), userOf("b", { ...admin, disabled: true })]) {
    tables.apply({ kind: "user", record: user });
    counts.push(tables.adminCount);
  }
  tables.apply({ kind: "user", record: userOf("a", admin) });
  tables.apply({ kind: "user", deletedKey: "a" });
  assertEquals([...counts, tables.adminCount], [1, 2, 1, 0, 0]);
});

function idsOf(tables: Tables, login: string): readonly string[] {
  return Array.from(tables.sessionsOf(login), ({ id }) => id);
}
