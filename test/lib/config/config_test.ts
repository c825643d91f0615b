import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { ConfigError, configWarnings, readConfig } from "../../../lib/config/config.ts";
import { wholeNumber } from "../../../lib/config/parsers.ts";
import { readSetting, type Setting, settings } from "../../../lib/config/settings.ts";

type Field = keyof typeof settings;

const hourMs = 3_600_000;

/** A setting's name without its prefix, a text, and what it becomes; `undefined` is rejected. */
type Row = readonly [name: string, text: string, value: ReturnType<typeof settings[Field]["parse"]> | undefined];

const longestSocketPath = `/${"s".repeat(106)}`;

const rows: readonly Row[] = [
  ["LISTEN", "127.0.0.1:8000", { hostname: "127.0.0.1", port: 8_000 }],
  ["LISTEN", "0.0.0.0:0", { hostname: "0.0.0.0", port: 0 }],
  ["LISTEN", "localhost:65535", { hostname: "localhost", port: 65_535 }],
  ["LISTEN", "gate-1.example.org:80", { hostname: "gate-1.example.org", port: 80 }],
  ["LISTEN", "[::1]:8000", { hostname: "::1", port: 8_000 }],
  ["LISTEN", "unix:/run/gatehouse.sock", { path: "/run/gatehouse.sock" }],
  ["LISTEN", `unix:${longestSocketPath}`, { path: longestSocketPath }],
  ["LISTEN", `unix:${longestSocketPath}s`, undefined],
  ["LISTEN", "unix:run/gatehouse.sock", undefined],
  ["LISTEN", "unix:/run/", undefined],
  ["LISTEN", "unix:/", undefined],
  ["LISTEN", "127.0.0.1:65536", undefined],
  ["LISTEN", "127.0.0.1:-1", undefined],
  ["LISTEN", "127.0.0.1:", undefined],
  ["LISTEN", "127.0.0.1", undefined],
  ["LISTEN", "127.0.0.300:8000", undefined],
  ["LISTEN", ":8000", undefined],
  ["LISTEN", "8000", undefined],
  ["LISTEN", "::1:8000", undefined],
  ["LISTEN", "[127.0.0.1]:8000", undefined],
  ["LISTEN", "[fe80::1%eth0]:8000", undefined],
  ["LISTEN", "http://localhost:8000", undefined],
  ["LISTEN", " localhost:8000", undefined],

  ["METRICS_LISTEN", "127.0.0.1:9000", { hostname: "127.0.0.1", port: 9_000 }],
  ["METRICS_LISTEN", "unix:/run/metrics.sock", { path: "/run/metrics.sock" }],
  ["METRICS_LISTEN", "127.0.0.1:8000", undefined],
  ["METRICS_LISTEN", "9000", undefined],

  ["STORE", "/var/lib/gatehouse", { folder: "/var/lib/gatehouse" }],
  ["STORE", "my data", { folder: "my data" }],
  ["STORE", "postgres://db/gatehouse", undefined],
  ["STORE", "postgres://me@db/gatehouse?sslmode=disable", {
    target: { hostname: "db", port: 5432 },
    database: "gatehouse",
    user: "me",
    password: "",
    encryption: "disable",
  }],
  ["STORE", "file:///var/lib/gatehouse", undefined],

  ["PBKDF2_ITERATIONS", "1", 1],
  ["PBKDF2_ITERATIONS", "10000000", 10_000_000],
  ["PBKDF2_ITERATIONS", "0", undefined],
  ["PBKDF2_ITERATIONS", "10000001", undefined],
  ["PBKDF2_ITERATIONS", "1e3", undefined],
  ["PBKDF2_ITERATIONS", " 5", undefined],
  ["PBKDF2_ITERATIONS", "5\n", undefined],
  ["PBKDF2_ITERATIONS", "+5", undefined],
  ["PBKDF2_ITERATIONS", "0x10", undefined],
  ["PBKDF2_ITERATIONS", "1.5", undefined],
  ["PBKDF2_ITERATIONS", "٣", undefined],

  ["PASSWORD_MIN_LENGTH", "8", 8],
  ["PASSWORD_MIN_LENGTH", "64", 64],
  ["PASSWORD_MIN_LENGTH", "7", undefined],
  ["PASSWORD_MIN_LENGTH", "65", undefined],

  ["LOGIN_ERRORS", "uniform", "uniform"],
  ["LOGIN_ERRORS", "exact", "exact"],
  ["LOGIN_ERRORS", "Exact", undefined],

  ["REGISTRATION", "open", "open"],
  ["REGISTRATION", "closed", "closed"],
  ["REGISTRATION", "ticket", "ticket"],
  ["REGISTRATION", "tickets", undefined],

  ["REGISTRATIONS_PER_HOUR", "0", 0],
  ["REGISTRATIONS_PER_HOUR", "1000000", 1_000_000],
  ["REGISTRATIONS_PER_HOUR", "1000001", undefined],
  ["REGISTRATIONS_PER_HOUR", "-1", undefined],

  ["RESERVED_LOGINS", "none", []],
  ["RESERVED_LOGINS", "admin", ["admin"]],
  ["RESERVED_LOGINS", "Admin, Ceo@Corp.Example,*@corp.Example", ["admin", "ceo@corp.example", "*@corp.example"]],
  ["RESERVED_LOGINS", "none,admin", ["none", "admin"]],
  ["RESERVED_LOGINS", "a".repeat(64), ["a".repeat(64)]],
  ["RESERVED_LOGINS", "a".repeat(65), undefined],
  ["RESERVED_LOGINS", "admin,", undefined],
  ["RESERVED_LOGINS", "admin root", undefined],
  ["RESERVED_LOGINS", "*", undefined],
  ["RESERVED_LOGINS", "admin*", undefined],
  ["RESERVED_LOGINS", "*admin", undefined],
  ["RESERVED_LOGINS", "*@", undefined],
  ["RESERVED_LOGINS", "*@*.example", undefined],
  ["RESERVED_LOGINS", "ädmin", undefined],
  ["RESERVED_LOGINS", "\u212aadmin", undefined],

  ["TRUSTED_PROXIES", "10.0.0.1", ["10.0.0.1"]],
  ["TRUSTED_PROXIES", "10.0.0.0/8,2001:db8::/32, ::1", ["10.0.0.0/8", "2001:db8::/32", "::1"]],
  ["TRUSTED_PROXIES", "0.0.0.0/32,::/128", ["0.0.0.0/32", "::/128"]],
  ["TRUSTED_PROXIES", "0.0.0.0/33", undefined],
  ["TRUSTED_PROXIES", "::/129", undefined],
  ["TRUSTED_PROXIES", "10.0.0.0/", undefined],
  ["TRUSTED_PROXIES", "10.0.0.0/8/8", undefined],
  ["TRUSTED_PROXIES", "10.0.0.1,", undefined],
  ["TRUSTED_PROXIES", "10.0.0.1 10.0.0.2", undefined],
  ["TRUSTED_PROXIES", "10.0.0", undefined],
  ["TRUSTED_PROXIES", "fe80::1%eth0", undefined],
  ["TRUSTED_PROXIES", "caddy.example.org", undefined],

  ["TITLE", "Вики & <Co>", "Вики & <Co>"],
  ["TITLE", "\u{1f984}".repeat(40), "\u{1f984}".repeat(40)],
  ["TITLE", "\u{1f984}".repeat(41), undefined],
  ["TITLE", "Wiki\nof all", undefined],
  ["TITLE", "Wiki\u2028of all", undefined],
  ["TITLE", "Wiki\u202eof all", undefined],
  ["TITLE", "Wiki\ud800", undefined],

  ["LOGO", "logo.svg", { path: "logo.svg", type: "image/svg+xml" }],
  ["LOGO", "/srv/my logo.PNG", { path: "/srv/my logo.PNG", type: "image/png" }],
  ["LOGO", "logo.jpg", undefined],
  ["LOGO", "svg", undefined],
  ["LOGO", "https://cdn.example/logo", undefined],
  ["LOGO", "lo\tgo.svg", undefined],

  ["TICKET_HOURS", "1", hourMs],
  ["TICKET_HOURS", "8760", 8_760 * hourMs],
  ["TICKET_HOURS", "0", undefined],
  ["TICKET_HOURS", "8761", undefined],

  ["SESSION_IDLE_HOURS", "1", hourMs],
  ["SESSION_IDLE_HOURS", "720", 720 * hourMs],
  ["SESSION_IDLE_HOURS", "721", undefined],
  ["SESSION_IDLE_HOURS", "0", undefined],
  ["SESSION_MAX_HOURS", "8760", 8_760 * hourMs],
  ["SESSION_MAX_HOURS", "168", 168 * hourMs],
  ["SESSION_MAX_HOURS", "167", undefined],
  ["SESSION_MAX_HOURS", "8761", undefined],

  ["MAX_SESSIONS", "1", 1],
  ["MAX_SESSIONS", "1000", 1_000],
  ["MAX_SESSIONS", "0", undefined],
  ["MAX_SESSIONS", "1001", undefined],
];

for (const [name, text, value] of rows) {
  const verb = value === undefined ? "rejects" : "accepts";
  Deno.test(`readConfig() ${verb} ${name} ${JSON.stringify(text)}`, () => {
    const env = { [`GATEHOUSE_${name}`]: text };
    if (value === undefined) {
      const message = assertThrows(() => readConfig(env), ConfigError).message;
      assertEquals(message.split("\n").length, 2, message);
      assertStringIncludes(message, `GATEHOUSE_${name}`);
      return;
    }
    const field = fields().find((candidate) => settings[candidate].name === `GATEHOUSE_${name}`);
    assertEquals(field && readConfig(env)[field], value);
  });
}

Deno.test("readConfig() of an empty environment gives the defaults of the design", () => {
  const { effective: _, ...values } = readConfig({});
  assertEquals(values, {
    listen: { hostname: "127.0.0.1", port: 8_000 },
    metricsListen: undefined,
    store: { folder: "data" },
    pbkdf2Iterations: 600_000,
    passwordMinLength: 15,
    loginErrors: "uniform",
    registration: "open",
    reservedLogins: settings.reservedLogins.default.split(","),
    registrationsPerHour: 60,
    trustedProxies: [],
    ticketMs: 24 * hourMs,
    sessionIdleMs: 168 * hourMs,
    sessionMaxMs: 720 * hourMs,
    maxSessions: 50,
    title: "Gatehouse",
    logo: undefined,
  });
});

Deno.test("readConfig() reads every field from its own setting", () => {
  const texts: Record<Field, string> = {
    listen: "unix:/s",
    metricsListen: "unix:/m",
    store: "elsewhere",
    pbkdf2Iterations: "1",
    passwordMinLength: "8",
    loginErrors: "exact",
    registration: "closed",
    reservedLogins: "none",
    registrationsPerHour: "0",
    trustedProxies: "10.0.0.1",
    ticketMs: "5",
    sessionIdleMs: "2",
    sessionMaxMs: "3",
    maxSessions: "7",
    title: "Wiki",
    logo: "logo.svg",
  };
  for (const field of fields()) {
    const env = { GATEHOUSE_SESSION_IDLE_HOURS: "1", [settings[field].name]: texts[field] };
    assertEquals(readConfig(env)[field], settings[field].parse(texts[field]), field);
  }
});

Deno.test("readConfig() ignores variables of other programs", () => {
  assertEquals(readConfig({ PATH: "/bin", GATEHOUS_LISTEN: "x", MY_GATEHOUSE_STORE: "" }), readConfig({}));
});

Deno.test("readConfig() rejects an empty value of any setting, and says how to get the default", () => {
  for (const field of fields()) {
    const { name } = settings[field];
    const message = assertThrows(() => readConfig({ [name]: "" }), ConfigError).message;
    assertStringIncludes(message, `${name} cannot be "": unset it to use the default`);
  }
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
    'GATEHOUSE_TRUSTED_PROXIES cannot be "::1,nobody": "nobody" is not an address or CIDR block; ' +
    "use a list such as 10.0.0.0/8,2001:db8::1",
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

Deno.test("readConfig() names the bad entry of a list", () => {
  const { errors } = assertThrows(
    () => readConfig({ GATEHOUSE_RESERVED_LOGINS: "admin,*", GATEHOUSE_TRUSTED_PROXIES: "10.0.0.0/99" }),
    ConfigError,
  );
  assertEquals(errors, [
    'GATEHOUSE_RESERVED_LOGINS cannot be "admin,*": "*" is not a login or *@DOMAIN; use a list such as ' +
    "admin,*@example.org, or none",
    'GATEHOUSE_TRUSTED_PROXIES cannot be "10.0.0.0/99": "10.0.0.0/99" is not an address or CIDR block; use a list ' +
    "such as 10.0.0.0/8,2001:db8::1",
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

const count: Setting<number> = {
  name: "COUNT",
  default: "3",
  meaning: "",
  parse: wholeNumber({ least: 2, most: 4 }),
};

Deno.test("readSetting() returns the value, the default if it is not set, and undefined after an error", () => {
  const rows:
    readonly (readonly [env: Record<string, string>, value: number | undefined, error: string | undefined])[] = [
      [{ COUNT: "4" }, 4, undefined],
      [{}, 3, undefined],
      [{ COUNT: "5" }, undefined, 'COUNT cannot be "5": use a whole number from 2 to 4, in digits'],
      [{ COUNT: "" }, undefined, 'COUNT cannot be "": unset it to use the default'],
    ];
  for (const [env, value, error] of rows) {
    const errors: string[] = [];
    assertEquals(readSetting(count, { env, errors }), value);
    assertEquals(errors, error === undefined ? [] : [error]);
  }
});

Deno.test("readSetting() rejects quotes and white space around a value, which some env files keep", () => {
  for (const text of ['"4"', "'4'", '4"', "'4", " 4", "4 ", "4\r", "4\n", "\ufeff4"]) {
    const errors: string[] = [];
    readSetting(count, { env: { COUNT: text }, errors });
    assertEquals(errors.length, 1);
    assertStringIncludes(errors[0] ?? "", ": remove the quotes or white space around it");
  }
});

Deno.test("readSetting() passes on a bug in a parser", () => {
  const broken: Setting<number> = {
    ...count,
    parse: () => {
      throw new TypeError("bug");
    },
  };
  assertThrows(() => readSetting(broken, { env: { COUNT: "1" }, errors: [] }), TypeError, "bug");
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

function fields(): Field[] {
  // `settings` is typed to have the keys of Config and no others.
  return Object.keys(settings) as Field[];
}
