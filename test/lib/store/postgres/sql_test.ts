/**
 * PostgresStore uses only the SQL that PostgreSQL 15, CockroachDB (23.1) and YugabyteDB (2.20) share.
 *
 * The test runs on PostgreSQL. For the others it has a list of what is allowed, from their documentation
 * (cockroachlabs.com/docs/stable/sql-feature-support and /postgresql-compatibility,
 * docs.yugabyte.com/stable/api/ysql). Before you add to the list, look it up for both.
 */

import { assert, assertEquals } from "@std/assert";
import { consecutiveFailures, tokenBucket, unused } from "../../../../lib/limits/limit_rule.ts";
import { createLog } from "../../../../lib/log.ts";
import { parsePostgresUrl } from "../../../../lib/config/postgres_address.ts";
import { openPostgresStore, type PostgresStore } from "../../../../lib/store/postgres/postgres_store.ts";
import { PostgresLimitStore } from "../../../../lib/limits/postgres_limit_store.ts";
import { statements } from "../../../../lib/store/postgres/statements.ts";
import { CuttingProxy } from "../../../support/cutting_proxy.ts";
import { ensurePostgres, sharedPostgres } from "../../../support/postgres.ts";
import { credentialOf, deleteByLogin, sessionOf, ticketOf, userOf } from "../../../support/store/records.ts";

const ignore = !await ensurePostgres();
const postgres = sharedPostgres({
  settings: { log_statement: "all", log_line_prefix: "%u|%p|", log_parameter_max_length: "0" },
});

/** How a statement may start. */
const beginnings = new RegExp(
  "^(BEGIN|COMMIT|ROLLBACK|SHOW|SELECT|INSERT INTO|UPDATE|DELETE FROM|WITH|CREATE TABLE IF NOT EXISTS|" +
    "CREATE (UNIQUE )?INDEX IF NOT EXISTS|DROP INDEX IF EXISTS|" +
    String.raw`ALTER TABLE gatehouse_\w+ ADD COLUMN IF NOT EXISTS)\b`,
);
/** Functions that all three have. */
const functions = ["count", "greatest", "least", "max", "min", "row_number", "strpos", "substr", "upper", "version"];
/** Functions of PostgreSQL and YugabyteDB, for statements whose callers handle the error. */
const dispensable = new Map([[statements.databaseBytes, ["pg_database_size", "current_database"]]]);
/** Words before a bracket that are not functions. */
const keywords = ["select", "from", "where", "and", "in", "over", "values", "as", "conflict", "key", "cast"];
/** Words for features that one of the three lacks or implements differently. */
const forbidden: readonly (readonly [words: RegExp, why: string])[] = [
  [/\b(LISTEN|NOTIFY|UNLISTEN)\b/i, "CockroachDB has no notifications"],
  [/\bpg_(try_)?advisory/i, "CockroachDB's advisory locks do nothing"],
  [
    /\bDO \$\$|\b(FUNCTION|PROCEDURE|TRIGGER|EXTENSION|RULE)\b/i,
    "each has its own language, and YugabyteDB its own list",
  ],
  [/\b(xmin|xmax|ctid|cmin|cmax|oid|regclass|pg_catalog)\b/i, "rows are kept in another way"],
  [
    /\b(MERGE|LATERAL|TABLESAMPLE|UNLOGGED|TABLESPACE|INHERITS|PARTITION (OF|BY RANGE|BY LIST|BY HASH))\b/i,
    "not in all, or differently",
  ],
  [/\b(EXCLUDE|DEFERRABLE|DOMAIN|SERIAL|IDENTITY)\b/i, "not in all, or differently"],
  [/\bFOR (NO KEY UPDATE|SHARE|KEY SHARE)\b|\b(NOWAIT|SKIP LOCKED)\b/i, "other strengths are taken for others"],
  [/\bLOCK TABLE\b|\bTRUNCATE\b|\bVACUUM\b|\bANALYZE\b/i, "CockroachDB locks no tables"],
  [/\b(SAVEPOINT|PREPARE|DECLARE|FETCH|COPY)\b/i, "a transaction is run again as a whole"],
  [
    /\b(jsonb?|hstore|citext|tsvector|bytea|numeric|timestamptz?|interval|serial\d?|int|integer)\b/i,
    "texts, 64-bit numbers and truth will do; CockroachDB's integer has another size",
  ],
  [/\/|\bdiv\b/, "CockroachDB divides integers into decimals"],
  [/~|\bSIMILAR\b|\bLIKE\b/i, "patterns depend on collations"],
  [/\bNULLS (FIRST|LAST)\b|\bUSING\b/i, "CockroachDB orders nulls first"],
];

const codeOf = (key: string) => credentialOf("alice", key, { kind: "recovery" });

interface Sent {
  readonly session: string;
  readonly text: string;
}

/** Calls every function of the store and of the limits at least once. */
async function useAll(store: PostgresStore): Promise<void> {
  const alice = userOf("alice", { groups: ["admin"] });
  const next = { ...alice, passwordHash: "new" };
  await store.insertTicket(ticketOf("t1"));
  await store.insertTicket(ticketOf("t2", { purpose: "setup" }));
  await store.insertUser(alice, "t1");
  await store.insertUser(userOf("bob", { groups: ["admin"] }));
  await store.insertTicket(ticketOf("t3", { purpose: "reset", login: "alice" }));
  await store.insertTicket(ticketOf("t6", { purpose: "login", login: "alice" }));
  await store.insertSession(sessionOf("bob", "s0"), userOf("bob", { groups: ["admin"] }));
  await store.insertTicket(ticketOf("t4"), { actor: { session: sessionOf("bob", "s0"), asAdmin: true } });
  await store.listTickets({ limit: 5, now: 1 });
  await store.deleteTicket("id of t4");
  await store.replaceUser(alice, next, { keepSessionId: "", ticketHash: "t3" });
  await deleteByLogin(store, "bob");
  await deleteByLogin(store, "alice");
  await store.findUser("alice");
  for (const sort of ["registered_at", "-registered_at", "login"] as const) await store.listUsers({ limit: 5, sort });
  await store.countAdmins();
  await store.countRegistrations({ first: 20_000, count: 30 });
  await store.hashWorks();
  await store.insertSession(sessionOf("alice", "s1"), next, { maxSessions: 5 });
  await store.findSession("s1");
  await store.touchSession("s1", 1_900_000_000_000);
  await store.listSessions("alice", { limit: 5 });
  await store.insertCredentials(next, [credentialOf("alice", "c1"), codeOf("c2")]);
  await store.insertCredentials(next, [codeOf("c3")]);
  await store.findCredential("passkey", "c1");
  const current = credentialOf("alice", "c1");
  await store.useCredential({ current, next: { ...current, name: "new" } });
  await store.updateSession("s1", next, { factors: ["totp"], authenticatedAt: 1 });
  await store.deleteCredentials("alice", { id: current.id });
  await store.deleteCredentials("alice");
  await store.deleteSession("s1");
  await store.deleteSessions("alice");
  await store.deleteExpiredSessions({ lastSeenUntil: 1, createdUntil: 1 });
  await store.deleteExpiredTickets(1);
  await store.findTicket("t1");
  await store.ensureSecret({ name: "decoy", value: "one" });
  await repeatTicket(store);
  const [records] = await Array.fromAsync(store.records());
  await store.insertRecords(records ?? []);
  await store.size();
  await store.failure();

  const counts = new PostgresLimitStore(store.database);
  const counters = [{ rule: consecutiveFailures("row", 9), parts: ["alice"] }, {
    rule: tokenBucket("hour", 9),
    parts: ["alice"],
  }];
  const many = { ...unused, wrongCount: 3, openedAt: 1 };
  await counts.update(counters, () => [many, unused]);
  await counts.read(counters);
  await counts.deleteIdle(Date.now());
}

/** Inserts a ticket over a connection that is lost once: only then the store checks whether the ticket exists. */
async function repeatTicket(store: PostgresStore): Promise<void> {
  const [server] = store.database.address.servers;
  assert(server !== undefined);
  await using proxy = await CuttingProxy.open(`${server.hostname}/.s.PGSQL.5432`);
  const address = { ...store.database.address, servers: [{ hostname: proxy.folder, port: 5432 }] };
  await using cut = await openPostgresStore(address, { log: createLog(() => {}) });
  proxy.cutNext({ when: "after", message: "commit" });
  assertEquals(await cut.insertTicket(ticketOf("t5")), "done");
}

/** The statements of the service, in order. @param log of a server that logs every statement with user and session */
function sentIn(log: string): Sent[] {
  const entries = log.split(/^(?=[^\t\n]*\|\d+\|)/m);
  return entries.flatMap((entry) => {
    const [, session = "", text] = /^gatehouse\|(\d+)\|LOG: {2}(?:statement|execute [^:]*): ([^]*)$/.exec(entry) ?? [];
    return text === undefined ? [] : [{ session, text: text.trim() }];
  });
}

/** Normalizes white space, as the log breaks lines differently. */
function flat(text: string): string {
  return text.replace(/\s+/g, " ").trim();
}

Deno.test({
  name: "PostgresStore sends only SQL that PostgreSQL, CockroachDB and YugabyteDB share",
  ignore,
  async fn() {
    const server = await postgres();
    const address = parsePostgresUrl(await server.createDatabase());
    await using store = await openPostgresStore(address, { log: createLog(() => {}) });
    await useAll(store);

    const sent = sentIn(server.log);
    const texts = new Set(sent.map(({ text }) => flat(text)));
    for (const statement of Object.values(statements)) assert(texts.has(flat(statement)), `not tried: ${statement}`);
    const known = new Map(Array.from(dispensable, ([text, names]) => [flat(text), names]));
    for (const text of texts) {
      assert(beginnings.test(text), text);
      for (const [words, why] of forbidden) assert(!words.test(text), `${why}: ${text}`);
      const called = Array.from(text.matchAll(/([a-z_]\w*) ?\(/gi), ([, name = ""]) => name.toLowerCase())
        .filter((name) => !keywords.includes(name) && !name.startsWith("gatehouse_"));
      const allowed = [...functions, ...known.get(text) ?? []];
      assertEquals(called.filter((name) => !allowed.includes(name)), [], text);
    }
  },
});

Deno.test({
  name: "PostgresStore changes no table inside a transaction",
  ignore,
  async fn() {
    const server = await postgres();
    const address = parsePostgresUrl(await server.createDatabase());
    await using store = await openPostgresStore(address, { log: createLog(() => {}) });
    await useAll(store);
    const open = new Set<string>();
    let created = 0;
    for (const { session, text } of sentIn(server.log)) {
      if (text === "BEGIN") open.add(session);
      else if (text === "COMMIT" || text === "ROLLBACK") open.delete(session);
      else if (/^(CREATE|ALTER|DROP)/.test(text)) {
        created++;
        assert(!open.has(session), text);
      }
      // One statement at a time: several in one message would be a transaction.
      assert(!text.includes(";"), text);
    }
    assert(created > 10);
  },
});
