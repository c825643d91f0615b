/**
 * A site as an attacker talks to it: HTTP/1.1 written by hand over TLS, as `fetch` would not send odd methods, paths
 * and headers, or mend them. Each request has a connection of its own, and no redirect is followed.
 */

/** Above the 10 s for which Caddy waits for a service that is being restarted. */
const defaultTimeoutMs = 20 * 1_000;
/** Of a page so much is looked at. */
const maxReplyBytes = 1024 * 1024;

/** What a site answered. */
export interface Reply {
  readonly status: number;
  readonly headers: Headers;
  readonly body: string;
}

/** What to send beside method and path. */
export interface Message {
  /** As lines, such as `Remote_User: alice`. */
  readonly headers?: readonly string[];
  /** Sent as JSON. */
  readonly json?: unknown;
}

/** The site did not answer. */
export class NoAnswerError extends Error {
  override name = "NoAnswerError";
}

/** A site, and whom to trust for its certificate. */
export class SiteClient {
  readonly url: URL;
  readonly #caCerts: string[];
  readonly #timeoutMs: number;

  /** @param options `caCerts` are PEM, and count beside the CAs that Deno trusts by itself */
  constructor(url: URL, options: { caCerts: readonly string[]; timeoutMs?: number }) {
    const { caCerts, timeoutMs = defaultTimeoutMs } = options;
    this.url = url;
    this.#caCerts = [...caCerts];
    this.#timeoutMs = timeoutMs;
  }

  /**
   * Sends a request, `target` (path and query) as it is.
   *
   * @throws {NoAnswerError}
   */
  async send(method: string, target: string, { headers = [], json }: Message = {}): Promise<Reply> {
    const encoder = new TextEncoder();
    const body = encoder.encode(json === undefined ? "" : JSON.stringify(json));
    const hasConnection = headers.some((line) => /^connection:/i.test(line));
    const lines = [
      `${method} ${target} HTTP/1.1`,
      `Host: ${this.url.host}`,
      "User-Agent: gatehouse-doctor",
      ...hasConnection ? [] : ["Connection: close"],
      ...json === undefined ? [] : ["Content-Type: application/json", `Content-Length: ${body.length}`],
      ...headers,
    ];
    try {
      const head = encoder.encode(`${lines.join("\r\n")}\r\n\r\n`);
      return parseReply(await this.#exchange(new Uint8Array([...head, ...body])));
    } catch (error) {
      throw new NoAnswerError(`${method} ${target}: ${reasonOf(error)}`, { cause: error });
    }
  }

  async #exchange(request: Uint8Array): Promise<string> {
    const hostname = this.url.hostname.replace(/^\[|\]$/g, "");
    const plain = await Deno.connect({ hostname, port: Number(this.url.port || 443) });
    // Else the request waits 40 ms for the handshake to be acknowledged.
    plain.setNoDelay();
    using connection = await Deno.startTls(plain, { hostname, caCerts: this.#caCerts });
    // Closing it ends a read that waits.
    const timer = setTimeout(() => connection.close(), this.#timeoutMs);
    try {
      for (let written = 0; written < request.length;) written += await connection.write(request.subarray(written));
      return await readAll(connection);
    } finally {
      clearTimeout(timer);
    }
  }
}

/** Latin-1, so that a character is a byte and lengths of chunks count. */
async function readAll(connection: Deno.TlsConn): Promise<string> {
  const decoder = new TextDecoder("latin1");
  const buffer = new Uint8Array(64 * 1024);
  let text = "";
  while (text.length < maxReplyBytes) {
    const count = await connection.read(buffer);
    if (count === null) break;
    text += decoder.decode(buffer.subarray(0, count));
  }
  return text;
}

function parseReply(text: string): Reply {
  const headEnd = text.indexOf("\r\n\r\n");
  const [statusLine = "", ...lines] = text.slice(0, headEnd).split("\r\n");
  const status = Number(/^HTTP\/1\.[01] (\d{3})/.exec(statusLine)?.[1]);
  if (headEnd === -1 || Number.isNaN(status)) throw new Error("the connection ended without a reply");
  const headers = new Headers();
  for (const line of lines) {
    const colonAt = line.indexOf(":");
    headers.append(line.slice(0, colonAt), line.slice(colonAt + 1).trim());
  }
  const rest = text.slice(headEnd + 4);
  const isChunked = headers.get("transfer-encoding")?.toLowerCase() === "chunked";
  return { status, headers, body: isChunked ? joinChunks(rest) : rest };
}

/** RFC 9112, 7.1. */
function joinChunks(text: string): string {
  let joined = "";
  for (let at = 0; at < text.length;) {
    const sizeEnd = text.indexOf("\r\n", at);
    const length = parseInt(text.slice(at, sizeEnd), 16);
    if (!(length > 0)) break;
    joined += text.slice(sizeEnd + 2, sizeEnd + 2 + length);
    at = sizeEnd + 2 + length + 2;
  }
  return joined;
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
