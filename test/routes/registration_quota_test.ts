/** How many registrations a client may make: what counts, and what does not. */
import { assertEquals } from "@std/assert";
import type { PasswordStrength } from "../../lib/passwords/password_strength.js";
import { OverloadedError } from "../../lib/passwords/hash_queue.ts";
import { StoreClosedError, StoreFullError, StoreUnavailableError } from "../../lib/store.ts";
import { TableStore } from "../../lib/store/memory/table_store.ts";
import { countOutcomes, outcomeOf } from "../support/accounts.ts";
import { alice, openTestApp, type Reply, type TestApp } from "../support/app.ts";

const hourMs = 60 * 60 * 1_000;

function register({ send }: TestApp, login: string, client = "127.0.0.1"): Promise<Reply> {
  return send("POST", "/user/", { json: { ...alice, login }, client });
}

Deno.test("register() gives each client its registrations an hour, and says when the next is taken", async () => {
  const opened = await openTestApp({ settings: { GATEHOUSE_REGISTRATIONS_PER_HOUR: "2" } });
  assertEquals((await register(opened, "a1", "192.0.2.1")).status, 201);
  assertEquals((await register(opened, "a2", "192.0.2.1")).status, 201);
  const { status, headers, json } = await register(opened, "a3", "192.0.2.1");
  assertEquals([status, json.type], [429, "/problem/too-many-registrations"]);
  assertEquals(headers.get("retry-after"), "1800");
  assertEquals(await opened.app.store.findUser("a3"), undefined);
  assertEquals((await register(opened, "a3", "192.0.2.2")).status, 201);

  opened.clock.now += hourMs / 2 - 1_000;
  assertEquals((await register(opened, "a4", "192.0.2.1")).headers.get("retry-after"), "1");
  opened.clock.now += 1_000;
  assertEquals((await register(opened, "a4", "192.0.2.1")).status, 201);
  assertEquals((await register(opened, "a5", "192.0.2.1")).status, 429);
});

Deno.test("register() counts an IPv6 client by its /64", async () => {
  const opened = await openTestApp({ settings: { GATEHOUSE_REGISTRATIONS_PER_HOUR: "1" } });
  assertEquals((await register(opened, "a1", "2001:db8::1")).status, 201);
  assertEquals((await register(opened, "a2", "2001:db8::ffff:2")).status, 429);
  assertEquals((await register(opened, "a2", "2001:db8:0:1::1")).status, 201);
});

Deno.test("register() counts no registration that could not have been one", async () => {
  const opened = await openTestApp({ settings: { GATEHOUSE_REGISTRATIONS_PER_HOUR: "2" } });
  assertEquals((await register(opened, "a1")).status, 201);
  for (let round = 0; round < 3; round++) {
    assertEquals((await register(opened, "a b")).status, 422);
    assertEquals((await opened.send("POST", "/user/", { body: "{" })).status, 400);
  }
  assertEquals((await register(opened, "a2")).status, 201);
  assertEquals((await register(opened, "a3")).status, 429);
});

Deno.test("register() counts responses login-taken, so that a client cannot probe logins without limit", async () => {
  const opened = await openTestApp({ settings: { GATEHOUSE_REGISTRATIONS_PER_HOUR: "3" } });
  const statuses: number[] = [];
  for (const login of ["a1", "a1", "a1", "a1", "a2"]) statuses.push((await register(opened, login)).status);
  assertEquals(statuses, [201, 409, 409, 429, 429]);
});

Deno.test("register() has no limit of registrations when it is set to 0", async () => {
  const opened = await openTestApp({ settings: { GATEHOUSE_REGISTRATIONS_PER_HOUR: "0" } });
  const logins = Array.from({ length: 100 }, (_, index) => `user${index}`);
  const replies = await Promise.all(logins.map((login) => register(opened, login)));
  assertEquals(replies.filter(({ status }) => status === 201).length, 100);
});

/** Has the service refuse so many hashes. */
async function overload(opened: TestApp, count: number, login = "new"): Promise<void> {
  const { hasher } = opened.app;
  const { hash } = hasher;
  hasher.hash = () => Promise.reject(new OverloadedError(1));
  const replies = [];
  for (let index = 0; index < count; index++) replies.push(await register(opened, `${login}${index}`));
  hasher.hash = hash;
  assertEquals(countOutcomes(replies), { "503 overloaded": count });
}

Deno.test("register() counts no registration that was refused as too many waited for a hash", async () => {
  const opened = await openTestApp({ settings: { GATEHOUSE_REGISTRATIONS_PER_HOUR: "2" } });
  assertEquals((await register(opened, "a1")).status, 201);
  await overload(opened, 2);
  assertEquals((await register(opened, "a2")).status, 201);
  assertEquals((await register(opened, "a3")).status, 429);
});

Deno.test("register() counts refusals above a limit too, as they tell that the login is free", async () => {
  const opened = await openTestApp({ settings: { GATEHOUSE_REGISTRATIONS_PER_HOUR: "3" } });
  // As many as registrations are free, and then none.
  await overload(opened, 3 + 3);
  assertEquals((await register(opened, "a1")).status, 429);
  assertEquals((await register(opened, "a1", "192.0.2.1")).status, 201);
  opened.clock.now += hourMs;
  await overload(opened, 2);
  for (const login of ["a2", "a3", "a4"]) assertEquals((await register(opened, login)).status, 201);
});

const faults: readonly (readonly [error: Error, outcome: string])[] = [
  [new StoreFullError("full"), "507 store-full"],
  [new StoreClosedError("closed"), "503 store-closed"],
  [new StoreUnavailableError("away"), "503 store-unavailable"],
  [new Error("a fault"), "500 internal-error"],
];
for (const [error, outcome] of faults) {
  Deno.test(`register() counts no registration that ends as ${outcome}, up to the limit of requests`, async () => {
    const store = new TableStore();
    const opened = await openTestApp({ store, settings: { GATEHOUSE_REGISTRATIONS_PER_HOUR: "2" } });
    const insertUser = store.insertUser.bind(store);
    const fail = async (login: string) => {
      store.insertUser = () => Promise.reject(error);
      const reply = await register(opened, login);
      store.insertUser = insertUser;
      return outcomeOf(reply);
    };
    assertEquals((await register(opened, "a1")).status, 201);
    assertEquals([await fail("a2"), await fail("a3")], [outcome, outcome]);
    assertEquals((await register(opened, "a2")).status, 201);
    assertEquals((await register(opened, "a3")).status, 429);
    opened.clock.now += hourMs;
    // Who is registered cannot be asked without end by it.
    store.findUser = () => Promise.reject(error);
    const outcomes: string[] = [];
    for (let count = 0; count < 5; count++) outcomes.push(outcomeOf(await register(opened, "a4")));
    assertEquals(outcomes, [outcome, outcome, outcome, outcome, "429 too-many-registrations"]);
  });
}

Deno.test("register() counts what it answers with login-taken also while too many wait for a hash", async () => {
  const opened = await openTestApp({ settings: { GATEHOUSE_REGISTRATIONS_PER_HOUR: "2" } });
  assertEquals((await register(opened, "a1")).status, 201);
  opened.app.hasher.hash = () => Promise.reject(new OverloadedError(1));
  assertEquals((await register(opened, "a1")).status, 409);
  assertEquals((await register(opened, "a2")).status, 429);
});

Deno.test("register() looks at nothing that a client sends who is to wait", async () => {
  const opened = await openTestApp({ settings: { GATEHOUSE_REGISTRATIONS_PER_HOUR: "1" } });
  assertEquals((await register(opened, "a1")).status, 201);
  const { passwordStrength, store } = opened.app;
  const judge = passwordStrength.weaknessOf;
  passwordStrength.weaknessOf = () => {
    throw new Error("A password was judged");
  };
  store.findTicket = () => Promise.reject(new Error("A ticket was looked for"));
  const ticket = "A".repeat(43);
  const bodies = [{ json: { ...alice, ticket } }, { json: { ...alice, password: "password1234567" } }, { body: "{" }];
  for (const body of bodies) {
    const { status, headers } = await opened.send("POST", "/user/", body);
    assertEquals([status, headers.get("retry-after")], [429, "3600"]);
  }
  passwordStrength.weaknessOf = judge;
  assertEquals((await register(opened, "a b", "192.0.2.1")).status, 422);
});

Deno.test("register() judges ten passwords for each registration of a client and hour, and at least 600", async () => {
  for (const [perHour, judged] of [["1", 600], ["60", 600], ["61", 610]] as const) {
    const opened = await openTestApp({ settings: { GATEHOUSE_REGISTRATIONS_PER_HOUR: perHour } });
    let judgedCount = 0;
    const { passwordStrength } = opened.app;
    using _spy = stub(passwordStrength, () => {
      judgedCount++;
      return "repeat";
    });
    const guessable = { ...alice, password: "password1234567" };
    const replies: Reply[] = [];
    for (let count = 0; count < judged + 2; count++) {
      replies.push(await opened.send("POST", "/user/", { json: guessable }));
    }
    assertEquals(countOutcomes(replies), {
      "422 invalid-user /password guessable": judged,
      "429 too-many-registrations": 2,
    });
    assertEquals(judgedCount, judged);
    const other = await opened.send("POST", "/user/", { json: guessable, client: "192.0.2.9" });
    assertEquals(other.status, 422);
  }
});

/** Has a passwordStrength, which all apps share, judge in another way until it is disposed of. */
function stub(passwordStrength: PasswordStrength, judge: PasswordStrength["weaknessOf"]): Disposable {
  passwordStrength.weaknessOf = judge;
  return { [Symbol.dispose]: () => void Reflect.deleteProperty(passwordStrength, "weaknessOf") };
}
