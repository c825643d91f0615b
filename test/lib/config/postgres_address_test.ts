import { assert, assertEquals, assertFalse, assertThrows } from "@std/assert";
import { isPostgresUrl, parsePostgresUrl, shownAddress } from "../../../lib/config/postgres_address.ts";

const local = {
  servers: [{ hostname: "localhost", port: 5432 }],
  requiresWritable: false,
  database: "d",
  user: "u",
  password: "",
} as const;
const open = { ...local, encryption: "disable" } as const;

Deno.test("parsePostgresUrl() reads every part, and shows no password", () => {
  const rows: readonly (readonly [url: string, address: ReturnType<typeof parsePostgresUrl>, shown: string])[] = [
    ["postgres://u@localhost/d", open, "postgres://localhost:5432/d"],
    ["postgresql://u@localhost/d", open, "postgres://localhost:5432/d"],
    ["POSTGRES://u@localhost/d?sslmode=disable", open, "postgres://localhost:5432/d"],
    ["postgres://u:hunter2@localhost:1/d", {
      ...open,
      password: "hunter2",
      servers: [{ hostname: "localhost", port: 1 }],
    }, "postgres://localhost:1/d"],
    ["postgres://u%40x:a%3A%2F%3F%23%25%40%C3%A4@127.0.0.1:65535/my%20d%2Fb", {
      ...open,
      user: "u@x",
      password: "a:/?#%@ä",
      database: "my d/b",
      servers: [{ hostname: "127.0.0.1", port: 65535 }],
    }, "postgres://127.0.0.1:65535/my%20d%2Fb"],
    ["postgres://u@[::1]:7/d", { ...open, servers: [{ hostname: "::1", port: 7 }] }, "postgres://[::1]:7/d"],
    ["postgres://u:hunter2@db.example.com/d?sslmode=verify-full", {
      ...local,
      password: "hunter2",
      servers: [{ hostname: "db.example.com", port: 5432 }],
      encryption: "verify-full",
    }, "postgres://db.example.com:5432/d"],
    ["postgres://u@db/d?sslmode=verify-full&sslrootcert=/etc/my%20ca.crt", {
      ...local,
      servers: [{ hostname: "db", port: 5432 }],
      encryption: "verify-full",
      rootCertificates: "/etc/my ca.crt",
    }, "postgres://db:5432/d"],
    ["postgres://u@db/d?sslrootcert=system&sslmode=verify-full", {
      ...local,
      servers: [{ hostname: "db", port: 5432 }],
      encryption: "verify-full",
    }, "postgres://db:5432/d"],
    ["postgres://u@10.0.0.1/d?sslmode=require", {
      ...local,
      servers: [{ hostname: "10.0.0.1", port: 5432 }],
      encryption: "require",
    }, "postgres://10.0.0.1:5432/d"],
    ["postgres://u@a.example:7,b.example,[::1]:8/d?sslmode=verify-full", {
      ...local,
      servers: [{ hostname: "a.example", port: 7 }, { hostname: "b.example", port: 5432 }, {
        hostname: "::1",
        port: 8,
      }],
      requiresWritable: true,
      encryption: "verify-full",
    }, "postgres://a.example:7,b.example:5432,[::1]:8/d"],
    ["postgres://u@127.0.0.1,127.0.0.2/d?target_session_attrs=read-write", {
      ...open,
      servers: [{ hostname: "127.0.0.1", port: 5432 }, { hostname: "127.0.0.2", port: 5432 }],
      requiresWritable: true,
    }, "postgres://127.0.0.1:5432,127.0.0.2:5432/d"],
    ["postgres://u@localhost/d?target_session_attrs=read-write", {
      ...open,
      requiresWritable: true,
    }, "postgres://localhost:5432/d"],
    ["postgres://u@/d?host=/run&target_session_attrs=read-write", {
      ...open,
      servers: [{ hostname: "/run", port: 5432 }],
      requiresWritable: true,
    }, "postgres:///d at /run/.s.PGSQL.5432"],
    ["postgres://u@/d?host=/run/pg", {
      ...open,
      servers: [{ hostname: "/run/pg", port: 5432 }],
    }, "postgres:///d at /run/pg/.s.PGSQL.5432"],
    ["postgres://u:hunter2@/d?port=7&host=%2Frun%2Fpg%2F", {
      ...open,
      password: "hunter2",
      servers: [{ hostname: "/run/pg", port: 7 }],
    }, "postgres:///d at /run/pg/.s.PGSQL.7"],
  ];
  for (const [url, address, shown] of rows) {
    assert(isPostgresUrl(url), url);
    assertEquals(parsePostgresUrl(url), address, url);
    assertEquals(shownAddress(parsePostgresUrl(url)), shown);
  }
});

Deno.test("parsePostgresUrl() rejects an incomplete URL, and quotes nothing of it", () => {
  const rows: readonly (readonly [url: string, reason: RegExp])[] = [
    ["postgres://", /^use postgres:/],
    ["postgres://localhost/hunter2", /^use postgres:/],
    ["postgres://hunter2@localhost", /^use postgres:/],
    ["postgres://hunter2@localhost/", /^use postgres:/],
    ["postgres://:hunter2@localhost/d", /^use postgres:/],
    ["postgres://u:hunter2@x@localhost/d", /written as %40/],
    ["postgres://u:hunter2/@localhost/d", /written as %40/],
    ["postgres://u:hunter2%@localhost/d", /written as %40/],
    ["postgres://u:hunter2%00@localhost/d", /written as %40/],
    ["postgres://u:hunter2#@localhost/d", /written as %40/],
    ["postgres://u:hunter2@localhost/d/e", /^use postgres:/],
    ["postgres://u:hunter2@localhost/d#e", /^use postgres:/],
    ["postgres://u:hunter2@a,/d?sslmode=disable", /one of its hosts/],
    ["postgres://u:hunter2@,/d?sslmode=disable", /one of its hosts/],
    ["postgres://u:hunter2@a,b:0/d?sslmode=disable", /port must be/],
    ["postgres://u:hunter2@127.0.0.1,db/d", /sslmode=verify-full/],
    ["postgres://u:hunter2@localhost,127.0.0.1/d?target_session_attrs=any", /can only be read-write/],
    ["postgres://u:hunter2@localhost/d?target_session_attrs=primary", /can only be read-write/],
    ["postgres://u:hunter2@localhost/d?target_session_attrs=", /"target_session_attrs" needs one value/],
    ["postgres://u:hunter2@a b/d?sslmode=disable", /one of its hosts/],
    ["postgres://u:hunter2@[::1/d", /one of its hosts/],
    ["postgres://u:hunter2@::1/d", /one of its hosts/],
    ["postgres://u:hunter2@[127.0.0.1]/d", /one of its hosts/],
    ["postgres://u:hunter2@localhost/d?host=/run", /"host" does not fit/],
    ["postgres://u:hunter2@localhost:/d", /one of its hosts/],
    ["postgres://u:hunter2@localhost:0/d", /port must be/],
    ["postgres://u:hunter2@localhost:65536/d", /port must be/],
    ["postgres://u:hunter2@localhost:1e3/d", /port must be/],
    ["postgres://u:hunter2@localhost/d?port=1", /"port" does not fit/],
    ["postgres://u:hunter2@/d", /absolute folder/],
    ["postgres://u:hunter2@/d?host=run", /absolute folder/],
    ["postgres://u:hunter2@/d?host=/", /absolute folder/],
    ["postgres://u:hunter2@/d?host=/run&port=x", /port must be/],
    ["postgres://u:hunter2@/d?host=/run&sslmode=require", /"sslmode" does not fit/],
    ["postgres://u:hunter2@db/d", /sslmode=verify-full/],
    ["postgres://u:hunter2@127.0.0.1.example.com/d", /sslmode=verify-full/],
    ["postgres://u:hunter2@db/d?sslmode=prefer", /sslmode=verify-full/],
    ["postgres://u:hunter2@db/d?sslmode=VERIFY-FULL", /sslmode=verify-full/],
    ["postgres://u:hunter2@db/d?sslmode=", /"sslmode" needs one value/],
    ["postgres://u:hunter2@db/d?sslmode=require&sslmode=disable", /"sslmode" needs one value/],
    ["postgres://u:hunter2@db/d?sslmode=require&sslrootcert=/ca", /"sslrootcert" does not fit/],
    [
      "postgres://u@localhost/d?password=hunter2",
      /its parameters can be host, port, sslmode, sslrootcert, target_session_attrs$/,
    ],
    [
      "postgres://u@localhost/d?hunter2",
      /its parameters can be host, port, sslmode, sslrootcert, target_session_attrs$/,
    ],
    [
      "postgres://u@localhost/d?sslmode=disable&",
      /its parameters can be host, port, sslmode, sslrootcert, target_session_attrs$/,
    ],
  ];
  for (const [url, reason] of rows) {
    const { message } = assertThrows(() => parsePostgresUrl(url), RangeError, undefined, url);
    assert(reason.test(message), `${url}: ${message}`);
    assertFalse(message.includes("hunter2"), url);
  }
});

Deno.test("isPostgresUrl() accepts its own scheme and no other", () => {
  for (const text of ["postgres:/x", "postgres", "data/postgres://", "postgresq://x", "mysql://x", "file:///x", ""]) {
    assertFalse(isPostgresUrl(text), text);
  }
});
