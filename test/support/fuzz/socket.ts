/**
 * Requests over a socket, one after another on a connection: as they are, where `fetch` would refuse or mend them.
 *
 * Only what frames a message is always right here, as what comes after it would else be no request of its own.
 */

import { Buffer } from "node:buffer";
import type { Reply } from "../app.ts";
import { addressOf } from "../raw_request.ts";
import type { SentRequest } from "./names.ts";

/** Where the requests come from. */
const loopback = "127.0.0.1";
/** Set by the client itself. */
const framing = ["host", "connection", "content-length", "transfer-encoding", "expect", "x-forwarded-for"];
/** Longer than the service waits for a body, or a password for its turn. */
const timeoutMs = 30_000;

/** One connection at a time to a service; a new one when the last was ended. */
export class Socket implements Disposable {
  readonly #address: Deno.ConnectOptions;
  readonly #buffer = new Uint8Array(64 * 1_024);
  #connection: Deno.Conn | undefined;
  /** Read, and not yet part of a reply. */
  #rest = Buffer.alloc(0);

  constructor(url: string) {
    this.#address = addressOf(url);
  }

  /** @throws {Error} the service ended the connection without a reply */
  async send(request: SentRequest): Promise<Reply> {
    const bytes = bytesOf(request);
    const wasOpen = this.#connection !== undefined;
    const reply = await this.#exchange(request.method, bytes);
    if (reply !== undefined) return reply;
    // It had been ended already when the request was written.
    const second = wasOpen ? await this.#exchange(request.method, bytes) : undefined;
    if (second === undefined) throw new Error(`No reply to ${request.method} ${request.path.slice(0, 200)}`);
    return second;
  }

  [Symbol.dispose](): void {
    this.#connection?.close();
    this.#connection = undefined;
    this.#rest = Buffer.alloc(0);
  }

  async #exchange(method: string, bytes: Uint8Array): Promise<Reply | undefined> {
    const timer = setTimeout(() => this[Symbol.dispose](), timeoutMs);
    try {
      this.#connection ??= await Deno.connect(this.#address);
      await writeAll(this.#connection, bytes);
    } catch {
      // It may have answered before the end of the request.
    }
    try {
      return await this.#read(method);
    } catch {
      this[Symbol.dispose]();
      return undefined;
    } finally {
      clearTimeout(timer);
    }
  }

  async #read(method: string): Promise<Reply> {
    const { status, headers } = await this.#readHead();
    const hasBody = method !== "HEAD" && status !== 204 && status !== 304;
    const length = Number(headers.get("content-length"));
    const text = (await this.#take(hasBody ? length : 0)).toString();
    if (headers.get("connection") === "close") this[Symbol.dispose]();
    // What every reply of HTTP may have, and no document names.
    headers.delete("date");
    headers.delete("connection");
    headers.delete("transfer-encoding");
    const isJson = /^application\/(problem\+)?json$/.test(headers.get("content-type") ?? "");
    return { status, headers, text, json: isJson && text !== "" ? JSON.parse(text) : {} };
  }

  async #readHead(): Promise<{ status: number; headers: Headers }> {
    while (!this.#rest.includes("\r\n\r\n")) await this.#readMore();
    const head = await this.#take(this.#rest.indexOf("\r\n\r\n") + 4);
    const [first = "", ...lines] = head.toString("latin1").trimEnd().split("\r\n");
    const headers = new Headers(lines.map((line): [string, string] => {
      const colon = line.indexOf(":");
      return [line.slice(0, colon), line.slice(colon + 1).trim()];
    }));
    if (headers.has("transfer-encoding")) throw new Error("A reply in chunks");
    return { status: Number(first.split(" ")[1]), headers };
  }

  async #take(length: number): Promise<Buffer> {
    while (this.#rest.length < length) await this.#readMore();
    const taken = this.#rest.subarray(0, length);
    this.#rest = this.#rest.subarray(length);
    return taken;
  }

  async #readMore(): Promise<void> {
    const count = await this.#connection?.read(this.#buffer) ?? null;
    if (count === null) throw new Error("The connection has ended");
    this.#rest = Buffer.concat([this.#rest, this.#buffer.subarray(0, count)]);
  }
}

/** The path as it can be sent: visible ASCII. */
export function targetOf(path: string): string {
  return path.toWellFormed().replace(/[^\x21-\x7e]+/g, encodeURIComponent);
}

function bytesOf({ method, path, headers, body, client }: SentRequest): Uint8Array {
  const content = typeof body === "string" ? Buffer.from(body) : body;
  // Loopback is trusted to say who the client is; when it says nothing, it is the client.
  const forwardedFor = headers["x-forwarded-for"] ?? (client === loopback ? undefined : client);
  const lines = [
    `${method} ${targetOf(path)} HTTP/1.1`,
    "host: gatehouse.test",
    ...forwardedFor === undefined ? [] : [`x-forwarded-for: ${forwardedFor}`],
    ...Object.entries(headers).filter(([name]) => !framing.includes(name)).map((header) => header.join(": ")),
    ...content === undefined ? [] : [`content-length: ${content.length}`],
  ];
  return Buffer.concat([Buffer.from(`${lines.join("\r\n")}\r\n\r\n`, "latin1"), content ?? Buffer.alloc(0)]);
}

async function writeAll(connection: Deno.Conn, bytes: Uint8Array): Promise<void> {
  for (let written = 0; written < bytes.length;) written += await connection.write(bytes.subarray(written));
}
