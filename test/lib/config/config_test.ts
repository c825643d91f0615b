import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { ConfigError, configWarnings, readConfig } from "../../../lib/config/config.ts";
import { keepsFreedMemory } from "../../../lib/config/malloc.ts";
import { settings } from "../../../lib/config/settings.ts";

const hourMs = 3_600_000;

Deno.test("readConfig() of an empty environment gives the defaults of the design", () => {
  const { effective: _, ...values } = readConfig({});
  assertEquals(values, {
    listen: { hostname: "127.0.0.1", port: 8_000 },
    metricsListen: undefined,
    instance: undefined,
    logLevel: "info",
    store: { folder: "data" },
    passwordHash: "pbkdf2",
    pbkdf2Iterations: 600_000,
    passwordMinLength: 15,
    secondFactor: "optional",
    loginErrors: "uniform",
    registration: "open",
    reservedLogins: settings.reservedLogins.default.split(","),
    registrationsPerHour: 60,
    trustedProxies: [],
    origins: [],
    home: "",
    sites: [],
    ticketMs: 24 * hourMs,
    sessionIdleMs: 168 * hourMs,
    sessionMaxMs: 720 * hourMs,
    maxSessions: 50,
    title: "Gatehouse",
    logo: undefined,
    files: [],
    keepsFreedMemory: keepsFreedMemory({}),
  });
});

Deno.test("readConfig() ignores variables of other programs", () => {
  assertEquals(readConfig({ PATH: "/bin", GATEHOUS_LISTEN: "x", MY_GATEHOUSE_STORE: "" }), readConfig({}));
});

Deno.test("readConfig() names the word for no reserved logins", () => {
  const { errors } = assertThrows(() => readConfig({ GATEHOUSE_RESERVED_LOGINS: "" }), ConfigError);
  assertEquals(errors, ['GATEHOUSE_RESERVED_LOGINS cannot be "": unset it to use the default, or set none']);
  const other = assertThrows(() => readConfig({ GATEHOUSE_STORE: "" }), ConfigError);
  assertEquals(other.errors, ['GATEHOUSE_STORE cannot be "": unset it to use the default']);
});

Deno.test("readConfig() rejects an unknown setting and suggests a similar name", () => {
  const hints: Readonly<Record<string, string | undefined>> = {
    LOGIN_EROR: "LOGIN_ERRORS",
    LOGINERRORS: "LOGIN_ERRORS",
    STROE: "STORE",
    store: "STORE",
    SESSION_MAX_HOUR: "SESSION_MAX_HOURS",
    PORT: "LISTEN",
    HOST: "LISTEN",
    ADDRESS: "LISTEN",
    BIND: "LISTEN",
    DATA: "STORE",
    DATABASE: "STORE",
    db: "STORE",
    TIME: undefined,
    SECRET: undefined,
    SESSION_SECRET: undefined,
    "": undefined,
  };
  for (const [name, meant] of Object.entries(hints)) {
    const hint = meant === undefined ? 'see "Settings" in README.md' : `did you mean GATEHOUSE_${meant}?`;
    const { errors } = assertThrows(() => readConfig({ [`GATEHOUSE_${name}`]: "8080" }), ConfigError);
    assertEquals(errors, [`GATEHOUSE_${name} is not a setting: ${hint}`]);
  }
});

Deno.test("readConfig() names all errors at once, a line each", () => {
  const env = {
    GATEHOUSE_LISTEN: "8000",
    GATEHOUSE_PASSWORD_MIN_LENGTH: "7",
    GATEHOUSE_REGISTRATION: "ticket\nforged: line",
    GATEHOUSE_SESSION_IDLE_HOURS: "9",
    GATEHOUSE_SESSION_MAX_HOURS: "3",
    GATEHOUSE_STORES: "data",
    GATEHOUSE_TRUSTED_PROXIES: "::1,nobody",
  };
  const errors = [
    "GATEHOUSE_STORES is not a setting: did you mean GATEHOUSE_STORE?",
    'GATEHOUSE_LISTEN cannot be "8000": use ADDRESS:PORT, such as 127.0.0.1:8000 or [::1]:8000, port 0 to ' +
    "65535, or unix:/PATH of at most 107 bytes",
    'GATEHOUSE_PASSWORD_MIN_LENGTH cannot be "7": use a whole number from 8 to 64, in digits',
    'GATEHOUSE_REGISTRATION cannot be "ticket\\nforged: line": use open or ticket or closed',
    'GATEHOUSE_TRUSTED_PROXIES cannot be "::1,nobody": entry 2: use an address or ' +
    "CIDR block, as in 10.0.0.0/8,2001:db8::1",
    "GATEHOUSE_SESSION_IDLE_HOURS (9) must not exceed GATEHOUSE_SESSION_MAX_HOURS (3)",
  ];
  const error = assertThrows(() => readConfig(env), ConfigError);
  assertEquals(error.errors, errors);
  assertEquals(error.message.split("\n"), [
    "Cannot start with these settings:",
    ...errors.map((error) => `  ${error}`),
  ]);
});

Deno.test("readConfig() names both session lifetimes, and which is a default", () => {
  const lifetimes: readonly (readonly [env: Readonly<Record<string, string>>, error: string])[] = [
    [
      { GATEHOUSE_SESSION_MAX_HOURS: "24" },
      "GATEHOUSE_SESSION_IDLE_HOURS (168, the default) must not exceed GATEHOUSE_SESSION_MAX_HOURS (24)",
    ],
    [
      { GATEHOUSE_SESSION_IDLE_HOURS: "721" },
      "GATEHOUSE_SESSION_IDLE_HOURS (721) must not exceed GATEHOUSE_SESSION_MAX_HOURS (720, the default)",
    ],
  ];
  for (const [env, error] of lifetimes) {
    assertEquals(assertThrows(() => readConfig(env), ConfigError).errors, [error]);
  }
});

Deno.test("readConfig() gives the number of the bad entry of a list", () => {
  const { errors } = assertThrows(
    () => readConfig({ GATEHOUSE_RESERVED_LOGINS: "admin,*", GATEHOUSE_TRUSTED_PROXIES: "10.0.0.0/99" }),
    ConfigError,
  );
  assertEquals(errors, [
    'GATEHOUSE_RESERVED_LOGINS cannot be "admin,*": entry 2: use a login or *@DOMAIN, as in ' +
    "admin,*@example.org, or none",
    'GATEHOUSE_TRUSTED_PROXIES cannot be "10.0.0.0/99": entry 1: use an address or CIDR block, as in ' +
    "10.0.0.0/8,2001:db8::1",
  ]);
});

Deno.test("readConfig() compares the session lifetimes only when both can be read", () => {
  const env = { GATEHOUSE_SESSION_IDLE_HOURS: "1000", GATEHOUSE_SESSION_MAX_HOURS: "many" };
  const { errors } = assertThrows(() => readConfig(env), ConfigError);
  assertEquals(errors, [
    'GATEHOUSE_SESSION_MAX_HOURS cannot be "many": use a whole number from 1 to 8760, in digits',
  ]);
});

Deno.test("readConfig() never shows the password of a database", () => {
  const url = "postgres://gatehouse:hunter2@db/gatehouse";
  const { store, effective } = readConfig({ GATEHOUSE_STORE: `${url}?sslmode=require` });
  assert("password" in store);
  assertEquals(store.password, "hunter2");
  assertEquals(effective.find(({ name }) => name === "GATEHOUSE_STORE")?.value, "postgres://…");
  const env = { GATEHOUSE_STORE: url };
  const { errors } = assertThrows(() => readConfig(env), ConfigError);
  assertEquals(errors, [
    'GATEHOUSE_STORE cannot be "postgres://…": over a network it must have ?sslmode=verify-full, or ' +
    "sslmode=require (encrypted, but the server is not verified), or sslmode=disable (only for a private network)",
  ]);
});

Deno.test("readConfig() keeps every setting as it was written, in order", () => {
  const texts = { GATEHOUSE_LISTEN: "[::1]:0", GATEHOUSE_TRUSTED_PROXIES: "::1, 10.0.0.0/8" };
  const { effective } = readConfig({ ...texts, PATH: "/bin" });
  assertEquals(effective.map(({ name }) => name), Object.values(settings).map(({ name }) => name));
  for (const [index, { name, default: text, meaning }] of Object.values(settings).entries()) {
    const value = { ...texts }[name] ?? text;
    assertEquals(effective[index], { name, value, default: text, meaning });
  }
});

Deno.test("readConfig() returns a deeply frozen config", () => {
  for (const listen of ["127.0.0.1:0", "unix:/s"]) {
    const config = readConfig({ GATEHOUSE_LISTEN: listen, GATEHOUSE_TRUSTED_PROXIES: "::1" });
    const parts = [config.listen, config.trustedProxies, readConfig({}).trustedProxies, config.effective];
    for (const part of [config, ...parts, ...config.effective]) {
      assertEquals(Object.isFrozen(part), true);
    }
  }
});

Deno.test("settings fit a table of Markdown: no bars, no line breaks, unique names", () => {
  const table = Object.values(settings);
  assertEquals(table.filter(({ meaning }) => meaning === "" || /[|\n]/.test(meaning)), []);
  assertEquals(new Set(table.map(({ name }) => name)).size, table.length);
});

Deno.test("readConfig() names the setting and the remedy for a folder in quotes, and shows no password", () => {
  const rows = [
    ['"/var/lib/x"', '"\\"/var/lib/x\\""'],
    ["data\r", '"data\\r"'],
    ["'postgres://me:hunter2@db/d?sslmode=require'", `"'postgres://…"`],
  ] as const;
  for (const [text, shown] of rows) {
    const { errors } = assertThrows(() => readConfig({ GATEHOUSE_STORE: text }), ConfigError);
    assertStringIncludes(errors.join(), `GATEHOUSE_STORE cannot be ${shown}: remove the quotes or white space`);
    assertEquals(errors.length, 1);
  }
});

Deno.test("configWarnings() names each weak setting and the value to set", () => {
  const weak: readonly (readonly [name: string, weak: string, sound: string, part: string])[] = [
    ["GATEHOUSE_PBKDF2_ITERATIONS", "599999", "600000", "is 599999, which makes the passwords of a stolen store"],
    ["GATEHOUSE_PBKDF2_ITERATIONS", "1000", "10000000", "cheap to guess: set it to 600000 or more"],
    [
      "GATEHOUSE_PASSWORD_MIN_LENGTH",
      "14",
      "15",
      "is 14, which is short for a password that is the only factor: set it",
    ],
    [
      "GATEHOUSE_LOGIN_ERRORS",
      "exact",
      "uniform",
      'is "exact", which reveals to anyone which logins exist',
    ],
  ];
  for (const [name, weakText, soundText, part] of weak) {
    const warnings = configWarnings(readConfig({ [name]: weakText }));
    assertEquals(warnings.length, 1);
    assertStringIncludes(warnings[0] ?? "", `${name} is `);
    assertStringIncludes(warnings[0] ?? "", part);
    assertEquals(configWarnings(readConfig({ [name]: soundText })), []);
  }
});

Deno.test("configWarnings() ignores a short password where everyone must have a second factor", () => {
  for (const [secondFactor, count] of [["optional", 1], ["admins", 1], ["all", 0]] as const) {
    const env = { GATEHOUSE_PASSWORD_MIN_LENGTH: "8", GATEHOUSE_SECOND_FACTOR: secondFactor };
    assertEquals(configWarnings(readConfig(env)).length, count);
  }
});

Deno.test("configWarnings() ignores the iterations of PBKDF2 where Argon2id is used", () => {
  const env = { GATEHOUSE_PASSWORD_HASH: "argon2id", GATEHOUSE_PBKDF2_ITERATIONS: "1000" };
  assertEquals(configWarnings(readConfig(env)), []);
});
