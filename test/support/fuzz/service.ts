/**
 * Sends the requests of test/support/fuzz/request.ts to a running service: concurrent sequences of many clients, each
 * with its own users, which are deleted at its end.
 */

import { assert, assertEquals } from "@std/assert";
import { setTimeout as delay } from "node:timers/promises";
// fast-check: see odd.ts.
import fc from "npm:fast-check@4.10.2";
import { openApiDocument } from "../../../routes/openapi/document.ts";
import { operations } from "../../../routes/mod.ts";
import { alice } from "../app.ts";
import { contractOf } from "../contract.ts";
import { checkExchange, type Coverage } from "../fuzz.ts";
import type { RunningService } from "../service.ts";
import type { SentRequest } from "./names.ts";
import type { FuzzRequest } from "./names.ts";
import { fuzzRequests, passwordMark } from "./request.ts";
import { Scene, type SceneOptions } from "./scene.ts";
import { Socket, targetOf } from "./socket.ts";

const workerCount = 16;
/** To make a sequence that fails small takes as long as it may. */
const options = { numRuns: 2, interruptAfterTimeLimit: 90_000 };
const config = { passwordMinLength: 15 };
const requests = fuzzRequests(openApiDocument(operations, config));

export interface FuzzOptions {
  /** All requests are added to it. */
  readonly coverage: Coverage;
  /** Of the first sequences; the next have the next. */
  readonly seed: number;
}

/** Many sequences at once against one service. */
export class FuzzedService {
  readonly #coverage: Coverage;
  readonly #url: string;
  /** Of an administrator that no sequence knows, so that there is always one. */
  readonly token: string;
  readonly #check = contractOf(config);
  #sceneCount = 0;
  #seed: number;

  private constructor(url: string, token: string, { coverage, seed }: FuzzOptions) {
    this.#url = url;
    this.token = token;
    this.#coverage = coverage;
    this.#seed = seed;
  }

  /** The first administrator registers with the ticket that the start has printed. */
  static async open(service: RunningService, options: FuzzOptions): Promise<FuzzedService> {
    const { url } = service;
    const ticket = await setupTicket(service);
    using socket = new Socket(url);
    const keeper = { ...alice, login: "keeper" };
    const { status, text } = await socket.send(toSent("POST", "/user/", { json: { ...keeper, ticket } }));
    assertEquals(status, 201, text);
    const { json } = await socket.send(toSent("POST", "/session/", { json: keeper }));
    return new FuzzedService(url, String(json.token), options);
  }

  /** Sends requests until so many are covered. @param options.maxSequence how many find the same users, at the most */
  async runUntil(count: number, { maxSequence }: { maxSequence: number }): Promise<void> {
    const sequence = fc.array(requests, { minLength: 1, maxLength: maxSequence, size: "max" });
    await Promise.all(Array.from({ length: workerCount }, async () => {
      using socket = new Socket(this.#url);
      const property = fc.asyncProperty(sequence, (requests) => this.#runSequence(requests, socket));
      while (this.#coverage.count < count) await fc.assert(property, { ...options, seed: this.#seed++ });
    }));
  }

  async #runSequence(requests: readonly FuzzRequest[], socket: Socket): Promise<void> {
    const prefix = `s${(this.#sceneCount++).toString(36)}-`;
    const send: SceneOptions["send"] = async (sent) => {
      const reply = await socket.send(sent);
      this.#check({ ...sent, path: targetOf(sent.path) }, reply);
      checkExchange({ sent, reply }, scene.secrets);
      return reply;
    };
    const scene: Scene = new Scene({ send, admit: (login) => this.#admit(login, socket), prefix });
    for (const number of [1, 2]) await scene.ask("POST", "/user/", { json: { ...alice, login: `${prefix}${number}` } });
    for (const request of requests) this.#coverage.add(await scene.send(request));
    await this.#clear(scene, socket);
  }

  async #admit(login: string, socket: Socket): Promise<string> {
    const token = this.token;
    await socket.send(toSent("POST", "/user/", { json: { ...alice, login } }));
    const reply = await socket.send(toSent("PATCH", `/user/${login}`, { token, json: { groups: ["admin"] } }));
    assertEquals(reply.status, 200, reply.text);
    return alice.password;
  }

  /** What a sequence leaves is no growth of memory: its users go, and its tickets are used up. */
  async #clear({ madeTickets, accounts }: Scene, socket: Socket): Promise<void> {
    const token = this.token;
    const logins = new Set(accounts.keys());
    for (const { code, purpose, login } of madeTickets) {
      if (purpose !== "register") continue;
      const guest = login === "" ? `guest${this.#sceneCount++}` : login;
      if (logins.has(guest)) await socket.send(toSent("DELETE", `/user/${guest}`, { token }));
      await socket.send(toSent("POST", "/user/", { json: { ...alice, login: guest, ticket: code } }));
      logins.add(guest);
    }
    for (const login of logins) {
      const { status, text } = await socket.send(toSent("DELETE", `/user/${login}`, { token }));
      // Logins that are made from the schema are short, and another sequence may have the same.
      assert([204, 404].includes(status), `DELETE /user/${login} ${status}: ${text}`);
    }
  }
}

/** It is printed a moment after the service is ready. */
async function setupTicket({ log }: RunningService): Promise<string> {
  for (let attempt = 0; attempt < 500; attempt++) {
    const ticket = /become the administrator: (\S+)/.exec(log())?.[1];
    if (ticket !== undefined) return ticket;
    await delay(20);
  }
  throw new Error(`No ticket for an administrator: ${log()}`);
}

function toSent(method: string, path: string, { json, token }: { json?: unknown; token?: string }): SentRequest {
  const headers = { "content-type": "application/json", ...token && { authorization: `Bearer ${token}` } };
  const body = json === undefined ? undefined : JSON.stringify(json);
  return { method, path, headers, json, body, client: "198.51.100.1", laterMs: 0 };
}

/** Lines of a log that tell of a failure, or have a password, a hash or a token in them. */
export function suspiciousLines(log: string): string[] {
  const suspicious = new RegExp(
    `"level":"error"|${passwordMark}|${alice.password}|\\$(pbkdf2|argon2)|\\.[\\w-]{43}\\b`,
  );
  return log.split("\n").filter((line) => suspicious.test(line));
}
