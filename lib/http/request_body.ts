/**
 * Reads a JSON body within limits of size, time and chunks, regardless of its headers.
 *
 * Nesting needs no limit: `JSON.parse` does not recurse, and 16 KiB bound the depth. Of duplicate keys the last counts,
 * as in every common parser.
 */

import { HttpError, notReady } from "./http_error.ts";

/** Longest body, bytes: the longest user takes 10 KiB, with every letter decomposed into accents and escaped. */
export const maxBodyBytes = 16 * 1024;
/** A chunk costs a read of 10 µs: 16 KiB in chunks of one byte took 150 ms of the event loop. Clients send 1 to 10. */
const maxBodyChunks = 256;
/** Longest time from the head of a request to the end of its body. */
export const maxBodyMs = 10_000;

type Body = ReadableStream<Uint8Array<ArrayBuffer>>;
type BodyReader = ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>>;

export interface BodyOptions {
  readonly maxBytes?: number;
  readonly timeoutMs?: number;
  /** Aborted when the service is about to stop or to cut off its connections. */
  readonly stopping?: AbortSignal;
}

/**
 * Reads a body of JSON.
 *
 * @throws {HttpError} `malformed-json`, `not-json`, `body-too-large`, `slow-body`, `not-ready`
 */
export async function readJson(request: Request, options: BodyOptions = {}): Promise<unknown> {
  if (request.body === null) throw missingBody();
  checkContentType(request.headers);
  const bytes = await readBytes(request.body, { ...options, headers: request.headers });
  // Deno gives a request without a body an empty one.
  if (bytes.length === 0) throw missingBody();
  const text = decodeUtf8(bytes);
  try {
    return JSON.parse(text);
  } catch {
    // Without the parser's message: it quotes the body, which may contain a password.
    throw new HttpError("malformed-json", { detail: "The body is not JSON" });
  }
}

function missingBody(): HttpError {
  return new HttpError("malformed-json", { detail: "The body is missing" });
}

/** The rest of the body is not read: the connection closes after the response (RFC 9110, 15.5.9). */
const closing = { connection: "close" };
/** Empty parameters are valid (RFC 9110, 5.6.6). Clients spell UTF-8 in two ways. */
const jsonType = /^application\/json[ \t]*(?:;[ \t]*(?:charset[ \t]*=[ \t]*(?:utf-?8|"utf-?8")[ \t]*)?)*$/i;
const maxTypeLength = 200;

function checkContentType(headers: Headers): void {
  const type = headers.get("content-type") ?? "";
  if (type.length > maxTypeLength || !jsonType.test(type)) {
    throw new HttpError("not-json", { headers: { accept: "application/json" } });
  }
  if (headers.has("content-encoding")) {
    // RFC 9110, 12.5.3: no content coding is supported.
    throw new HttpError("not-json", { headers: { "accept-encoding": "identity" } });
  }
}

async function readBytes(body: Body, options: BodyOptions & { readonly headers: Headers }): Promise<Uint8Array> {
  const { maxBytes = maxBodyBytes, timeoutMs = maxBodyMs, stopping, headers } = options;
  if (Number(headers.get("content-length") ?? 0) > maxBytes) throw new HttpError("body-too-large");
  const reader = body.getReader();
  const { promise: givenUp, reject } = Promise.withResolvers<never>();
  let isGivenUp = false;
  const giveUp = (error: HttpError) => {
    isGivenUp = true;
    reject(error);
    // After the response: cancelled before, Deno (2.9) would keep the connection until the rest of the body arrives.
    setTimeout(() => reader.cancel().catch(() => {}));
  };
  const timer = setTimeout(() => giveUp(new HttpError("slow-body", { headers: closing })), timeoutMs);
  const stop = () => giveUp(stoppingError());
  stopping?.addEventListener("abort", stop);
  // What has already arrived is read nevertheless.
  if (stopping?.aborted) setTimeout(stop);
  try {
    // One race for the whole body: each race adds a reaction to `givenUp`, which would keep the buffer of every chunk.
    return await Promise.race([readAll(reader, { maxBytes, stopping }), givenUp]);
  } finally {
    clearTimeout(timer);
    stopping?.removeEventListener("abort", stop);
    // Not awaited, as that could take as long as a slow client.
    if (!isGivenUp) reader.cancel().catch(() => {});
  }
}

async function readAll(
  reader: BodyReader,
  { maxBytes, stopping }: { maxBytes: number; stopping: AbortSignal | undefined },
): Promise<Uint8Array> {
  // Copied: even a chunk of one byte is a view of a buffer of 64 KiB.
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

async function nextChunk(reader: BodyReader, stopping?: AbortSignal) {
  try {
    return await reader.read();
  } catch (error) {
    // Deno 2.9 aborts bodies when the server shuts down (denoland/deno#36809), which is not the client's fault.
    if (stopping?.aborted) throw stoppingError(error);
    // The client disconnected. No one receives this response, and it is not a failure of the service.
    throw new HttpError("malformed-json", { detail: "The body is incomplete", cause: error });
  }
}

function stoppingError(cause?: unknown): HttpError {
  return notReady("The service is stopping", { cause });
}

function decodeUtf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (error) {
    throw new HttpError("malformed-json", { detail: "The body is not UTF-8", cause: error });
  }
}
