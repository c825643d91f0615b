/** The values that each setting accepts. */
import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { ConfigError, readConfig } from "../../../lib/config/config.ts";
import { settings } from "../../../lib/config/settings.ts";

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
    servers: [{ hostname: "db", port: 5432 }],
    requiresWritable: false,
    database: "gatehouse",
    user: "me",
    password: "",
    encryption: "disable",
  }],
  ["STORE", "file:///var/lib/gatehouse", undefined],

  ["PASSWORD_HASH", "pbkdf2", "pbkdf2"],
  ["PASSWORD_HASH", "argon2id", "argon2id"],
  ["PASSWORD_HASH", "Argon2id", undefined],
  ["PASSWORD_HASH", "bcrypt", undefined],

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

  ["SECOND_FACTOR", "none", undefined],
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

Deno.test("readConfig() reads every field from its own setting", () => {
  const texts: Record<Field, string> = {
    listen: "unix:/s",
    metricsListen: "unix:/m",
    instance: "a",
    logLevel: "debug",
    store: "elsewhere",
    passwordHash: "argon2id",
    pbkdf2Iterations: "1",
    passwordMinLength: "8",
    secondFactor: "admins",
    loginErrors: "exact",
    registration: "closed",
    reservedLogins: "none",
    registrationsPerHour: "0",
    trustedProxies: "10.0.0.1",
    origins: "https://app.example.org",
    home: "https://login.example.org",
    sites: "https://wiki.example.org",
    ticketMs: "5",
    sessionIdleMs: "2",
    sessionMaxMs: "3",
    maxSessions: "7",
    title: "Wiki",
    logo: "logo.svg",
  };
  for (const field of fields()) {
    const others = { GATEHOUSE_SESSION_IDLE_HOURS: "1", GATEHOUSE_HOME: "https://b", GATEHOUSE_SITES: "https://a" };
    const env = { ...others, [settings[field].name]: texts[field] };
    assertEquals(readConfig(env)[field], settings[field].parse(texts[field]), field);
  }
});

Deno.test("readConfig() rejects an empty value of any setting, and says how to get the default", () => {
  for (const field of fields()) {
    const { name } = settings[field];
    const message = assertThrows(() => readConfig({ [name]: "" }), ConfigError).message;
    assertStringIncludes(message, `${name} cannot be "": unset it to use the default`);
  }
});

function fields(): Field[] {
  // `settings` is typed to have the keys of Config and no others.
  return Object.keys(settings) as Field[];
}
