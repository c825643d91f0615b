/**
 * Sends the requests of test/support/fuzz/request.ts without a socket: each sequence to its own app, with various
 * settings and a clock that advances, and checks all that the app logs and stores.
 */

import { assert, assertEquals } from "@std/assert";
// fast-check: see odd.ts.
import fc from "npm:fast-check@4.10.2";
import { createHash } from "node:crypto";
import { openApiDocument } from "../../../routes/openapi/document.ts";
import { operations } from "../../../routes/mod.ts";
import { insertSetupTicket } from "../accounts.ts";
import { alice, openTestApp, type TestApp } from "../app.ts";
import { checkExchange, type Coverage } from "../fuzz.ts";
import { weighted } from "./odd.ts";
import type { FuzzRequest } from "./names.ts";
import { fuzzRequests } from "./request.ts";
import { Scene, type Send } from "./scene.ts";

/** To make a sequence that fails small takes as long as it may. */
const interruptAfterTimeLimit = 120_000;
const sequence = fc.array(fuzzRequests(openApiDocument(operations, { passwordMinLength: 15 })), {
  minLength: 1,
  maxLength: 100,
  size: "max",
});

/** Other settings lead to other problems. */
const settings = weighted<Record<string, string>>(
  [6, fc.constant({})],
  [1, fc.constant({ GATEHOUSE_REGISTRATION: "ticket" })],
  [1, fc.constant({ GATEHOUSE_REGISTRATION: "closed" })],
  [1, fc.constant({ GATEHOUSE_LOGIN_ERRORS: "exact" })],
  [1, fc.constant({ GATEHOUSE_REGISTRATIONS_PER_HOUR: "1" })],
);

function sendTo({ send, clock }: TestApp): Send {
  return ({ method, path, headers, body, json, client, laterMs }) => {
    clock.now += laterMs;
    // No `Request` has a body with these; over a socket one may.
    if (/^(get|head)$/i.test(method)) return send(method, path, { headers, client });
    return send(method, path, { headers, client, json, ...body !== undefined && { body } });
  };
}

/** A scene of an administrator and two users, in an app of its own. */
async function openScene(opened: TestApp): Promise<Scene> {
  async function admit(login: string): Promise<string> {
    const ticket = await insertSetupTicket(opened);
    const { status, text } = await scene.ask("POST", "/user/", { json: { ...alice, login, ticket } });
    assertEquals(status, 201, text);
    return alice.password;
  }

  const ask = sendTo(opened);
  const scene: Scene = new Scene({
    send: async (sent) => {
      const reply = await ask(sent);
      checkExchange({ sent, reply }, scene.secrets);
      return reply;
    },
    admit,
  });
  for (const login of ["user1", "user2"]) {
    // The first address of the requests: where registrations are few, it has made its own.
    await scene.ask("POST", "/user/", { json: { ...alice, login }, client: "127.0.0.1" });
    const { json: session } = await scene.ask("POST", "/session/", { json: { ...alice, login } });
    // Few sequences make a credential before they change one.
    const token = String(session["token"]);
    await scene.ask("POST", `/user/${login}/app-password/`, { json: { name: "git" }, token });
  }
  return scene;
}

/** What the log may not have: what no reply may, and what is kept of it. */
async function keptSecrets({ app }: TestApp, { secrets, accounts }: Scene): Promise<string[]> {
  const users = await Promise.all(Array.from(accounts.keys(), (login) => app.store.findUser(login)));
  // Algorithm and cost are known to everybody.
  const hashes = users.flatMap((user) => user?.passwordHash.split("$").slice(3) ?? []);
  const digests = Array.from(secrets, (secret) => createHash("sha256").update(secret).digest("hex"));
  return [...hashes, ...digests, "$pbkdf2", "$argon2"];
}

async function runSequence(requests: readonly FuzzRequest[], opened: TestApp, coverage: Coverage): Promise<void> {
  const scene = await openScene(opened);
  for (const request of requests) coverage.add(await scene.send(request));
  assert(await opened.app.store.countAdmins() > 0, "nobody is an administrator any more");
  const secrets = [...scene.secrets, ...await keptSecrets(opened, scene)];
  for (const line of opened.lines) {
    assert(!line.includes('"level":"error"'), line);
    for (const secret of secrets) assert(!line.includes(secret), `${secret} is in ${line}`);
  }
}

/**
 * Sends so many sequences.
 *
 * @throws {Error} with the smallest that shows a fault, its seed, and the path to it
 */
export async function fuzzApps(coverage: Coverage, options: fc.Parameters<unknown>): Promise<void> {
  const property = fc.asyncProperty(settings, sequence, async (settings, requests) => {
    await runSequence(requests, await openTestApp({ settings }), coverage);
  });
  await fc.assert(property, { interruptAfterTimeLimit, ...options });
}
