/**
 * Requests to a site exactly as they are written: HTTP/1.1 by hand over TLS, because `fetch` refuses or corrects odd
 * methods, paths and headers. Each request has its own connection, and no redirect is followed.
 */

/** Longer than the 10 s that Caddy waits for a service that restarts. */
const defaultTimeoutMs = 20 * 1_000;
const maxResponseBytes = 1024 * 1024;

/** The site did not respond, or not as the doctor needs it. */
export class SiteError extends Error {
  override name = "SiteError";
}

/** A response of a guarded site. */
export class SiteResponse {
  readonly status: number;
  readonly headers = new Headers();
  readonly body: string;
  /** Where a browser is redirected to; `undefined` if this is not a redirect. */
  readonly redirect: URL | undefined;
  /** Another host that a browser is redirected to; `undefined` if there is none. */
  readonly otherHost: string | undefined;
  readonly isLoginRedirect: boolean;
  /** Whether nothing of the site is shown: the guard refused, or a server could not read the request. */
  readonly isRefused: boolean;
  /** Whether the guard let the request pass. */
  readonly isAdmitted: boolean;

  /** @param text the bytes as Latin-1 @throws {Error} it has no complete head */
  constructor(site: URL, text: string) {
    const headEnd = text.indexOf("\r\n\r\n");
    const [statusLine = "", ...lines] = text.slice(0, headEnd).split("\r\n");
    this.status = Number(/^HTTP\/1\.[01] (\d{3})/.exec(statusLine)?.[1]);
    if (headEnd === -1 || Number.isNaN(this.status)) throw new Error("the connection ended without a response");
    for (const line of lines) {
      const colonAt = line.indexOf(":");
      this.headers.append(line.slice(0, colonAt), line.slice(colonAt + 1).trim());
    }
    const rest = text.slice(headEnd + 4);
    const isChunked = this.headers.get("transfer-encoding")?.toLowerCase() === "chunked";
    this.body = isChunked ? joinChunks(rest) : rest;
    const location = this.status < 300 || this.status > 399 ? null : this.headers.get("location");
    // In a browser any number of slashes and backslashes, from two on, begins a host; in Deno only two do.
    const redirect = location === null ? null : URL.parse(location.replace(/^[/\\]{2,}/, "//"), site);
    this.redirect = redirect ?? undefined;
    this.otherHost = redirect?.host === site.host ? undefined : redirect?.host;
    this.isLoginRedirect = this.otherHost === undefined && redirect?.pathname === "/auth/";
    this.isRefused = this.status === 401 || this.status === 400 || this.isLoginRedirect;
    this.isAdmitted = !this.isRefused && this.status !== 403 && this.status < 500;
  }

  /** The status and, of a problem, its title. */
  get summary(): string {
    const [, title = ""] = /"title":"([^"\\]*)"/.exec(this.body) ?? [];
    return `${this.status} ${title}`.trimEnd();
  }

  /** The cookies that it sets, as `name=value`. */
  get cookies(): string[] {
    return this.headers.getSetCookie().map((text) => text.split(";", 1).join());
  }

  /** Whether the text is in any header or the body. */
  includes(text: string): boolean {
    return this.body.includes(text) || [...this.headers].some(([, value]) => value.includes(text));
  }
}

/** A site, and the CAs (PEM) that are trusted for it in addition to those of Deno. */
export class SiteClient {
  constructor(readonly url: URL, readonly options: { readonly caCerts: string[]; readonly timeoutMs?: number }) {}

  /** Requests a page. @throws {SiteError} */
  get(target: string, headers: readonly string[] = []): Promise<SiteResponse> {
    return this.send(`GET ${target}`, { headers });
  }

  /** Requests a page as a browser that navigates. @throws {SiteError} */
  navigate(target: string, headers: readonly string[] = []): Promise<SiteResponse> {
    return this.get(target, [...headers, "Sec-Fetch-Mode: navigate", "Accept: text/html"]);
  }

  /**
   * Sends any request.
   *
   * @param request method and target, sent unchanged
   * @param options headers as lines, such as `Remote_User: alice`, and a body
   * @throws {SiteError}
   */
  async send(
    request: string,
    { headers = [], json }: { headers?: readonly string[]; json?: unknown } = {},
  ): Promise<SiteResponse> {
    const body = new TextEncoder().encode(json === undefined ? "" : JSON.stringify(json));
    const lines = [`${request} HTTP/1.1`, `Host: ${this.url.host}`, "User-Agent: gatehouse-doctor", ...headers];
    if (!headers.some((line) => /^connection:/i.test(line))) lines.push("Connection: close");
    if (json !== undefined) lines.push("Content-Type: application/json", `Content-Length: ${body.length}`);
    try {
      return new SiteResponse(this.url, await this.#exchange(new Blob([`${lines.join("\r\n")}\r\n\r\n`, body])));
    } catch (error) {
      const reason = error instanceof Error ? error.message : error;
      throw new SiteError(`The site does not respond to ${request}: ${reason}`, { cause: error });
    }
  }

  /** @returns Latin-1, so that a character is a byte and the lengths of chunks are correct */
  async #exchange(request: Blob): Promise<string> {
    const { caCerts, timeoutMs = defaultTimeoutMs } = this.options;
    const hostname = this.url.hostname.replace(/^\[|\]$/g, "");
    const plain = await Deno.connect({ hostname, port: Number(this.url.port || 443) });
    // Otherwise the request waits 40 ms for the acknowledgement of the handshake.
    plain.setNoDelay();
    using connection = await Deno.startTls(plain, { hostname, caCerts });
    const signal = AbortSignal.timeout(timeoutMs);
    await request.stream().pipeTo(connection.writable, { preventClose: true, signal });
    let text = "";
    for await (const part of connection.readable.pipeThrough(new TextDecoderStream("latin1"), { signal })) {
      text += part;
      if (text.length >= maxResponseBytes) break;
    }
    return text;
  }
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
