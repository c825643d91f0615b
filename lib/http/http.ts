/**
 * Requests in, replies out: errors that clients may know, JSON bodies with limits, JSON and problem replies.
 *
 * A body is never read beyond its limits of size and time, whatever its headers promise, and is taken or refused as a
 * whole. Nesting needs no limit of its own: `JSON.parse` does not recurse, 16 KiB bound the depth, and every value
 * that is taken is flat. Of duplicate keys the last counts, as in every common parser.
 */

import { type ProblemCode, problems } from "./problem.ts";

/**
 * Longest body, bytes: the longest user is 10 KiB, when every letter is taken apart into accents and they are escaped.
 */
export const maxBodyBytes = 16 * 1024;
/**
 * Chunks of a body: each costs a read of some 10 µs, and in chunks of one byte 16 KiB took 150 ms of the event loop.
 * What clients send has one to ten.
 */
export const maxBodyChunks = 256;
/** Longest time from the head of a request to the end of its body. */
export const maxBodyMs = 10_000;

/** Errors that one response tells: a response stays a small multiple of its request, whatever is wrong with that. */
export const maxErrors = 10;

/** What is wrong with one field of a body. */
export interface FieldError {
  /** JSON pointer (RFC 6901) to the field, as "/password". */
  readonly pointer: string;
  /** Stable, for programs. */
  readonly code: string;
  /** For people. */
  readonly detail: string;
  /** What the value goes beyond, with the codes `too-short` and `too-long`: characters, or bytes of a password. */
  readonly limit?: number;
  /** Why, with the code `guessable`; stable, for programs. */
  readonly reason?: string;
}

export interface HttpErrorOptions extends ErrorOptions {
  /** What happened in this very case, for people. */
  readonly detail?: string;
  /** The bad fields; the first `maxErrors` are told. */
  readonly errors?: readonly FieldError[];
  /** Headers of the reply, beside those that every problem has. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** A failure that the client may know of: one of the problems. All others are replied to as `internal-error`. */
export class HttpError extends Error {
  override name = "HttpError";
  readonly code: ProblemCode;
  readonly status: number;
  readonly detail: string | undefined;
  readonly errors: readonly FieldError[] | undefined;
  readonly headers: Readonly<Record<string, string>>;

  constructor(code: ProblemCode, options: HttpErrorOptions = {}) {
    super(options.detail ?? problems[code].title, options);
    this.code = code;
    this.status = problems[code].status;
    this.detail = options.detail;
    this.errors = options.errors?.slice(0, maxErrors);
    this.headers = options.headers ?? {};
  }
}

export interface JsonOptions {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A reply of JSON. It is not to be stored by anyone, as nearly every reply is about a person (RFC 9111, 5.2.2.5). */
export function jsonResponse(value: unknown, options: JsonOptions = {}): Response {
  return new Response(JSON.stringify(value), {
    status: options.status ?? 200,
    headers: { "content-type": "application/json", "cache-control": "no-store", ...options.headers },
  });
}

/** The reply to an error, as RFC 9457 has it. */
export function problemResponse(error: HttpError): Response {
  const { code, status, detail, errors, headers } = error;
  const body = { type: `/problem/${code}`, title: problems[code].title, status, detail, errors };
  return jsonResponse(body, { status, headers: { ...headers, "content-type": "application/problem+json" } });
}

/**
 * The parameters of these names in a request's query, the first of each: a query can have 32,000, which take 13 ms.
 *
 * By hand, as an address as it was sent may be one that `URL` refuses.
 */
export function queryOf(request: Request, names: readonly string[]): URLSearchParams {
  const query = /^[^?#]*\?([^#]*)/.exec(request.url)?.[1] ?? "";
  const found = names.map((name) => new RegExp(`(?:^|&)${name}=[^&]*`).exec(query)?.[0] ?? "");
  return new URLSearchParams(found.join("&"));
}

export interface ReadOptions {
  readonly maxBytes?: number;
  readonly timeoutMs?: number;
  /** Aborted when the service is about to stop, or to cut off its connections. */
  readonly stopping?: AbortSignal;
}

/**
 * Reads a body of JSON.
 *
 * @throws {HttpError} `malformed-json`, `not-json`, `body-too-large`, `slow-body`, `not-ready`
 */
export async function readJson(request: Request, options: ReadOptions = {}): Promise<unknown> {
  if (request.body === null) throw missingBody();
  checkContentType(request.headers);
  const bytes = await readBytes(request, request.body, options);
  // From a socket also a request without a body has one, of no bytes.
  if (bytes.length === 0) throw missingBody();
  const text = decodeUtf8(bytes);
  try {
    return JSON.parse(text);
  } catch {
    // Without the parser's own words: they quote the body, and there may be a password in it.
    throw new HttpError("malformed-json", { detail: "The body is not JSON" });
  }
}

function missingBody(): HttpError {
  return new HttpError("malformed-json", { detail: "The body is missing" });
}

/** What is left of the body is in nobody's interest: the connection ends after the reply (RFC 9110, 15.5.9). */
const closing = { connection: "close" };
/** Empty parameters are common, and allowed (RFC 9110, 5.6.6); UTF-8 has two names that clients send. */
const jsonType = /^application\/json[ \t]*(?:;[ \t]*(?:charset[ \t]*=[ \t]*(?:utf-?8|"utf-?8")[ \t]*)?)*$/i;
const maxTypeLength = 200;

function checkContentType(headers: Headers): void {
  const type = headers.get("content-type") ?? "";
  if (type.length > maxTypeLength || !jsonType.test(type)) {
    throw new HttpError("not-json", { headers: { accept: "application/json" } });
  }
  if (headers.has("content-encoding")) {
    // RFC 9110, 12.5.3: says that no coding is understood here.
    throw new HttpError("not-json", { headers: { "accept-encoding": "identity" } });
  }
}

async function readBytes(
  request: Request,
  body: ReadableStream<Uint8Array<ArrayBuffer>>,
  options: ReadOptions,
): Promise<Uint8Array> {
  const { maxBytes = maxBodyBytes, timeoutMs = maxBodyMs, stopping } = options;
  if (Number(request.headers.get("content-length") ?? 0) > maxBytes) throw new HttpError("body-too-large");
  const reader = body.getReader();
  const { promise: givenUp, reject } = Promise.withResolvers<never>();
  let isGivenUp = false;
  const giveUp = (error: HttpError) => {
    isGivenUp = true;
    reject(error);
    // After the reply: given up before, Deno (2.9) would keep the connection until the rest of the body has come.
    setTimeout(() => reader.cancel().catch(() => {}));
  };
  const timer = setTimeout(() => giveUp(new HttpError("slow-body", { headers: closing })), timeoutMs);
  const stop = () => giveUp(stoppingError());
  stopping?.addEventListener("abort", stop);
  // What is there already is read even now.
  if (stopping?.aborted) setTimeout(stop);
  try {
    // Once for the whole body: each race adds to `givenUp`, which would keep what every chunk was read into.
    return await Promise.race([readAll(reader, { maxBytes, stopping }), givenUp]);
  } finally {
    clearTimeout(timer);
    stopping?.removeEventListener("abort", stop);
    // Without waiting, as a slow client would make it wait; the stream has ended, or failed, or is given up.
    if (!isGivenUp) reader.cancel().catch(() => {});
  }
}

async function readAll(
  reader: ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>>,
  { maxBytes, stopping }: { maxBytes: number; stopping: AbortSignal | undefined },
): Promise<Uint8Array> {
  // Copied: a chunk is a view of the 64 KiB that Deno reads into, also when it is one byte.
  const bytes = new Uint8Array(maxBytes);
  let length = 0;
  for (let chunkCount = 0; chunkCount <= maxBodyChunks; chunkCount++) {
    const { done, value } = await nextChunk(reader, stopping);
    if (done) return bytes.subarray(0, length);
    if (length + value.length > maxBytes) break;
    bytes.set(value, length);
    length += value.length;
  }
  throw new HttpError("body-too-large", { headers: closing });
}

async function nextChunk(reader: ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>>, stopping?: AbortSignal) {
  try {
    return await reader.read();
  } catch (error) {
    // Deno 2.9 breaks off bodies when the server is shut down (denoland/deno#36809), which is not the client's fault.
    if (stopping?.aborted) throw stoppingError(error);
    // The client went away; this reply reaches nobody, and is no failure of the service.
    throw new HttpError("malformed-json", { detail: "The body is broken off", cause: error });
  }
}

function stoppingError(cause?: unknown): HttpError {
  return new HttpError("not-ready", { detail: "The service is stopping", cause });
}

function decodeUtf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (error) {
    throw new HttpError("malformed-json", { detail: "The body is not UTF-8", cause: error });
  }
}
