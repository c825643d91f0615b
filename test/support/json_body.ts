/** Requests with bodies, for tests of what reads them. */
import { assertRejects } from "@std/assert";
import { HttpError } from "../../lib/http/http_error.ts";
import { type BodyOptions, readJson } from "../../lib/http/request_body.ts";

/** The headers of a body of JSON. */
export const json = { "content-type": "application/json" };

/** A request with this body, by default of JSON. */
export function post(body: BodyInit | null, headers: Readonly<Record<string, string>> = json): Request {
  return new Request("http://localhost/", { method: "POST", headers, body });
}

/** A body that arrives in these chunks. */
export function streamOf(...chunks: readonly Uint8Array<ArrayBuffer>[]): ReadableStream<Uint8Array<ArrayBuffer>> {
  return ReadableStream.from(chunks);
}

/** The error that reading a request ends in. */
export function refusalOf(request: Request, options?: BodyOptions): Promise<HttpError> {
  return assertRejects(() => readJson(request, options), HttpError);
}
