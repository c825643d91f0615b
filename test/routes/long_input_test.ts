/**
 * No request blocks the event loop for more than 5 ms, however long its headers, path, query or body. Each header that
 * the code reads is sent to each route, at the greatest length, with texts that make patterns slow.
 */
import { assert, assertEquals } from "@std/assert";
import { maxBodyBytes } from "../../lib/http/request_body.ts";
import { createRouter } from "../../lib/router.ts";
import { routes } from "../../routes/mod.ts";
import { insertSetupTicket } from "../support/accounts.ts";
import { alice, openTestApp } from "../support/app.ts";
import { fillUp, headerBeginnings, headerFillers, maxHeadBytes } from "../support/long_header.ts";
import { threadMs } from "../support/thread_time.ts";

const maxMs = 5;
/** Of so many the fastest counts: the others collected garbage, or were compiled. */
const maxTries = 8;

/** What a path or a query may be made of too. */
const urlFillers = ["/", "a/", "a&", "&", "=", "?", "%41", "%", "+", "A", "../"];

/** Headers as the server gives them: at once, of any length. Those that are read are noted. */
class ReadHeaders {
  static readonly names = new Set<string>();
  readonly #values: Readonly<Record<string, string>>;

  constructor(values: Readonly<Record<string, string>>) {
    this.#values = values;
  }
  get(name: string): string | null {
    ReadHeaders.names.add(name);
    return this.#values[name] ?? null;
  }
  has(name: string): boolean {
    return this.get(name) !== null;
  }
  /** Their values are not read by that. */
  keys(): IteratorObject<string> {
    return Object.keys(this.#values).values();
  }
}

interface Sent {
  readonly method: string;
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
  /** By default that of a registration, where the method has one. */
  readonly body?: string;
}

/** A request as the server gives it: `Request` would change the address, and take seconds to check the headers. */
function requestOf({ method, target, headers, body = JSON.stringify(alice) }: Sent): Request {
  const request = new Request("http://gatehouse.test/", { method, body: hasBody(method) ? body : null });
  return Object.defineProperties(request, {
    url: { value: `http://gatehouse.test${target}` },
    headers: { value: new ReadHeaders({ "content-type": "application/json", ...headers }) },
  });
}

function hasBody(method: string): boolean {
  return ["POST", "PUT", "PATCH"].includes(method);
}

/** An app with an administrator. @returns what tells how long a request takes at best, and the token */
async function openTimer() {
  const opened = await openTestApp({ settings: { GATEHOUSE_PBKDF2_ITERATIONS: "1" } });
  const json = { ...alice, ticket: await insertSetupTicket(opened) };
  assertEquals((await opened.send("POST", "/user/", { json })).status, 201);
  const token = await opened.logIn();
  const router = createRouter(routes, opened.app);
  const remoteAddr = { transport: "tcp", hostname: "127.0.0.1", port: 50_000 } as const;
  const bestMs = async (sent: Sent): Promise<number> => {
    let best = Infinity;
    for (let attempt = 0; attempt < maxTries && best > maxMs; attempt++) {
      const request = requestOf(sent);
      const startedAt = threadMs();
      const response = await router(request, { remoteAddr });
      best = Math.min(best, threadMs() - startedAt);
      await response.body?.cancel();
      assert(response.status !== 500, JSON.stringify(sent).slice(0, 200));
    }
    return best;
  };
  return { bestMs, token };
}

/** The path of a route, with a value for each parameter. */
function pathOf(path: string): string {
  return path.replaceAll(/:\w+/g, (name) => name === ":login" ? alice.login : "main.js").replace("*", "");
}

/** The callers: an administrator by token, or by cookie when the cookie is tested; no caller; a browser without one. */
function callersFor(name: string, token: string): Readonly<Record<string, string>>[] {
  const cookie = { cookie: `__Host-gatehouse=${token}`, "if-match": '"x"' };
  const known = ["origin", "sec-fetch-site"].includes(name) ? cookie : { ...cookie, authorization: `Bearer ${token}` };
  const navigation = { "sec-fetch-mode": "navigate" };
  // Where a refused form was is looked for by these.
  const isOfForm = ["referer", "x-forwarded-host", "host"].includes(name);
  return [known, {}, isOfForm ? { ...navigation, "x-forwarded-method": "POST" } : navigation];
}

const slow: string[] = [];
for (const { method, path } of routes) {
  Deno.test(`${method} ${path} takes 5 ms at most, however long a header is`, async () => {
    const { bestMs, token } = await openTimer();
    for (const [name, starts] of Object.entries(headerBeginnings)) {
      for (const caller of callersFor(name, token)) {
        for (const value of starts.flatMap((start) => headerFillers.map((filler) => longest(start, filler)))) {
          const ms = await bestMs({ method, target: pathOf(path), headers: { ...caller, [name]: value } });
          if (ms > maxMs) slow.push(`${name}: ${value.slice(0, 40)}… ${ms.toFixed(1)} ms`);
        }
      }
    }
    assertEquals(slow.splice(0), []);
  });

  Deno.test(`${method} ${path} takes 5 ms at most, however long its path and query are`, async () => {
    const { bestMs, token } = await openTimer();
    const plain = pathOf(path);
    const starts = [`${plain}?`, `${plain}?next=/`, `${plain}?prefix=`, `${plain}/`, path.replace(/:.*/, "") + "a"];
    for (const target of starts.flatMap((start) => urlFillers.map((filler) => longest(start, filler)))) {
      const ms = await bestMs({ method, target, headers: { authorization: `Bearer ${token}` } });
      if (ms > maxMs) slow.push(`${target.slice(0, 40)}… ${ms.toFixed(1)} ms`);
    }
    assertEquals(slow.splice(0), []);
  });
}

/** Marks that normalization sorts, in the order that takes it longest: in one row, and as many in a row as may be. */
const marks = "\u0345\u0360\u0315\u0301\u0316\u031b\u0327\u0334".repeat(500);
const passwords = [
  marks,
  `a${marks.slice(0, 30)}`.repeat(60),
  `\u0344${marks.slice(0, 28)}`.repeat(60),
  "\u1f82".repeat(1_300),
  "q\u0307\u0323".repeat(800),
  "йцукен".repeat(300),
  "p4ssw0rd".repeat(500),
  "🧙🏽‍♀️".repeat(200),
];

const bodies = [
  ...passwords.map((password) => bodyOf({ ...alice, password })),
  ...passwords.map((password) => bodyOf({ current_password: password, password: alice.password })),
  ...headerFillers.map((filler) => bodyOf({ login: filler.repeat(4_000 / filler.length), password: alice.password })),
  ...headerFillers.map((filler) => bodyOf({ ...alice, password: filler.repeat(8_000 / filler.length) })),
  bodyOf({ groups: Array.from({ length: 2_500 }, (_, index) => index.toString(36)), disabled: false }),
  bodyOf(Object.fromEntries(Array.from({ length: 1_600 }, (_, index) => [index.toString(36), 1]))),
  `{${'"a~/":1,'.repeat(2_000)}"b":1}`,
  '{"a":'.repeat(2_700) + "1" + "}".repeat(2_700),
  "[".repeat(8_000) + "]".repeat(8_000),
  "[".repeat(maxBodyBytes),
  " ".repeat(maxBodyBytes),
];

function bodyOf(value: unknown): string {
  const text = JSON.stringify(value);
  assert(new TextEncoder().encode(text).length <= maxBodyBytes);
  return text;
}

for (const { method, path } of routes.filter(({ method }) => hasBody(method))) {
  Deno.test(`${method} ${path} takes 5 ms at most, however long its body is`, async () => {
    const { bestMs, token } = await openTimer();
    const headers = { authorization: `Bearer ${token}`, "if-match": '"x"' };
    for (const body of bodies) {
      const ms = await bestMs({ method, target: pathOf(path), headers, body });
      if (ms > maxMs) slow.push(`${body.slice(0, 40)}… ${ms.toFixed(1)} ms`);
    }
    assertEquals(slow.splice(0), []);
  });
}

function longest(start: string, filler: string): string {
  return fillUp(start, { filler, length: maxHeadBytes });
}

Deno.test("every header that the code reads is among those that are sent at their longest, and no other", async () => {
  const read = new Set(ReadHeaders.names);
  for (const folder of ["lib", "routes"]) {
    for await (const { name, isFile } of Deno.readDir(new URL(`../../${folder}/`, import.meta.url))) {
      if (!isFile || !name.endsWith(".ts")) continue;
      const text = await Deno.readTextFile(new URL(`../../${folder}/${name}`, import.meta.url));
      for (const [, header = ""] of text.matchAll(/\bheaders\??\.(?:get|has)\(\s*"([^"]+)"/g)) read.add(header);
      // A name that is no literal would not be seen.
      assertEquals(text.match(/\bheaders\??\.(?:get|has)\(\s*[^"\s]/g), null, name);
    }
  }
  assertEquals([...read].sort(), Object.keys(headerBeginnings));
});
