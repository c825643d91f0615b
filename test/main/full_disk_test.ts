/** The service on a disk that fills up: here by the limit of a file's size, which is set and lifted while it runs. */

import { assert, assertEquals } from "@std/assert";
import { inspect } from "../../lib/tasks/inspect.ts";
import { ensureProgram } from "../support/packages.ts";
import { type RunningService, startService } from "../support/service.ts";

const hasPrlimit = await ensureProgram("prlimit", "util-linux");
const password = "mellow-otter-41-lantern";
/** What the journal is made with: it cannot be made longer. */
const limitBytes = 1024 * 1024;

Deno.test({
  name: "the service on a full disk refuses registrations, keeps what it acknowledged, and goes on when there is room",
  ignore: !hasPrlimit,
  async fn() {
    await using service = await startService({ env: { GATEHOUSE_PBKDF2_ITERATIONS: "1" } });
    await limitFileSize(service, String(limitBytes));
    const acknowledged = await registerUntilFull(service);
    assert(acknowledged.length > 1_000);

    const { login: refusedLogin, problem } = await registerUntilRefused(service, acknowledged);
    assertEquals([problem.status, problem.type], [507, "/problem/store-full"]);
    for (let index = 0; index < 50; index++) assertEquals((await post(service, "/user/", "refused")).status, 507);
    // One warning a minute, and not one for each of them.
    const failures = service.log().split("\n").filter((line) => line.includes('"request-failed"'));
    assert(failures.length >= 1 && failures.length <= 3, failures.join("\n"));
    for (const failure of failures) {
      assertEquals([JSON.parse(failure).level, failure.includes("stack")], ["warn", false]);
    }
    const session = await post(service, "/session/", acknowledged.at(-1) ?? "");
    const { token } = await session.json();
    const headers = { authorization: `Bearer ${token}` };
    const shown = await fetch(`${service.url}/session/`, { headers });
    assertEquals([session.status, shown.status, (await shown.json()).login], [201, 200, acknowledged.at(-1)]);
    assertEquals(await readiness(service), 200);

    await limitFileSize(service, "unlimited");
    assertEquals((await post(service, "/user/", "later")).status, 201);
    await service.kill();
    const kept = new Set(await Array.fromAsync(inspect(service.folder), (line) => JSON.parse(line).login));
    for (const login of [...acknowledged, "later"]) assert(kept.has(login), login);
    assert(!kept.has(refusedLogin));
  },
});

/** Soft, so that it can be lifted again. */
async function limitFileSize(service: RunningService, limit: string): Promise<void> {
  const args = ["--pid", String(service.pid), `--fsize=${limit}:`];
  const { success, stderr } = await new Deno.Command("prlimit", { args }).output();
  assert(success, new TextDecoder().decode(stderr));
}

/** @returns the logins that were acknowledged before the first refusal, at which all stop */
async function registerUntilFull(service: RunningService): Promise<string[]> {
  const acknowledged: string[] = [];
  let isFull = false;
  const clients = Array.from({ length: 16 }, async (_, client) => {
    for (let count = 0; !isFull; count++) {
      const login = `c${client}-${count}-${"x".repeat(50)}`;
      const response = await post(service, "/user/", login);
      await response.body?.cancel();
      if (response.status === 201) acknowledged.push(login);
      else isFull = true;
    }
  });
  await Promise.all(clients);
  return acknowledged;
}

/** One at a time: what was too much for many at once may have room for some yet. Adds to `acknowledged`. */
async function registerUntilRefused(service: RunningService, acknowledged: string[]) {
  for (let count = 0; count < 100; count++) {
    const login = `single-${count}`;
    const response = await post(service, "/user/", login);
    const body = await response.json();
    if (response.status !== 201) return { login, problem: body };
    acknowledged.push(login);
  }
  throw new Error("The disk is full, and 100 registrations more found room");
}

function post(service: RunningService, path: string, login: string): Promise<Response> {
  return fetch(service.url + path, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ login, password }),
  });
}

async function readiness(service: RunningService): Promise<number> {
  const response = await fetch(`${service.url}/health/ready`);
  await response.body?.cancel();
  return response.status;
}
