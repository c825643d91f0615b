/** Attacks from outside on a guarded site as it is run: through a real Caddy, on the real service. */
import { assertEquals, assertLess } from "@std/assert";
import { type Guarded, startGuarded } from "../support/caddy/guarded.ts";
import { ensureProgram } from "../support/packages.ts";

const ignore = !await ensureProgram("caddy", "caddy");
/** Quadratic parsing of one of the headers below takes 4 to 9 s. */
const maxWaitMs = 1_500;

test("headers of 60 kB do not keep others waiting", async () => {
  await using site = await startGuarded();
  const cookie = await site.enter("alice");
  const names = ["If-None-Match", "If-Match", "Cookie", "Accept", "Accept-Language", "Authorization", "User-Agent"];
  for (const fill of [" ", "\t", ", ", "; ", '" ']) {
    const hostile = names.map((name) => `${name}: x${fill.repeat(60_000 / fill.length)}y`);
    const paths = ["/auth/", "/auth/session/"];
    let isOver = false;
    const attacks = hostile.flatMap((line) => paths.map((path) => attack(site, path, line)));
    const over = Promise.all(attacks).finally(() => isOver = true);
    while (!isOver) {
      const startedAt = performance.now();
      assertEquals(await site.statusOf("/", { headers: { cookie } }), 200);
      assertLess(performance.now() - startedAt, maxWaitMs, `beside ${JSON.stringify(fill)}`);
    }
    await over;
  }
});

/** What another administrator does meanwhile, what the slow one gets then, and what is left of them. */
const ends = [
  { end: { what: "PATCH user/eve", json: { disabled: true } }, status: 401, left: ["eve admin disabled"] },
  { end: { what: "PATCH user/eve", json: { groups: [] } }, status: 403, left: ["eve"] },
  { end: { what: "DELETE user/eve/session/" }, status: 401, left: ["eve admin"] },
  { end: { what: "DELETE user/eve" }, status: 401, left: [] },
];

for (const { end, status, left } of ends) {
  test(`an administrator's slow bodies and tickets come to nothing after ${JSON.stringify(end)}`, async () => {
    await using site = await startGuarded();
    const root = await site.enterAsAdmin("root");
    const eve = await site.enter("eve");
    await site.enter("bob");
    const admin = { groups: ["admin"] };
    await change(site, { by: root, what: "PATCH user/eve", json: admin });
    const reset = { purpose: "reset", login: "bob" };
    const { ticket } = await (await change(site, { by: eve, what: "POST ticket/", json: reset })).json();
    const slow = [
      startSlowly(site, { by: eve, what: "PATCH user/eve", json: { ...admin, disabled: false } }),
      startSlowly(site, { by: eve, what: "PATCH user/bob", json: admin }),
      startSlowly(site, { by: eve, what: "POST ticket/", json: reset }),
    ];
    // By then the three have come as far as they can.
    for (let count = 0; count < 5; count++) assertEquals(await site.statusOf("/", { headers: { cookie: eve } }), 200);
    assertEquals((await change(site, { by: root, ...end })).ok, true);
    const statuses = await Promise.all(slow.map(async (finish) => (await finish()).status));
    assertEquals(statuses, [status, status, status]);
    const json = { ticket, password: "amber-kettle-93-walnut" };
    const used = await (await change(site, { what: "PUT user/bob/password", json })).json();
    assertEquals([typeof ticket, used.type], ["string", "/problem/ticket-invalid"]);
    const { users } = await (await site.ask("/auth/user/", { headers: { cookie: root } })).json();
    assertEquals(users.map(summaryOf), ["root admin", ...left, "bob"]);
  });
}

function summaryOf(user: { login: string; groups: string[]; disabled: boolean }): string {
  return [user.login, ...user.groups, ...user.disabled ? ["disabled"] : []].join(" ");
}

/** A change as the page asks for it. */
interface Change {
  /** The cookie of who asks. */
  readonly by?: string;
  /** Such as "PATCH user/alice". */
  readonly what: string;
  readonly json?: unknown;
}

async function change(site: Guarded, { json, ...rest }: Change): Promise<Response> {
  return await (json === undefined ? request(site, rest, null) : startSlowly(site, { json, ...rest })());
}

/** Sends the head and half of the body. @returns what sends the rest, and resolves to the response */
function startSlowly(site: Guarded, asked: Change): () => Promise<Response> {
  const bytes = new TextEncoder().encode(JSON.stringify(asked.json));
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  const writer = writable.getWriter();
  writer.write(bytes.subarray(0, 5));
  const response = request(site, asked, readable);
  return async () => {
    await writer.write(bytes.subarray(5));
    await writer.close();
    return await response;
  };
}

function request(site: Guarded, asked: Change, body: ReadableStream<Uint8Array> | null): Promise<Response> {
  const [method = "", path] = asked.what.split(" ");
  const headers = { cookie: asked.by ?? "", "content-type": "application/json", "sec-fetch-site": "same-origin" };
  return site.ask(`/auth/${path}`, { method, headers, body });
}

async function attack({ client }: Guarded, target: string, line: string): Promise<void> {
  const { status } = await client.get(target, [line]);
  assertLess(status, 500, `${target} ${line.slice(0, 20)}`);
}

function test(name: string, fn: () => Promise<void>): void {
  Deno.test({ name, ignore, fn });
}
