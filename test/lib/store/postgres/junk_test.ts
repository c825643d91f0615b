// Answers that no PostgreSQL sends: a call fails within its deadline, its connection is closed, and all else goes on.

import { assert, assertEquals, assertInstanceOf, assertRejects } from "@std/assert";
import { setTimeout as delay } from "node:timers/promises";
import type { PostgresAddress } from "../../../../lib/config/postgres_address.ts";
import { createLog } from "../../../../lib/log.ts";
import { StoreUnavailableError } from "../../../../lib/store.ts";
import type { PoolLimits } from "../../../../lib/store/postgres/servers.ts";
import { Database } from "../../../../lib/store/postgres/database.ts";

const callMs = 2_000;

/** A message of the server: a letter, the length of the rest, and the rest. One character is one byte. */
function message(type: string, body: string): string {
  const length = body.length + 4;
  return `${type}\0${String.fromCharCode(length >> 16 & 255, length >> 8 & 255, length & 255)}${body}`;
}

function bytesOf(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

const ready = message("Z", "I");
const notice = message("N", "Mnotice\0\0");
const authenticated = message("R", "\0\0\0\0");
const column = `${"\0\0\0\0\0\0"}${"\0\0\0\x19"}\xff\xff\xff\xff\xff\xff\0\0`;
const oneRow = `${message("T", `\0\x01text\0${column}`)}${message("D", "\0\x01\0\0\0\x02ok")}`;

function answerTo(request: string): string {
  const command = request.match(/BEGIN|COMMIT|ROLLBACK/)?.[0];
  return command === undefined
    ? `${oneRow}${message("C", "SELECT 1\0")}${ready}`
    : `${message("C", `${command}\0`)}${ready}`;
}

const junk = {
  "an HTTP response": "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n",
  "a message of 2 GB": "D\x7f\xff\xff\xff\0\x01",
  "a message shorter than its length": "Z\0\0\0\0\0\0\0\0",
  "a message of an unknown type": message("?", "junk"),
  "an unknown authentication": message("R", "\0\0\0\x7f"),
  "an authentication without its kind": message("R", ""),
  "an error without an end": message("E", "SERR"),
  "an error without an end, and then a row": message("E", "SERR") + oneRow,
  "a notice without an end": message("N", "Sabc"),
  "an error without a code": message("E", "SFATAL\0Mjunk\0\0"),
  "a row with a negative number of columns": message("D", "\xff\xff"),
  "a row with more columns than values": message("D", "\x7f\xff"),
  "a description with more columns than names": message("T", "\0\x09"),
};

const places = ["the startup", "the authentication", "a statement", "the first row"] as const;
type Place = typeof places[number];

/** A server that answers every statement with one row, and some with junk. */
class JunkServer implements AsyncDisposable {
  /** What to answer, and after what. Junk for a statement comes only if it contains "junk". */
  junk: { readonly place: Place; readonly bytes: string } | undefined;
  /** Whether it leaves connections open that the client closes. */
  isStopped = false;
  /** The connections that the client has not closed. */
  openCount = 0;
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #serving = this.#serve();

  get address(): PostgresAddress {
    const servers = [{ hostname: "127.0.0.1", port: this.#listener.addr.port }];
    return { servers, requiresWritable: false, database: "d", user: "u", password: "p", encryption: "disable" };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    this.isStopped = false;
    await this.#serving;
  }

  async #serve(): Promise<void> {
    const served: Promise<void>[] = [];
    for await (const conn of this.#listener) served.push(this.#answer(conn));
    await Promise.all(served);
  }

  async #answer(conn: Deno.TcpConn): Promise<void> {
    this.openCount++;
    const buffer = new Uint8Array(65_536);
    for (let isStartup = true;; isStartup = false) {
      const length = await conn.read(buffer).catch(() => null);
      if (length === null) break;
      const request = String.fromCharCode(...buffer.subarray(0, length));
      const answer = isStartup ? this.#startupAnswer() : this.#statementAnswer(request);
      await conn.write(bytesOf(answer)).catch(() => {});
    }
    // A connection that the client has closed in both directions takes no bytes.
    while (this.isStopped && await conn.write(bytesOf(notice)).catch(() => 0) > 0) await delay(5);
    conn.close();
    this.openCount--;
  }

  #startupAnswer(): string {
    const { place, bytes = "" } = this.junk ?? {};
    if (place === "the startup") return bytes;
    return authenticated + (place === "the authentication" ? bytes : ready);
  }

  #statementAnswer(request: string): string {
    const { place, bytes = "" } = this.junk ?? {};
    const isJunk = request.includes("junk") && (place === "a statement" || place === "the first row");
    if (!isJunk) return request.startsWith("X") ? "" : answerTo(request);
    return (place === "the first row" ? oneRow : "") + bytes;
  }
}

function open(server: JunkServer, limits: PoolLimits = {}): Promise<Database> {
  return Database.open(server.address, { log: createLog(() => {}), waitMs: 0, callMs, ...limits });
}

async function assertWorks(database: Database): Promise<void> {
  assertEquals((await database.run("SELECT $1::text AS text", ["ok"])).rows, [{ text: "ok" }]);
}

async function until(condition: () => boolean): Promise<void> {
  for (let tries = 0; tries < 200 && !condition(); tries++) await delay(5);
  assert(condition());
}

for (const place of places) {
  for (const [what, bytes] of Object.entries(junk)) {
    Deno.test(`Database fails a call that gets ${what} after ${place}, and no other`, async () => {
      await using server = new JunkServer();
      await using database = await open(server);
      const outcome = await database.transact(async ({ run }) => {
        await run("SELECT 1");
        server.junk = { place, bytes };
        const startedAt = performance.now();
        await assertRejects(() => database.run("SELECT $1::text", ["junk"]), StoreUnavailableError);
        assert(performance.now() - startedAt < callMs, "it waited for the deadline");
        await until(() => server.openCount === 1);
        if (places.indexOf(place) < 2) {
          await assertRejects(() => open(server), StoreUnavailableError, "Cannot open the database");
        }
        server.junk = undefined;
        await run("SELECT 1");
        return "done";
      });
      assertEquals(outcome, "done");
      await assertWorks(database);
    });
  }
}

Deno.test("Database outlives random bytes and random messages, at any place", async () => {
  await using server = new JunkServer();
  await using database = await open(server, { callMs: 500 });
  for (let round = 0; round < 60; round++) {
    const bytes = String.fromCharCode(...crypto.getRandomValues(new Uint8Array(round % 40)));
    const type = "123ACDEGHIKNRSTVWZcdnst"[Math.floor(Math.random() * 23)] ?? "";
    const place = places[round % places.length] ?? "a statement";
    server.junk = { place, bytes: round % 2 === 0 ? bytes : message(type, bytes) + ready };
    // Some of them are valid answers.
    const running = database.run("SELECT $1::text", ["junk"]);
    await running.catch((error) => assertInstanceOf(error, StoreUnavailableError, JSON.stringify(server.junk)));
    server.junk = undefined;
    await assertWorks(database);
  }
});

Deno.test("Database closes its connections to a server that has stopped", async () => {
  await using server = new JunkServer();
  const database = await open(server);
  server.isStopped = true;
  await database[Symbol.asyncDispose]();
  await until(() => server.openCount === 0);
});
