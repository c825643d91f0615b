// Whom a connection trusts, and with what it is opened.

import { assert, assertEquals, assertFalse, assertRejects, assertStringIncludes } from "@std/assert";
import { type Encryption, parsePostgresUrl, type PostgresAddress } from "../../../../lib/config/postgres_address.ts";
import { connect } from "../../../../lib/store/postgres/connection.ts";
import { ConnectionError, DatabaseRefusedError } from "../../../../lib/store/postgres/error.ts";
import { type Certificates, createCertificates } from "../../../support/certificates.ts";
import { ensureProgram } from "../../../support/packages.ts";
import { ensurePostgres, startPostgres, type TestPostgres } from "../../../support/postgres.ts";

const ignore = !(await ensurePostgres() && await ensureProgram("openssl", "openssl"));
const { signal } = new AbortController();

interface Secured extends AsyncDisposable {
  readonly server: TestPostgres;
  /** At `localhost`, whose certificate is that of the authority in the file. */
  address(changes?: Partial<PostgresAddress>): PostgresAddress;
  readonly authorityFile: string;
  readonly strangerFile: string;
}

/** A server that takes encrypted connections with a password alone. */
async function startSecured(): Promise<Secured> {
  await using cleanup = new AsyncDisposableStack();
  const certificates: Certificates = await createCertificates("localhost");
  const server = cleanup.use(
    await startPostgres({
      tcp: true,
      settings: { ssl: "on", ssl_cert_file: "server.crt", ssl_key_file: "server.key" },
      files: { "server.crt": certificates.certificate, "server.key": certificates.key },
      access: "local all all trust\nhostssl all all 127.0.0.1/32 scram-sha-256\n",
    }),
  );
  const folder = await Deno.makeTempDir({ prefix: "gatehouse-" });
  cleanup.defer(() => Deno.remove(folder, { recursive: true }));
  const authorityFile = `${folder}/authority.crt`;
  const strangerFile = `${folder}/stranger.crt`;
  await Deno.writeTextFile(authorityFile, certificates.authority);
  await Deno.writeTextFile(strangerFile, (await createCertificates("localhost")).authority);
  const whole = parsePostgresUrl(
    `postgres://gatehouse:gatehouse@localhost:${server.port}/postgres?sslmode=verify-full&sslrootcert=${authorityFile}`,
  );
  const owned = cleanup.move();
  return {
    server,
    address: (changes = {}) => ({ ...whole, ...changes }),
    authorityFile,
    strangerFile,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** Connects. @returns whether the server says that the connection is encrypted */
async function isEncrypted(address: PostgresAddress): Promise<boolean> {
  const connection = await connect(address, { signal, statementMs: 5_000 });
  const { rows } = await connection.run("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()", [], signal);
  await connection.close();
  return rows[0]?.["ssl"] === true;
}

Deno.test({
  name: "connect() trusts whom the address says, and nobody else",
  ignore,
  async fn() {
    await using secured = await startSecured();
    const { server, address, strangerFile } = secured;
    const byNumber = { hostname: "127.0.0.1", port: server.port };
    assert(await isEncrypted(address()));
    assert(await isEncrypted(address({ encryption: "require", target: byNumber })));

    const { rootCertificates: _file, ...ofDeno } = address();
    const refused: readonly (readonly [what: string, address: PostgresAddress, reason: string])[] = [
      ["another name", address({ target: byNumber }), "IP: 127.0.0.1 is not in the cert's list"],
      ["another authority", address({ rootCertificates: strangerFile }), "certificate"],
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
  name: "connect() takes the password of the address, and none of the environment",
  ignore,
  async fn() {
    await using secured = await startSecured();
    Deno.env.set("PGPASSWORD", "gatehouse");
    try {
      await assertRejects(() => isEncrypted(secured.address({ password: "" })), DatabaseRefusedError);
    } finally {
      Deno.env.delete("PGPASSWORD");
    }
  },
});

/** A server that answers the wish to encrypt with these bytes, and then nothing. */
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

Deno.test("connect() goes on in plain text with nobody whom it asked to encrypt", async () => {
  // The last has put something in plain text behind its answer, to be taken for encrypted.
  for (const answer of ["N", "E", "SR\0\0\0\x08\0\0\0\0"]) {
    for (const encryption of ["require", "verify-full"] satisfies Encryption[]) {
      await using server = listenAndAnswer(answer);
      const address = { ...plain, ...server, encryption };
      await assertRejects(() => isEncrypted(address), DatabaseRefusedError, "it does not offer encryption");
    }
  }
});

Deno.test("connect() ends when it is told to, wherever it is", async () => {
  // Before the first answer of PostgreSQL, and within the handshake of TLS.
  for (const encryption of ["disable", "require"] satisfies Encryption[]) {
    await using server = listenAndAnswer(encryption === "disable" ? "" : "S");
    const controller = new AbortController();
    const connecting = connect({ ...plain, ...server, encryption }, { signal: controller.signal, statementMs: 1 });
    setTimeout(() => controller.abort(new ConnectionError("enough")), 50);
    await assertRejects(() => connecting, ConnectionError, "enough");
    await assertRejects(
      () => connect({ ...plain, ...server }, { signal: controller.signal, statementMs: 1 }),
      ConnectionError,
      "enough",
    );
  }
});

Deno.test("connect() tells a server that is not there from one that refuses", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const target = { hostname: "127.0.0.1", port: listener.addr.port };
  listener.close();
  await assertRejects(() => isEncrypted({ ...plain, target }), ConnectionError, "ECONNREFUSED");
  await assertRejects(() => isEncrypted({ ...plain, target: { socketPath: "/nowhere/s" } }), ConnectionError);
});

Deno.test({
  name: "Connection takes no more statements once it is broken, and never connects anew",
  ignore,
  async fn() {
    await using server = await startPostgres();
    const connection = await connect(parsePostgresUrl(server.url("postgres")), { signal, statementMs: 5_000 });
    await connection.run("BEGIN", [], signal);
    await server.kill();
    await server.start();
    const statement = "CREATE TABLE outside_of_the_transaction ()";
    await assertRejects(() => connection.run(statement, [], signal), ConnectionError);
    assert(connection.isBroken);
    await assertRejects(() => connection.run(statement, [], signal), ConnectionError);
    const sql = server.sql("postgres");
    assertEquals([...await sql`SELECT tablename FROM pg_tables WHERE tablename LIKE 'outside%'`], []);
  },
});

Deno.test({
  name: "Connection refuses a text that would not be kept as it is",
  ignore,
  async fn() {
    await using server = await startPostgres();
    const connection = await connect(parsePostgresUrl(server.url("postgres")), { signal, statementMs: 5_000 });
    const echo = async (text: string) => (await connection.run("SELECT $1::text AS text", [text], signal)).rows[0];
    for (const text of ["", "a", "ü", "\u{1f3e0}", "\ufffd", "\uffff", "'; DROP TABLE x; --", "\\"]) {
      assertEquals(await echo(text), { text });
    }
    for (const text of ["\0", "a\0b", "\ud800", "\udc00\ud800"]) await assertRejects(() => echo(text), TypeError);
    assertFalse(connection.isBroken);
    await connection.close();
  },
});
