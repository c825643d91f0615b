/**
 * Requests to a site exactly as they are written: HTTP/1.1 by hand over TLS, because `fetch` refuses or corrects odd
 * methods, paths and headers. Each request has its own connection, and no redirect is followed.
 */

/** Longer than the 10 s that Caddy waits for a service that restarts. */
const defaultTimeoutMs = 20 * 1_000;
const maxResponseBytes = 1024 * 1024;

/** What to send in addition to method and path. */
export interface Message {
  /** As lines, such as `Remote_User: alice`. */
  readonly headers?: readonly string[];
  /** Sent as JSON. */
  readonly json?: unknown;
}

/** The site did not respond. */
export class NoResponseError extends Error {
  override name = "NoResponseError";
}

/** A response of a guarded site. */
export class SiteResponse {
  readonly status: number;
  readonly headers = new Headers();
  readonly body: string;
  readonly #site: URL;

  /** @param text the bytes as Latin-1 @throws {Error} it has no complete head */
  constructor(site: URL, text: string) {
    this.#site = site;
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
  }

  /** Where a browser is redirected to; `undefined` if this is not a redirect. */
  get redirect(): URL | undefined {
    const location = this.headers.get("location");
    if (this.status < 300 || this.status > 399 || location === null) return undefined;
    // In a browser any number of slashes and backslashes, from two on, begins a host; in Deno only two do.
    return URL.parse(location.replace(/^[/\\]{2,}/, "//"), this.#site) ?? undefined;
  }

  /** Another host that a browser is redirected to; `undefined` if there is none. */
  get otherHost(): string | undefined {
    return this.redirect?.host === this.#site.host ? undefined : this.redirect?.host;
  }

  get isLoginRedirect(): boolean {
    return this.otherHost === undefined && this.redirect?.pathname === "/auth/";
  }

  /** Whether nothing of the site is shown: the guard refused, or a server could not read the request. */
  get isRefused(): boolean {
    return this.status === 401 || this.status === 400 || this.isLoginRedirect;
  }

  /** Whether the guard let the request pass. */
  get isAdmitted(): boolean {
    return !this.isRefused && this.status !== 403 && this.status < 500;
  }

  /** The status and, of a problem, its title. */
  get summary(): string {
    const [, title = ""] = /"title":"([^"\\]*)"/.exec(this.body) ?? [];
    return `${this.status} ${title}`.trimEnd();
  }

  /** Whether the text is in any header or the body. */
  includes(text: string): boolean {
    return this.body.includes(text) || [...this.headers].some(([, value]) => value.includes(text));
  }
}

/** A site, and the CAs (PEM) that are trusted for it in addition to those of Deno. */
export class SiteClient {
  readonly #caCerts: string[];
  readonly #timeoutMs: number;

  constructor(readonly url: URL, options: { caCerts: readonly string[]; timeoutMs?: number }) {
    this.#caCerts = [...options.caCerts];
    this.#timeoutMs = options.timeoutMs ?? defaultTimeoutMs;
  }

  /** Requests a page. @throws {NoResponseError} */
  get(target: string, headers: readonly string[] = []): Promise<SiteResponse> {
    return this.send(`GET ${target}`, { headers });
  }

  /** Requests a page as a browser that navigates. @throws {NoResponseError} */
  navigate(target: string, headers: readonly string[] = []): Promise<SiteResponse> {
    return this.get(target, [...headers, "Sec-Fetch-Mode: navigate", "Accept: text/html"]);
  }

  /** Sends any request. @param request method and target, sent unchanged @throws {NoResponseError} */
  async send(request: string, { headers = [], json }: Message = {}): Promise<SiteResponse> {
    const encoder = new TextEncoder();
    const body = json === undefined ? "" : JSON.stringify(json);
    const lines = [`${request} HTTP/1.1`, `Host: ${this.url.host}`, "User-Agent: gatehouse-doctor", ...headers];
    if (!headers.some((line) => /^connection:/i.test(line))) lines.push("Connection: close");
    if (json !== undefined) {
      lines.push("Content-Type: application/json", `Content-Length: ${encoder.encode(body).length}`);
    }
    try {
      const bytes = encoder.encode(`${lines.join("\r\n")}\r\n\r\n${body}`);
      return new SiteResponse(this.url, await this.#exchange(bytes));
    } catch (error) {
      const reason = error instanceof Error ? error.message : error;
      throw new NoResponseError(`${request}: ${reason}`, { cause: error });
    }
  }

  async #exchange(request: Uint8Array): Promise<string> {
    const hostname = this.url.hostname.replace(/^\[|\]$/g, "");
    const plain = await Deno.connect({ hostname, port: Number(this.url.port || 443) });
    // Otherwise the request waits 40 ms for the acknowledgement of the handshake.
    plain.setNoDelay();
    using connection = await Deno.startTls(plain, { hostname, caCerts: this.#caCerts });
    // Closing the connection ends a read that waits.
    const timer = setTimeout(() => connection.close(), this.#timeoutMs);
    try {
      for (let written = 0; written < request.length;) written += await connection.write(request.subarray(written));
      return await readAll(connection);
    } finally {
      clearTimeout(timer);
    }
  }
}

/** Reads Latin-1, so that a character is a byte and the lengths of chunks are correct. */
async function readAll(connection: Deno.TlsConn): Promise<string> {
  const decoder = new TextDecoder("latin1");
  const buffer = new Uint8Array(64 * 1024);
  let text = "";
  while (text.length < maxResponseBytes) {
    const count = await connection.read(buffer);
    if (count === null) break;
    text += decoder.decode(buffer.subarray(0, count));
  }
  return text;
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

/** How to log in. */
export interface SiteCredentials {
  readonly login: string;
  readonly password: string;
  /** Whether the doctor has registered the user, and deletes it. */
  readonly isTemporary: boolean;
}

/** A session of an account. */
export interface AccountSession {
  /** The cookie, as `name=value`. */
  readonly cookie: string;
  /** The secret part of its token. */
  readonly secret: string;
}

/** The account that the doctor logs in with, through `/auth/` of the site, as a browser does. */
export class Account {
  readonly login: string;
  readonly #site: SiteClient;
  readonly #credentials: SiteCredentials;
  readonly #sessions: AccountSession[] = [];

  private constructor(site: SiteClient, credentials: SiteCredentials) {
    this.login = credentials.login;
    this.#site = site;
    this.#credentials = credentials;
  }

  /** Takes a given account, else registers a temporary user. @returns the account, or why there is none */
  static async open(site: SiteClient, given: SiteCredentials | undefined): Promise<Account | string> {
    if (given !== undefined) return new Account(site, given);
    const password = crypto.getRandomValues(new Uint8Array(24)).toBase64({ alphabet: "base64url" });
    const json = { login: `doctor-${crypto.randomUUID().slice(0, 8)}`, password };
    const response = await site.send("POST /auth/user/", { json });
    if (response.status === 201) return new Account(site, { ...json, isTemporary: true });
    const remedy = "set DOCTOR_LOGIN and DOCTOR_PASSWORD";
    if (response.includes('"/problem/ticket-invalid"')) return `Registration needs a ticket: ${remedy}`;
    if (response.includes('"/problem/registration-closed"')) return `Registration is closed: ${remedy}`;
    return `Cannot register: ${response.summary}`;
  }

  /** Logs in. @returns the session, or why there is none */
  async logIn(headers: readonly string[] = []): Promise<AccountSession | string> {
    const { login, password } = this.#credentials;
    const response = await this.#site.send("POST /auth/session/", { json: { login, password, cookie: true }, headers });
    const cookies = response.headers.getSetCookie().map((text) => text.split(";", 1).join());
    const cookie = cookies.find((text) => text.startsWith("__Host-gatehouse="));
    if (cookie === undefined) return `Cannot log in: ${response.summary}`;
    const session = { cookie, secret: cookie.slice(cookie.indexOf(".") + 1) };
    this.#sessions.push(session);
    return session;
  }

  /** Ends a session. @returns why it did not end, or `undefined` */
  logOut(session: AccountSession): Promise<string | undefined> {
    return this.#delete("/auth/session/", session);
  }

  /** The addresses of the account's sessions; `undefined` if the site does not show them. */
  async addresses({ cookie }: AccountSession): Promise<string[] | undefined> {
    const path = `/auth/user/${encodeURIComponent(this.login)}/session/`;
    const { status, body } = await this.#site.get(path, [`Cookie: ${cookie}`]);
    if (status !== 200) return undefined;
    const { sessions } = JSON.parse(body) as { sessions: { address: string }[] };
    return sessions.map(({ address }) => address);
  }

  /** Deletes a temporary user, or ends the sessions of a given one. @returns why that failed, or `undefined` */
  async close(): Promise<string | undefined> {
    if (!this.#credentials.isTemporary) {
      for (const session of this.#sessions) await this.logOut(session);
      return undefined;
    }
    const session = this.#sessions.at(0) ?? await this.logIn();
    const failure = typeof session === "string" ? session : await this.#delete(`/auth/user/${this.login}`, session);
    return failure && `The temporary user ${this.login} still exists: ${failure}`;
  }

  async #delete(path: string, { cookie }: AccountSession): Promise<string | undefined> {
    const headers = [`Cookie: ${cookie}`, "Sec-Fetch-Site: same-origin"];
    const response = await this.#site.send(`DELETE ${path}`, { headers });
    return response.status === 204 ? undefined : `DELETE ${path}: ${response.summary}`;
  }
}
