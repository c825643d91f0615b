/**
 * What must hold of every exchange, whatever was sent: no failure, a name for the request, no secret; and how far a
 * number of exchanges has reached into what the OpenAPI document promises.
 *
 * That a reply is as the document has it is for test/support/contract.ts to say. The requests are made by test/fuzz/.
 */

import { assert } from "@std/assert";
import { maxBodyBytes } from "../../lib/http/request_body.ts";
import type { OpenApiDocument } from "../../routes/openapi/document.ts";
import { resolveResponse } from "./contract.ts";
import { outcomeOf } from "./accounts.ts";
import type { Reply } from "./app.ts";
import type { SentRequest } from "./fuzz/names.ts";

export interface Exchange {
  readonly sent: SentRequest;
  readonly reply: Reply;
}

/** The only failures of the service that are no fault of it: overloaded, not ready, and a full disk. */
const allowedFailures = [503, 507];

/**
 * @param secrets what was a secret before it: passwords, and what replies have given away where it belongs
 * @throws {AssertionError} the exchange shows a fault of the service
 */
export function checkExchange({ sent: { method, path, body = "" }, reply }: Exchange, secrets: Iterable<string>): void {
  const { status, headers, text } = reply;
  const what = `${method} ${path.slice(0, 200)} ${status}`;
  assert(status < 500 || allowedFailures.includes(status), `${what}: ${text}`);
  assert(headers.has("x-request-id"), `${what}: no X-Request-Id`);
  assert(headers.get("x-content-type-options") === "nosniff", `${what}: no nosniff`);
  const isTaken = ["POST", "PUT", "PATCH"].includes(method) && status < 300;
  assert(!isTaken || body.length <= maxBodyBytes, `${what}: a body of ${body.length}`);
  // What a browser has called itself users see of their sessions, whatever it was.
  const seen = Array.from(headers).join("\n") + text.replace(/"user_agent":"(?:[^"\\]|\\.)*"/g, "");
  for (const secret of secrets) assert(!seen.includes(secret), `${what}: ${secret} is in ${seen.slice(0, 2_000)}`);
}

interface Reach {
  readonly method: string;
  readonly pattern: RegExp;
  /** Outcomes that the document has, as "201" or "409 login-taken". */
  readonly promised: readonly string[];
  readonly counts: Map<string, number>;
}

/** How often each operation of a document was answered, and how. */
export class Coverage {
  readonly #operations = new Map<string, Reach>();
  #count = 0;
  #longestHeader = 0;

  constructor(document: OpenApiDocument) {
    const all = Object.entries(document.paths).flatMap(([path, operations]) =>
      Object.entries(operations).map(([method, operation]) => ({ path, method: method.toUpperCase(), operation }))
    );
    // As in the router: a path without parameters comes first.
    for (const { path, method, operation } of all.toSorted((a, b) => Number(isOpen(a.path)) - Number(isOpen(b.path)))) {
      const pattern = new RegExp(`^${RegExp.escape(path).replaceAll(/\\\{\w+\\\}/g, "[^/]+")}$`);
      const promised = Object.entries(operation.responses).flatMap(([status, reply]) => {
        const schema = resolveResponse(reply, document).content?.["application/problem+json"]?.schema;
        return schema === undefined ? [status] : problemTypes(schema).map((type) => `${status} ${type}`);
      });
      this.#operations.set(operation.operationId, { method, pattern, promised, counts: new Map() });
    }
  }

  /** How many exchanges were added. */
  get count(): number {
    return this.#count;
  }

  /** The longest header that was sent, characters. */
  get longestHeader(): number {
    return this.#longestHeader;
  }

  add({ sent, reply }: Exchange): void {
    this.#count++;
    for (const value of Object.values(sent.headers)) this.#longestHeader = Math.max(this.#longestHeader, value.length);
    const path = new URL(`http://gatehouse.test${sent.path}`).pathname;
    for (const { method, pattern, counts } of this.#operations.values()) {
      if (method !== sent.method || !pattern.test(path)) continue;
      const outcome = outcomeOf(reply).split(" ", 2).join(" ");
      counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
      return;
    }
  }

  /** How often each outcome of each operation came, also those that did not come. */
  table(): Record<string, Record<string, number>> {
    const rows = Array.from(this.#operations, ([id, { promised, counts }]) => {
      const outcomes = new Set([...promised, ...counts.keys()]);
      return [id, Object.fromEntries(Array.from(outcomes, (outcome) => [outcome, counts.get(outcome) ?? 0]))] as const;
    });
    return Object.fromEntries(rows);
  }

  /** What the document promises of the statuses and has not come, as "registerUser 409 login-taken". */
  missing(isMeant: (status: number) => boolean): string[] {
    return Object.entries(this.table()).flatMap(([id, counts]) => {
      const never = Object.keys(counts).filter((outcome) => counts[outcome] === 0 && isMeant(parseInt(outcome)));
      return never.map((outcome) => `${id} ${outcome}`);
    });
  }
}

function isOpen(path: string): boolean {
  return path.includes("{");
}

/** The codes of the problems that a reply can be, by the schema that test/support/contract.ts holds it against. */
function problemTypes(schema: unknown): string[] {
  const types = JSON.stringify(schema).match(/\/problem\/[a-z-]+/g) ?? [];
  return types.map((type) => type.slice("/problem/".length));
}
