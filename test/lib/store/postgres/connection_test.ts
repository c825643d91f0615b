// Which servers a connection trusts, how it is opened, and when the pool closes it.

import { assert, assertEquals, assertFalse, assertNotEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { setTimeout as delay } from "node:timers/promises";
import { type Encryption, parsePostgresUrl, type PostgresAddress } from "../../../../lib/config/postgres_address.ts";
import { createLog } from "../../../../lib/log.ts";
import { StoreUnavailableError } from "../../../../lib/store.ts";
import { DatabaseRefusedError, type PoolLimits } from "../../../../lib/store/postgres/connection.ts";
import { Database } from "../../../../lib/store/postgres/database.ts";
import { type Certificates, createCertificates } from "../../../support/certificates.ts";
import { ensureProgram } from "../../../support/packages.ts";
import { ensurePostgres, sharedPostgres, startPostgres, type TestPostgres } from "../../../support/postgres.ts";

const ignore = !(await ensurePostgres() && await ensureProgram("openssl", "openssl"));
const postgres = sharedPostgres();
const log = createLog(() => {});
const hourMs = 60 * 60 * 1_000;

function open(address: PostgresAddress, limits: Partial<PoolLimits> = {}): Promise<Database> {
  return Database.open(address, { log, waitMs: 0, ...limits });
}

interface Secured extends AsyncDisposable {
  readonly server: TestPostgres;
  /** At `localhost`, verified by the authority of the certificates. */
  address(changes?: Partial<PostgresAddress>): PostgresAddress;
}

/** Starts a server that accepts only encrypted connections with a password. */
async function startSecured({ authority, certificate, key }: Certificates): Promise<Secured> {
  await using cleanup = new AsyncDisposableStack();
  const server = cleanup.use(
    await startPostgres({
      tcp: true,
      settings: { ssl: "on", ssl_cert_file: "server.crt", ssl_key_file: "server.key" },
      files: { "server.crt": certificate, "server.key": key },
      access: "local all all trust\nhostssl all all 127.0.0.1/32 scram-sha-256\n",
    }),
  );
  const file = await Deno.makeTempFile({ prefix: "gatehouse-", suffix: ".crt" });
  cleanup.defer(() => Deno.remove(file));
  await Deno.writeTextFile(file, authority);
  const whole = parsePostgresUrl(
    `postgres://gatehouse:gatehouse@localhost:${server.port}/postgres?sslmode=verify-full&sslrootcert=${file}`,
  );
  const owned = cleanup.move();
  return {
    server,
    address: (changes = {}) => ({ ...whole, ...changes }),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** Connects. @returns whether the server says that the connection is encrypted */
async function isEncrypted(address: PostgresAddress): Promise<boolean> {
  await using database = await open(address);
  const { rows } = await database.run("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()");
  return rows[0]?.["ssl"] === true;
}

Deno.test({
  name: "Database.open() trusts the server that the address names, and no other",
  ignore,
  async fn() {
    await using secured = await startSecured(await createCertificates("localhost"));
    await using other = await startSecured(await createCertificates("db.example.org"));
    const { server, address } = secured;
    const byNumber = { hostname: "127.0.0.1", port: server.port };
    assert(await isEncrypted(address()));
    assert(await isEncrypted(address({ encryption: "require", target: byNumber })));
    assert(await isEncrypted(other.address({ encryption: "require" })));

    const { rootCertificates: ofOther = "" } = other.address();
    const { rootCertificates: _file, ...ofDeno } = address();
    const refused: readonly (readonly [what: string, address: PostgresAddress, reason: string])[] = [
      ["another IP address", address({ target: byNumber }), "IP: 127.0.0.1 is not in the cert's list"],
      ["another host name", other.address(), "certificate"],
      ["another authority", address({ rootCertificates: ofOther }), "certificate"],
      ["no authority", ofDeno, "certificate"],
      ["no file", address({ rootCertificates: "/nowhere/ca.crt" }), "/nowhere/ca.crt"],
      ["no encryption", address({ encryption: "disable" }), "no encryption"],
      ["another password", address({ password: "hunter2" }), "password authentication failed"],
    ];
    for (const [what, wrong, reason] of refused) {
      const { message } = await assertRejects(() => isEncrypted(wrong), DatabaseRefusedError, undefined, what);
      assertStringIncludes(message, `Cannot use the database postgres://`, what);
      assertStringIncludes(message, reason, what);
      assertFalse(message.includes("hunter2"));
    }
  },
});

Deno.test({
  name: "Database.open() uses the password of the address, never that of the environment",
  ignore,
  async fn() {
    await using secured = await startSecured(await createCertificates("localhost"));
    Deno.env.set("PGPASSWORD", "gatehouse");
    try {
      await assertRejects(() => isEncrypted(secured.address({ password: "" })), DatabaseRefusedError);
    } finally {
      Deno.env.delete("PGPASSWORD");
    }
  },
});

/** A server that answers the request for encryption with these bytes, and then nothing. */
function listenAndAnswer(answer: string) {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const conns: Deno.Conn[] = [];
  const serving = (async () => {
    for await (const conn of listener) {
      conns.push(conn);
      await conn.write(new TextEncoder().encode(answer));
    }
  })();
  const target = { hostname: "127.0.0.1", port: listener.addr.port };
  async function end(): Promise<void> {
    listener.close();
    for (const conn of conns) conn.close();
    await serving;
  }
  return { target, [Symbol.asyncDispose]: end };
}

const plain: Omit<PostgresAddress, "target"> = { database: "d", user: "u", password: "p", encryption: "require" };

Deno.test("Database.open() never continues in plain text after a request for encryption", async () => {
  // The last answer has plain text behind it, to be taken for encrypted (CVE-2021-23222).
  for (const answer of ["N", "E", "SR\0\0\0\x08\0\0\0\0"]) {
    for (const encryption of ["require", "verify-full"] satisfies Encryption[]) {
      await using server = listenAndAnswer(answer);
      await assertRejects(() => open({ ...plain, ...server, encryption }), DatabaseRefusedError, "SSL connection");
    }
  }
});

Deno.test("Database.open() ends at its deadline, wherever the server stops answering", async () => {
  // Before the first answer of PostgreSQL, and within the TLS handshake.
  for (const encryption of ["disable", "require"] satisfies Encryption[]) {
    await using server = listenAndAnswer(encryption === "disable" ? "" : "S");
    const opening = open({ ...plain, ...server, encryption }, { callMs: 50 });
    await assertRejects(() => opening, StoreUnavailableError, "no answer within 50 ms");
  }
});

Deno.test("Database.open() reports an unreachable server as unavailable, not as refusing", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const target = { hostname: "127.0.0.1", port: listener.addr.port };
  listener.close();
  await assertRejects(() => open({ ...plain, target }), StoreUnavailableError, "ECONNREFUSED");
  const nowhere = { socketPath: "/nowhere/.s.PGSQL.5432" };
  await assertRejects(() => open({ ...plain, encryption: "disable", target: nowhere }), StoreUnavailableError);
});

Deno.test({
  name: "Database never runs the rest of a transaction on another connection",
  ignore,
  async fn() {
    const server = await postgres();
    await using database = await open(parsePostgresUrl(server.url("postgres")));
    let attempts = 0;
    const outcome = await database.transact(async ({ run }) => {
      if (++attempts > 1) return "repeated";
      await server.kill();
      await server.start();
      const statement = "CREATE TABLE outside_of_the_transaction ()";
      await assertRejects(() => run(statement), Error);
      await assertRejects(() => run(statement), Error, "The connection is lost");
      return "done";
    });
    assertEquals([outcome, attempts], ["repeated", 2]);
    const sql = server.sql("postgres");
    assertEquals(await sql`SELECT tablename FROM pg_tables WHERE tablename LIKE 'outside%'`, []);
  },
});

Deno.test({
  name: "Database rejects a text that PostgreSQL would not store unchanged",
  ignore,
  async fn() {
    const server = await postgres();
    await using database = await open(parsePostgresUrl(server.url("postgres")), { maxConnections: 1 });
    const echo = async (text: string) => (await database.run("SELECT $1::text AS text", [text])).rows[0];
    const pid = await pidOf(database);
    for (const text of ["", "a", "ü", "\u{1f3e0}", "\ufffd", "\uffff", "'; DROP TABLE x; --", "\\"]) {
      assertEquals(await echo(text), { text });
    }
    for (const text of ["\0", "a\0b", "\ud800", "\udc00\ud800"]) await assertRejects(() => echo(text), TypeError);
    assertEquals(await pidOf(database), pid);
  },
});

/** The server's process behind the connection that is used next. */
async function pidOf(database: Database): Promise<unknown> {
  return (await database.run("SELECT pg_backend_pid() AS pid")).rows[0]?.["pid"];
}

Deno.test({
  name: "Database reuses no connection whose call is over its deadline",
  ignore,
  async fn() {
    const server = await postgres();
    const limits = { callMs: 1_000, maxConnections: 1 };
    await using database = await open(parsePostgresUrl(server.url("postgres")), limits);
    const pid = await pidOf(database);
    const late = database.transact(async ({ run }) => {
      // Each is shorter than the limit of a statement, so the client stops first.
      for (let count = 0; count < 3; count++) await run("SELECT pg_sleep(0.6)");
      return "done";
    });
    await assertRejects(() => late, StoreUnavailableError, "no answer within 1000 ms");
    assertNotEquals(await pidOf(database), pid);
    assertEquals((await database.run("SELECT $1::text AS text", ["next"])).rows, [{ text: "next" }]);
  },
});

const ages: readonly (readonly [what: string, limits: Partial<PoolLimits>, isSame: boolean])[] = [
  ["neither idle for long nor old", { maxIdleMs: hourMs, maxAgeMs: hourMs }, true],
  ["idle for long", { maxIdleMs: 20, maxAgeMs: hourMs }, false],
  ["old", { maxIdleMs: hourMs, maxAgeMs: 20 }, false],
];

for (const [what, limits, isSame] of ages) {
  Deno.test({
    name: `Database ${isSame ? "reuses" : "replaces"} a connection that is ${what}`,
    ignore,
    async fn() {
      const server = await postgres();
      await using database = await open(parsePostgresUrl(server.url("postgres")), limits);
      const first = await pidOf(database);
      await delay(40);
      (isSame ? assertEquals : assertNotEquals)(await pidOf(database), first);
    },
  });
}

Deno.test({
  name: "Database replaces an old connection that is in use all the time",
  ignore,
  async fn() {
    const server = await postgres();
    const limits = { maxIdleMs: hourMs, maxAgeMs: 50, maxConnections: 1 };
    await using database = await open(parsePostgresUrl(server.url("postgres")), limits);
    const pids = new Set<unknown>();
    const endsAt = performance.now() + 200;
    while (performance.now() < endsAt) pids.add(await pidOf(database));
    assertNotEquals(pids.size, 1);
  },
});

Deno.test({
  name: "Database closes its connections after the calls that use them",
  ignore,
  async fn() {
    const server = await postgres();
    const database = await open(parsePostgresUrl(server.url("postgres")));
    let closing: Promise<void> | undefined;
    const outcome = await database.transact(async ({ run }) => {
      await run("SELECT set_config('application_name', 'closed', false)");
      closing = database[Symbol.asyncDispose]();
      assertEquals((await run("SELECT 1 AS one")).rows[0]?.["one"], 1);
      return "done";
    });
    assertEquals(outcome, "done");
    await closing;
    const sql = server.sql("postgres");
    const count = async () =>
      (await sql`SELECT count(*)::int AS n FROM pg_stat_activity WHERE application_name = 'closed'`)[0]?.["n"];
    for (let tries = 0; tries < 100 && await count() > 0; tries++) await delay(10);
    assertEquals(await count(), 0);
  },
});
