/**
 * Errors that clients may know, and JSON responses.
 */

import { type FieldCode, type ProblemCode, problems } from "./problem.ts";

/** Maximum number of errors in one response, which must not be many times as long as its request. */
export const maxErrors = 10;

/** An error in one field of a body or query. */
export interface FieldError {
  /** JSON pointer (RFC 6901) to the field, as "/password". */
  readonly pointer: string;
  /** Stable, for programs. */
  readonly code: FieldCode;
  /** For people. */
  readonly detail: string;
  /** With the codes `too-short` and `too-long`: the limit, in characters, or in bytes for a long password. */
  readonly limit?: number;
  /** With the code `guessable`: why. Stable, for programs. */
  readonly reason?: string;
}

export interface HttpErrorOptions extends ErrorOptions {
  /** What is wrong in this case, for people. */
  readonly detail?: string;
  /** The invalid fields; the response contains the first `maxErrors`. */
  readonly errors?: readonly FieldError[];
  /** With `login-again`: what can prove the identity of the user. */
  readonly needs?: readonly string[];
  /** Additional headers of the response. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** An error that the client may know. The response to any other error is `internal-error`. */
export class HttpError extends Error {
  override name = "HttpError";
  readonly code: ProblemCode;
  readonly status: number;
  readonly detail: string | undefined;
  readonly errors: readonly FieldError[] | undefined;
  readonly needs: readonly string[] | undefined;
  readonly headers: Readonly<Record<string, string>>;

  constructor(code: ProblemCode, options: HttpErrorOptions = {}) {
    super(options.detail ?? problems[code].title, options);
    this.code = code;
    this.status = problems[code].status;
    this.detail = options.detail;
    this.errors = options.errors?.slice(0, maxErrors);
    this.needs = options.needs;
    this.headers = options.headers ?? {};
  }
}

/** An error of a request that the client may repeat after a time. */
export function retryable(code: ProblemCode, seconds: number): HttpError {
  return new HttpError(code, { headers: { "retry-after": String(seconds) } });
}

/** An error while the service stops or its store is away. Caddy passes it on from `/health/ready` to other requests. */
export function notReady(detail: string, options?: ErrorOptions): HttpError {
  return new HttpError("not-ready", { ...options, detail, headers: { "retry-after": "5" } });
}

/** A JSON response. No cache stores it (RFC 9111, 5.2.2.5), as nearly every response contains personal data. */
export function jsonResponse(
  value: unknown,
  { status = 200, headers = {} }: { readonly status?: number; readonly headers?: Readonly<Record<string, string>> } =
    {},
): Response {
  const own = { "content-type": "application/json", "cache-control": "no-store" };
  return new Response(JSON.stringify(value), { status, headers: { ...own, ...headers } });
}

/** The response to an error (RFC 9457). */
export function problemResponse(error: HttpError): Response {
  const { code, status, detail, errors, needs, headers } = error;
  const body = { type: `/problem/${code}`, title: problems[code].title, status, detail, errors, needs };
  return jsonResponse(body, { status, headers: { ...headers, "content-type": "application/problem+json" } });
}
