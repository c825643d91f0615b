/** PGPASSFILE, in the format of libpq. */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { ConfigError, readConfig } from "../../../lib/config/config.ts";

const folder = await Deno.makeTempDir({ prefix: "gatehouse-password-" });
const path = `${folder}/pgpass`;
const address = "postgres://me@db.example:6432/d?sslmode=require";

/** The password of a start with a file of these lines, and the files that it read. */
function read(lines: string, store = address) {
  Deno.writeTextFileSync(path, lines, { mode: 0o600 });
  Deno.chmodSync(path, 0o600);
  const { store: found, files } = readConfig({ GATEHOUSE_STORE: store, PGPASSFILE: path });
  return { password: "password" in found ? found.password : undefined, files };
}

Deno.test("readConfig() takes the password of the first line of PGPASSFILE that fits the address", () => {
  const rows: readonly [lines: string, password: string, store?: string][] = [
    ["db.example:6432:d:me:secret\n", "secret"],
    ["# db.example:6432:d:me:no\n\nnonsense\n*:*:*:*:secret", "secret"],
    [
      "db.example:6432:d:you:no\ndb.example:5432:d:me:no\n*:*:e:me:no\ndb:*:*:*:no\n*:*:*:me:secret\n*:*:*:me:no",
      "secret",
    ],
    ["db.example:6432:d:me:a\\:b\\\\c:d\r\n", "a:b\\c:d"],
    ["*:*:*:me:пароль\n", "пароль"],
    ["other:*:*:*:no\n", ""],
    ["*:*:d\\:\\\\:m\\*:secret", "secret", "postgres://m%2A@db/d%3A%5C?sslmode=require"],
    ["[::1]:*:*:*:no\n\\:\\:1:*:*:*:secret", "secret", "postgres://me@[::1]/d"],
    ["localhost:5432:d:me:secret", "secret", "postgres://me@/d?host=/var/run/postgresql"],
    ["b:7:*:*:secret\n*:*:*:*:secret", "secret", "postgres://me@a,b:7/d?sslmode=require"],
    ["localhost:*:*:*:no\n/srv/pg:5432:d:me:secret", "secret", "postgres://me@/d?host=/srv/pg"],
  ];
  for (const [lines, password, store] of rows) assertEquals(read(lines, store), { password, files: [path] }, lines);
});

Deno.test("readConfig() does not read PGPASSFILE for an address with a password, or for a folder", () => {
  Deno.writeTextFileSync(path, "*:*:*:*:no", { mode: 0o600 });
  assertEquals(read("*:*:*:*:no", address.replace("me@", "me:mine@")), { password: "mine", files: [] });
  assertEquals(read("*:*:*:*:no", "data"), { password: undefined, files: [] });
});

Deno.test("readConfig() rejects a PGPASSFILE that others can read, or it cannot, and shows no text of it", () => {
  const rows: readonly [mode: number, content: Uint8Array | undefined, reason: string][] = [
    [0o640, bytesOf("*:*:*:*:secret"), "group or others have access to it: chmod 600"],
    [0o604, bytesOf("*:*:*:*:secret"), "group or others have access to it: chmod 600"],
    [0o600, new Uint8Array([0xff]), "it is not UTF-8"],
    [0o600, bytesOf(""), "it is empty"],
    [0o600, undefined, "No such file or directory (os error 2)"],
  ];
  for (const [mode, content, reason] of rows) {
    if (content === undefined) Deno.removeSync(path);
    else {
      Deno.writeFileSync(path, content);
      Deno.chmodSync(path, mode);
    }
    const { errors } = assertThrows(() => readConfig({ GATEHOUSE_STORE: address, PGPASSFILE: path }), ConfigError);
    assertEquals(errors, [`PGPASSFILE cannot be "${path}": ${reason}`]);
    assert(!errors.join().includes("secret"));
  }
});

function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

addEventListener("unload", () => Deno.removeSync(folder, { recursive: true }));

Deno.test("readConfig() rejects a PGPASSFILE with different passwords for the hosts of one address", () => {
  const readBoth = () => read("a:*:*:*:secret\nb:*:*:*:secret2\n", "postgres://me@a,b/d?sslmode=require");
  const { errors } = assertThrows(readBoth, ConfigError);
  assertEquals(errors, [
    `PGPASSFILE cannot be "${path}": its lines for the hosts of the address have different passwords`,
  ]);
});
