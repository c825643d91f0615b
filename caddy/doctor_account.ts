/**
 * Who the doctor is at a guarded site: an account that is given, or a temporary one that is deleted in the end.
 *
 * All goes through `/auth/` of the site, as a browser does it. The password leaves this process for there alone.
 */

import type { Reply, SiteClient } from "./doctor_client.ts";

/** What browsers say of a request by a page of the site itself. */
const sameOrigin = "Sec-Fetch-Site: same-origin";

/** A login and its password. */
export interface Credentials {
  readonly login: string;
  readonly password: string;
}

/** A session that lives until it is ended. */
export interface Session {
  /** The cookie, as `name=value`. */
  readonly cookie: string;
  readonly token: string;
}

/** An account, and how to log in with it. */
export class Account {
  readonly credentials: Credentials;
  readonly isTemporary: boolean;
  readonly #site: SiteClient;
  readonly #sessions: Session[] = [];

  private constructor(site: SiteClient, credentials: Credentials, { isTemporary }: { isTemporary: boolean }) {
    this.#site = site;
    this.credentials = credentials;
    this.isTemporary = isTemporary;
  }

  /** Takes the account that is given, else registers a temporary one. @returns why there is none, or the account */
  static async open(site: SiteClient, given: Credentials | undefined): Promise<Account | string> {
    if (given !== undefined) return new Account(site, given, { isTemporary: false });
    const random = crypto.getRandomValues(new Uint8Array(24)).toBase64({ alphabet: "base64url" });
    const json = { login: `doctor-${crypto.randomUUID().slice(0, 8)}`, password: random };
    const reply = await site.send("POST", "/auth/user/", { json });
    if (reply.status !== 201) return whyNoUser(reply);
    return new Account(site, json, { isTemporary: true });
  }

  /** Logs in as a browser does. @returns why not, or the session */
  async logIn(headers: readonly string[] = []): Promise<Session | string> {
    const json = { ...this.credentials, cookie: true };
    const reply = await this.#site.send("POST", "/auth/session/", { json, headers });
    const cookies = reply.headers.getSetCookie().map((text) => text.split(";", 1).join());
    const cookie = cookies.find((text) => text.startsWith("__Host-gatehouse="));
    if (cookie === undefined) return `Cannot log in: ${summaryOf(reply)}`;
    const session = { cookie, token: cookie.slice(cookie.indexOf("=") + 1) };
    this.#sessions.push(session);
    return session;
  }

  /** Logs a session out. @returns why not, if so */
  async logOut(session: Session): Promise<string | undefined> {
    return await this.#delete("/auth/session/", session);
  }

  /** The addresses that the account's sessions came from, or `undefined` when they are not told. */
  async addresses({ cookie }: Session): Promise<string[] | undefined> {
    const path = `/auth/user/${encodeURIComponent(this.credentials.login)}/session/`;
    const { status, body } = await this.#site.send("GET", path, { headers: [`Cookie: ${cookie}`] });
    if (status !== 200) return undefined;
    const { sessions } = JSON.parse(body) as { sessions: { address: string }[] };
    return sessions.map(({ address }) => address);
  }

  /** Leaves nothing behind: deletes a temporary account, and ends the sessions of another. @returns why not, if so */
  async close(): Promise<string | undefined> {
    if (!this.isTemporary) {
      for (const session of this.#sessions) await this.logOut(session);
      return undefined;
    }
    const session = this.#sessions.at(0) ?? await this.logIn();
    const path = `/auth/user/${this.credentials.login}`;
    const fault = typeof session === "string" ? session : await this.#delete(path, session);
    return fault && `The temporary user ${this.credentials.login} is still there: ${fault}`;
  }

  async #delete(path: string, { cookie }: Session): Promise<string | undefined> {
    const reply = await this.#site.send("DELETE", path, { headers: [`Cookie: ${cookie}`, sameOrigin] });
    return reply.status === 204 ? undefined : `DELETE ${path}: ${summaryOf(reply)}`;
  }
}

/** Why a temporary user could not be registered, and what to do where it is meant so. */
function whyNoUser(reply: Reply): string {
  const remedy = "set DOCTOR_LOGIN and DOCTOR_PASSWORD";
  if (reply.body.includes('"/problem/ticket-invalid"')) return `Registration needs a ticket: ${remedy}`;
  if (reply.body.includes('"/problem/registration-closed"')) return `Registration is closed: ${remedy}`;
  return `Cannot register: ${summaryOf(reply)}`;
}

/** Status and, of a problem, its title. */
export function summaryOf({ status, body }: Reply): string {
  const title = /"title":"([^"\\]*)"/.exec(body)?.[1];
  return title === undefined ? `${status}` : `${status} ${title}`;
}
