/** Registrations by the hundred, crashes and restarts: what was acknowledged is there. */
import { assert, assertEquals } from "@std/assert";
import { setTimeout as delay } from "node:timers/promises";
import { inspect } from "../../lib/tasks/inspect.ts";
import { type RunningService, startService } from "../support/service.ts";

const password = "seven purple wombats sing";

function post(service: RunningService, path: string, body: unknown): Promise<Response> {
  const headers = { "content-type": "application/json" };
  return fetch(service.url + path, { method: "POST", headers, body: JSON.stringify(body) });
}

/** Registers the logins, all at once. @returns how often each status came */
async function registerAll(service: RunningService, logins: readonly string[]): Promise<Record<number, number>> {
  const statuses = await Promise.all(logins.map(async (login) => {
    const response = await post(service, "/user/", { login, password });
    await response.body?.cancel();
    return response.status;
  }));
  const counts: Record<number, number> = {};
  for (const status of statuses) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
}

async function logIn(service: RunningService, login: string): Promise<string> {
  const response = await post(service, "/session/", { login, password });
  assertEquals(response.status, 201);
  return (await response.json()).token;
}

async function statusOf(service: RunningService, token: string): Promise<number> {
  const response = await fetch(`${service.url}/session/`, { headers: { authorization: `Bearer ${token}` } });
  await response.body?.cancel();
  return response.status;
}

/** The logins that the folder holds, in order of the alphabet. */
async function loginsIn(folder: string): Promise<string[]> {
  const records = await Array.fromAsync(inspect(folder), (line) => JSON.parse(line));
  return records.filter(({ kind }) => kind === "user").map(({ login }) => login).sort();
}

/** A folder for services that come one after another. */
async function temporaryFolder(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await Deno.makeTempDir({ prefix: "gatehouse-" });
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }) };
}

Deno.test("of 200 parallel registrations of one login one is taken, and it is the one that is kept", async () => {
  await using service = await startService();
  const logins = Array.from({ length: 200 }, (_, index) => index % 2 === 0 ? "alice" : "Alice");
  assertEquals(await registerAll(service, logins), { 201: 1, 409: 199 });
  await logIn(service, "alice");
  await service.kill();
  assertEquals(await loginsIn(service.folder), ["alice"]);
});

Deno.test("1,000 parallel registrations are all taken, and all there after a crash", async () => {
  await using folder = await temporaryFolder();
  // The cheapest hash, so that on a busy machine none of them waits for longer than is accepted.
  const env = { GATEHOUSE_STORE: folder.path, GATEHOUSE_PBKDF2_ITERATIONS: "1" };
  const logins = Array.from({ length: 1_000 }, (_, index) => `user${String(index).padStart(3, "0")}`);
  {
    await using service = await startService({ env });
    assertEquals(await registerAll(service, logins), { 201: 1_000 });
    await service.kill();
  }
  await using service = await startService({ env });
  assertEquals(await loginsIn(folder.path), logins);
  for (let index = 0; index < logins.length; index += 99) await logIn(service, logins[index] ?? "");
  assertEquals(await registerAll(service, logins.slice(0, 50)), { 409: 50 });
});

for (const end of ["SIGTERM", "SIGKILL"] as const) {
  Deno.test(`sessions outlive ${end} and a restart, and those that have ended stay ended`, async () => {
    await using folder = await temporaryFolder();
    const env = { GATEHOUSE_STORE: folder.path };
    const tokens: string[] = [];
    {
      await using service = await startService({ env });
      assertEquals(await registerAll(service, ["alice"]), { 201: 1 });
      for (let count = 0; count < 2; count++) tokens.push(await logIn(service, "alice"));
      const headers = { authorization: `Bearer ${tokens[1]}` };
      const { status } = await fetch(`${service.url}/session/`, { method: "DELETE", headers });
      assertEquals(status, 204);
      await service.stop(end);
    }
    await using service = await startService({ env });
    assertEquals(await statusOf(service, tokens[0] ?? ""), 200);
    assertEquals(await statusOf(service, tokens[1] ?? ""), 401);
  });
}

Deno.test("a crash in the middle of registrations loses none that was acknowledged", async () => {
  await using folder = await temporaryFolder();
  const env = { GATEHOUSE_STORE: folder.path };
  const acknowledged: string[] = [];
  for (let round = 0; round < 3; round++) {
    await using service = await startService({ env });
    const logins = Array.from({ length: 300 }, (_, index) => `user-${round}-${index}`);
    const all = logins.map(async (login) => {
      const response = await post(service, "/user/", { login, password }).catch(() => undefined);
      if (response?.status === 201) acknowledged.push(login);
      await response?.body?.cancel().catch(() => {});
    });
    while (acknowledged.length < (round + 1) * 40) await delay(5);
    await service.kill();
    await Promise.all(all);
    const kept = new Set(await loginsIn(folder.path));
    assertEquals(acknowledged.filter((login) => !kept.has(login)), []);
    assert(kept.size < (round + 1) * 300, "the crash came in the middle");
  }
});
