/**
 * 300 requests of each kind, at the greatest length: the heap grows only by the text that the service stores.
 * Text that is cut out of a header keeps the whole header alive unless it is copied, see `lib/http/kept_text.ts`.
 */
import { assertEquals, assertLess } from "@std/assert";
import { TestProcess } from "../support/process.ts";

const password = "seven purple wombats sing";
const requestCount = 300;
/** A session with its keys takes some 1 kB, a user with a session some 2 kB. */
const maxKeptBytes = 4_000;
const long = "x".repeat(55_000);
const blanks = " ".repeat(15_000);

interface Sent {
  readonly method: string;
  readonly path: string;
  readonly headers?: Record<string, string>;
  readonly json?: unknown;
  readonly status: number;
}

/** One kind of request each: what is sent the nth time. Each text differs, as equal ones might be kept once. */
const kinds: Readonly<Record<string, (n: number, admin: string) => Sent>> = {
  "logins with a long User-Agent": (n) => logIn({ "user-agent": `${n} ${long}` }),
  "logins with a long X-Forwarded-For": (n) => logIn({ "x-forwarded-for": `${n}${long}, 203.0.113.${100 + n % 100}` }),
  "logins from IPv6": (n) => logIn({ "x-forwarded-for": `${n}${long}, 2001:db8:1234:5678::${n.toString(16)}` }),
  "logins with a long Cookie": (n) => logIn({ "cookie": `${n}=${long}` }),
  "registrations with a long body": (n) => ({
    method: "POST",
    path: "/user/",
    json: { login: `somebody-with-a-long-login-${n}`, password: `${n} ${password}` },
    status: 201,
  }),
  "groups in a long body": (n, admin) => ({
    method: "PATCH",
    path: `/user/somebody-with-a-long-login-${n}`,
    headers: { authorization: `Bearer ${admin}` },
    json: { groups: [`a-group-with-a-long-name-${n}`] },
    status: 200,
  }),
  "tickets with a long body": (n, admin) => ({
    method: "POST",
    path: "/ticket/",
    headers: { authorization: `Bearer ${admin}` },
    json: { purpose: "register", login: `somebody-with-a-long-login-${n}` },
    status: 201,
  }),
  "wrong passwords": (n) => ({
    method: "POST",
    path: "/session/",
    headers: { "x-forwarded-for": `${n}${blanks}, 203.0.${n >> 8}.${n & 255}` },
    json: { login: `nobody-${n}-${"x".repeat(100)}`, password: `${n} ${"y".repeat(1_000)}` },
    status: 401,
  }),
  "Basic credentials": (n) => ({
    method: "GET",
    path: "/guard/",
    headers: {
      "authorization": `Basic ${btoa(`somebody-with-a-long-login-${n}:${n} ${password}`)}`,
      "cookie": `${n}=${long}`,
    },
    status: 200,
  }),
  "guarded pages with a long address": (n, admin) => ({
    method: "GET",
    path: "/guard/",
    headers: { "cookie": `__Host-gatehouse=${admin}; ${n}=${blanks}`, "x-forwarded-uri": `/${n}${blanks}` },
    status: 200,
  }),
  "paths that do not exist": (n) => ({ method: "GET", path: `/${n}${long}`, status: 404 }),
};

/** Not of the administrator, whose session would end with the thousandth after it. */
function logIn(headers: Record<string, string>, login = "alice"): Sent {
  return { method: "POST", path: "/session/", headers, json: { login, password }, status: 201 };
}

Deno.test("of requests with long headers, addresses and bodies no more is kept than what is needed", async () => {
  const args = ["run", "-A", "--v8-flags=--expose-gc", "test/support/kept_memory.ts"];
  await using process = new TestProcess(Deno.execPath(), { args, env: {} });
  const line = await process.until(() => /\{"port".*\}/.exec(process.output)?.[0], { what: "the port" });
  const { port, code } = JSON.parse(line);
  const url = `http://127.0.0.1:${port}`;
  const usedBytes = async () => Number(await (await fetch(`${url}/heap`)).text());
  const send = async ({ method, path, headers = {}, json, status }: Sent): Promise<string> => {
    const body = json === undefined ? {} : {
      body: JSON.stringify(json) + blanks.slice(0, 14_000),
      headers: { ...headers, "content-type": "application/json" },
    };
    const reply = await fetch(url + path, { method, headers, ...body });
    const text = await reply.text();
    assertEquals(reply.status, status, text);
    return text;
  };

  await send({ method: "POST", path: "/user/", json: { login: "root", password, ticket: code }, status: 201 });
  await send({ method: "POST", path: "/user/", json: { login: "alice", password }, status: 201 });
  const { token: admin } = JSON.parse(await send(logIn({}, "root")));
  for (const [name, sentAt] of Object.entries(kinds)) {
    // What is made when it is first needed, and what fills up to a bound, is no growth.
    for (let n = 0; n < 50; n++) await send(sentAt(requestCount + n, admin));
    const before = await usedBytes();
    for (let n = 0; n < requestCount; n++) await send(sentAt(n, admin));
    const grownBytes = await usedBytes() - before;
    assertLess(grownBytes / requestCount, maxKeptBytes, `${name}: bytes for each`);
  }
});
