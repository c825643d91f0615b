/** No reply and no line of the log gives a secret away: a property of all routes, for good and bad requests. */
import { assert, assertEquals } from "@std/assert";
// fast-check: makes requests that nobody thinks of, and cuts one that gives a secret away down to its essence.
import fc from "npm:fast-check@4.10.2";
import { ulid } from "@std/ulid";
import { createHash } from "node:crypto";
import type { StoredRecord } from "../../lib/store.ts";
import { routes } from "../../routes/mod.ts";
import { openAdminApp } from "../support/accounts.ts";
import { type Reply, type SendOptions, type TestApp } from "../support/app.ts";
import { credentialOf } from "../support/store/records.ts";

const logins = ["alice", "bob"];
const methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

/** A request that may carry secrets, in places where they belong and where they do not. */
interface SecretRequest {
  readonly method: string;
  readonly path: string;
  readonly options: SendOptions;
}

/** What must not be seen: of the tokens, the part that is the secret. */
interface Secrets {
  readonly passwords: readonly string[];
  /** Of the logins, in their order, and of an admin. */
  readonly tokens: readonly string[];
  /** Codes. */
  readonly tickets: readonly string[];
}

/** Long enough to be found in no other text by chance, and hard to guess, so that some are taken. */
const passwords: fc.Arbitrary<string> = fc.uuid().map((uuid) => `é ${uuid}`);

/** One secret or another, or what is none. */
function textsOf({ passwords, tokens, tickets }: Secrets): fc.Arbitrary<string> {
  return fc.constantFrom(...passwords, ...tokens, ...tickets, "alice", "Bob", "", "a b");
}

/** What a route wants: a session, most often of the admin, and a body where it wants one. */
function fittingOf({ method, path }: Target, { passwords, tokens, tickets }: Secrets): fc.Arbitrary<SendOptions> {
  const login = fc.constantFrom(...logins, "carol");
  const password = fc.constantFrom(...passwords);
  const ticket = fc.constantFrom(...tickets, "none");
  const bodies: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
    POST: path === "/ticket/"
      ? fc.record({ purpose: fc.constantFrom("register", "reset"), login })
      : fc.record({ login, password, ticket }, { requiredKeys: ["login", "password"] }),
    PUT: fc.oneof(fc.record({ current_password: password, password }), fc.record({ ticket, password })),
    PATCH: fc.record({ groups: fc.constantFrom([], ["staff"], ["admin"]), disabled: fc.boolean() }, {
      requiredKeys: [],
    }),
  };
  const token = fc.constantFrom(...tokens, ...tokens.slice(-1), ...tokens.slice(-1));
  return fc.tuple(bodies[method] ?? fc.constant(undefined), token).map(([json, token]) => {
    return { ...json !== undefined && { json }, headers: { authorization: `Bearer ${token}` } };
  });
}

function bodiesOf(secrets: Secrets): fc.Arbitrary<SendOptions> {
  const text = textsOf(secrets);
  const password = fc.constantFrom(...secrets.passwords);
  const credentials = fc.record({ login: fc.constantFrom(...logins), password });
  const odd = fc.oneof(text, fc.integer(), fc.array(text), fc.dictionary(fc.constant("password"), text));
  return fc.oneof(
    { weight: 4, arbitrary: credentials.map((json) => ({ json })) },
    credentials.map((json) => ({ json: { ...json, cookie: true } })),
    fc.record({ login: odd, password: odd, extra: odd }, { requiredKeys: [] }).map((json) => ({ json })),
    credentials.map((json) => ({ body: JSON.stringify(json).slice(0, -1) })),
    credentials.map((json) => ({ body: `${JSON.stringify(json)}${JSON.stringify(json)}` })),
    credentials.map((json) => ({ body: JSON.stringify(json).padEnd(20_000) })),
    text.map((body) => ({ body })),
    credentials.map((json) => ({ json, headers: { "content-type": "text/plain" } })),
    fc.constant({}),
  );
}

function headersOf(secrets: Secrets): fc.Arbitrary<Record<string, string>> {
  const text = textsOf(secrets).map((text) => encodeURIComponent(text));
  const token = fc.constantFrom(...secrets.tokens, "none");
  return fc.record({
    authorization: fc.oneof(token.map((token) => `Bearer ${token}`), text.map((text) => `Basic ${text}`)),
    cookie: fc.oneof(
      token.map((token) => `__Host-gatehouse=${token}`),
      text.map((text) => `=${text}; ${text}`),
    ),
    "sec-fetch-site": fc.constantFrom("same-origin", "cross-site"),
    "user-agent": text,
    "x-forwarded-for": text,
    "x-request-id": text,
    "if-match": text,
    "if-none-match": text,
    origin: text,
  }, { requiredKeys: [] });
}

interface Target {
  readonly method: string;
  readonly path: string;
}

/** Half of them to a route, with its method. */
function targetsOf(secrets: Secrets): fc.Arbitrary<Target> {
  const params: Readonly<Record<string, string>> = {
    ":login": "alice",
    ":id": secrets.tokens[0]?.slice(0, 26) ?? "",
    ":code": "not-found",
  };
  const targets = routes.map(({ method, path }) => {
    return { method, path: path.replace(/:\w+/g, (name) => params[name] ?? "") };
  });
  const segment = textsOf(secrets).map((text) => encodeURIComponent(text));
  const path = fc.oneof(
    fc.constantFrom(...targets.map((target) => target.path), "/user", "/session"),
    segment.map((segment) => `/user/${segment}`),
    segment.map((segment) => `/user/${segment}/password`),
    segment.map((segment) => `/user/alice/session/${segment}`),
    segment.map((segment) => `/user/?prefix=${segment}&after=${segment}`),
    segment.map((segment) => `/user/%zz${segment}`),
    segment.map((segment) => `/problem/${segment}`),
    segment.map((segment) => `/${segment}`),
    segment.map((segment) => `/session/?password=${segment}`),
  );
  return fc.oneof(fc.constantFrom(...targets), fc.record({ method: fc.constantFrom(...methods), path }));
}

function requestsOf(secrets: Secrets): fc.Arbitrary<SecretRequest> {
  const tuples = targetsOf(secrets).chain((target) => {
    const body = fc.oneof(bodiesOf(secrets), fittingOf(target, secrets));
    return fc.tuple(fc.constant(target), body, headersOf(secrets));
  });
  return tuples.map(([target, body, headers]) => {
    const { headers: own, ...rest } = body;
    const canHaveBody = target.method !== "GET" && target.method !== "HEAD";
    return { ...target, options: { ...canHaveBody ? rest : {}, headers: { ...headers, ...own } } };
  });
}

/** Registers all logins and logs them in, and makes a ticket of each purpose. */
async function openedWith(passwords: readonly string[]): Promise<{ opened: TestApp; secrets: Secrets }> {
  const opened = await openAdminApp();
  const tokens: string[] = [];
  for (const [index, login] of logins.entries()) {
    const credentials = { login, password: passwords[index] ?? "" };
    assertEquals((await opened.send("POST", "/user/", { json: credentials })).status, 201);
    tokens.push(await opened.logIn(credentials));
  }
  await addCredentials(opened, "alice");
  const tickets = [await opened.makeTicket("register"), await opened.makeTicket("reset", "alice")];
  return { opened, secrets: { passwords, tokens: [...tokens, opened.admin], tickets } };
}

/** The texts that may be seen nowhere, in each of their spellings. */
async function forbiddenTexts({ app }: TestApp, { passwords, tokens, tickets }: Secrets): Promise<string[]> {
  const kept: string[] = [];
  for (const login of logins) {
    const user = await app.store.findUser(login);
    // Algorithm and cost are known to everybody.
    kept.push(...user?.passwordHash.split("$").slice(3) ?? []);
  }
  for (const token of tokens) {
    const found = await app.store.findSession(token.slice(0, 26));
    if (found !== undefined) kept.push(found.session.secretHash);
  }
  kept.push(...tickets.map((code) => createHash("sha256").update(code).digest("hex")));
  for await (const records of app.store.records()) kept.push(...records.flatMap(secretsOf));
  const given = [...passwords, ...tickets, ...tokens.map((token) => token.slice(27))];
  return [...kept, ...given, ...given.map((text) => encodeURIComponent(text)), "$pbkdf2"];
}

/** What a record proves an identity with, or makes decisions with. A `User.id` is public. */
function secretsOf(record: StoredRecord): readonly string[] {
  if (record.kind === "secret") return [record.record.value];
  if (record.kind !== "credential") return [];
  const { kind, key, secret } = record.record;
  return [secret, kind === "totp" ? "" : key].filter((text) => text !== "");
}

/** Credentials of each kind. */
async function addCredentials({ app: { store } }: TestApp, login: string): Promise<void> {
  const user = await store.findUser(login);
  assert(user !== undefined);
  const kinds = ["passkey", "recovery", "app-password"] as const;
  assertEquals(
    await store.insertCredentials(user, [
      credentialOf(login, user.id, { kind: "totp", id: ulid(), secret: "JBSWY3DPEHPK3PXP" }),
      ...kinds.map((kind) => credentialOf(login, `key of the ${kind}`, { kind, id: ulid() })),
    ]),
    "done",
  );
}

/** The member that has codes, by the end of the path. */
const codeNames: Readonly<Record<string, string>> = {
  "ticket": "ticket",
  "second-factor": "login_token",
  "app-password": "password",
  "recovery-code": "recovery_codes",
  "setup": "secret",
};

/**
 * All of a reply that a client sees, but a token or codes where they belong, and what a browser has called itself:
 * users see that of their sessions, whatever it was.
 */
function seenOf(reply: Reply, { method, path }: SecretRequest): { seen: string; token?: string; codes?: string[] } {
  const text = reply.text.replace(/"user_agent":"[^"]*"/g, "");
  const all = `${reply.status} ${JSON.stringify(Array.from(reply.headers))} ${text}`;
  if (method !== "POST" || reply.status >= 300) return { seen: all };
  const name = codeNames[reply.status === 202 ? "second-factor" : path.split("/").at(-2) ?? ""];
  if (name !== undefined) {
    const codes = [reply.json[name]].flat().map(String);
    return { seen: codes.reduce((seen, code) => seen.replaceAll(code, ""), all), codes };
  }
  if (!path.startsWith("/session/") || reply.status !== 201) return { seen: all };
  const cookie = reply.headers.get("set-cookie") ?? "";
  const token = String(reply.json.token ?? /=([^;]+)/.exec(cookie)?.[1]);
  return { seen: all.replace(token, ""), token };
}

Deno.test("no response or log line contains a hash, a salt, a password, or a misplaced token or ticket", async () => {
  const statuses = new Set<number>();
  const scenario = fc.array(passwords, { minLength: 3, maxLength: 3 });
  await fc.assert(
    fc.asyncProperty(scenario, fc.gen(), async (passwords, gen) => {
      const { opened, secrets } = await openedWith(passwords);
      const tokens = [...secrets.tokens];
      const tickets = [...secrets.tickets];
      const all: string[] = [];
      for (const request of gen(() => fc.array(requestsOf(secrets), { minLength: 20, maxLength: 20 }))) {
        const reply = await opened.send(request.method, request.path, request.options);
        statuses.add(reply.status);
        const { seen, token, codes = [] } = seenOf(reply, request);
        all.push(seen);
        if (token !== undefined) tokens.push(token);
        tickets.push(...codes);
      }
      const forbidden = await forbiddenTexts(opened, { passwords, tokens, tickets });
      for (const text of [...all, ...opened.lines]) {
        for (const secret of forbidden) assert(!text.includes(secret), `${text} contains ${secret}`);
      }
    }),
    // It takes 2 s; to make a request that fails small takes as long as it may.
    { numRuns: 120, interruptAfterTimeLimit: 15_000 },
  );
  // So many kinds of answer were looked at.
  const expected = [200, 201, 204, 308, 400, 401, 403, 404, 405, 409, 412, 413, 415, 422];
  assertEquals(expected.filter((status) => !statuses.has(status)), []);
});
