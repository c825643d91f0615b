// Which servers a connection trusts, and how it is opened.
import { assert, assertEquals, assertFalse, assertRejects, assertStringIncludes } from "@std/assert";
import { type Encryption, parsePostgresUrl, type PostgresAddress } from "../../../../lib/config/postgres_address.ts";
import { StoreUnavailableError } from "../../../../lib/store.ts";
import { DatabaseRefusedError } from "../../../../lib/store/postgres/connection.ts";
import { type Certificates, createCertificates } from "../../../support/certificates.ts";
import { ensureProgram } from "../../../support/packages.ts";
import { ensurePostgres, startPostgres, type TestPostgres } from "../../../support/postgres.ts";
import { open } from "../../../support/store/database.ts";

const ignore = !(await ensurePostgres() && await ensureProgram("openssl", "openssl"));

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
    assert(await isEncrypted(address({ encryption: "require", servers: [byNumber] })));
    assert(await isEncrypted(other.address({ encryption: "require" })));

    // Of several servers, each must have a certificate for its own name.
    const trusted = address().servers;
    assert(await isEncrypted(address({ servers: [...other.address().servers, byNumber, ...trusted] })));

    const { rootCertificates: ofOther = "" } = other.address();
    const { rootCertificates: _file, ...ofDeno } = address();
    const refused: readonly (readonly [what: string, address: PostgresAddress, reason: string])[] = [
      ["another IP address", address({ servers: [byNumber] }), "IP: 127.0.0.1 is not in the cert's list"],
      ["another host name", other.address(), "certificate"],
      [
        "several servers, none of them trusted",
        address({ servers: [byNumber, byNumber] }),
        "is not in the cert's list",
      ],
      ["another authority", address({ rootCertificates: ofOther }), "certificate"],
      ["no authority", ofDeno, "certificate"],
      ["no file", address({ rootCertificates: "/nowhere/ca.crt" }), "/nowhere/ca.crt"],
      ["no encryption", address({ encryption: "disable" }), "no encryption"],
      [
        "another password",
        address({ password: "hunter2" }),
        'password authentication failed for user "gatehouse": correct it in GATEHOUSE_STORE, or in the file that',
      ],
      ["no password", address({ password: "" }), "the server requires a password, and the settings have none: add it"],
    ];
    for (const [what, wrong, reason] of refused) {
      const { message } = await assertRejects(() => isEncrypted(wrong), DatabaseRefusedError, undefined, what);
      assertStringIncludes(message, `Cannot use the database postgres://`, what);
      assertStringIncludes(message, reason, what);
      assertFalse(message.includes("hunter2"));
    }

    // The password is changed while the service runs.
    await using database = await open(address());
    await server.sql("postgres").unsafe("ALTER ROLE gatehouse PASSWORD 'hunter2'");
    await server.sql("postgres").unsafe(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'gatehouse'",
    );
    const { message } = await assertRejects(() => database.run("SELECT 1"), StoreUnavailableError);
    assertEquals(message.match(/Cannot use/g)?.length, 1, message);
    assertEquals(await database.failure(), message);
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
  const servers = [{ hostname: "127.0.0.1", port: listener.addr.port }];
  async function end(): Promise<void> {
    listener.close();
    for (const conn of conns) conn.close();
    await serving;
  }
  return { servers, [Symbol.asyncDispose]: end };
}

const plain: Omit<PostgresAddress, "servers"> = {
  requiresWritable: false,
  database: "d",
  user: "u",
  password: "p",
  encryption: "require",
};

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
  const servers = [{ hostname: "127.0.0.1", port: listener.addr.port }];
  listener.close();
  await assertRejects(() => open({ ...plain, servers }), StoreUnavailableError, "ECONNREFUSED");
  const nowhere = { hostname: "/nowhere", port: 5432 };
  await assertRejects(() => open({ ...plain, encryption: "disable", servers: [nowhere] }), StoreUnavailableError);
});
