/** The account that the doctor uses. */

import { type SiteClient, SiteError } from "./doctor_client.ts";

/** Of a user of the site. */
export interface Credentials {
  readonly login: string;
  readonly password: string;
  /** Whether the doctor has registered the user, and deletes it. */
  readonly isTemporary?: boolean;
}

/** The account that the doctor logs in with, through `/auth/` of the site, as a browser does. */
export class Account {
  readonly #cookies: string[] = [];

  constructor(readonly site: SiteClient, readonly user: Credentials) {}

  /** Logs in. @returns the cookie of the session, as `name=value` @throws {SiteError} */
  async logIn(headers: readonly string[] = []): Promise<string> {
    const { login, password } = this.user;
    const json = { login, password, cookie: true };
    const response = await this.site.send("POST /auth/session/", { json, headers });
    if (response.status === 202) {
      throw new SiteError(`Cannot log in: ${login} has a second factor, name a user without one`);
    }
    const cookies = response.headers.getSetCookie().map((text) => text.split(";", 1).join());
    const cookie = cookies.find((text) => text.startsWith("__Host-gatehouse="));
    if (cookie === undefined) throw new SiteError(`Cannot log in: ${response.summary}`);
    this.#cookies.push(cookie);
    return cookie;
  }

  /** Ends a session. @throws {SiteError} */
  logOut(cookie: string): Promise<void> {
    return this.#delete("/auth/session/", cookie);
  }

  /** Deletes a temporary user, or ends the sessions of a given one. @throws {SiteError} */
  async close(): Promise<void> {
    if (!this.user.isTemporary) {
      for (const cookie of this.#cookies) await this.logOut(cookie).catch(() => {});
      return;
    }
    const deletion = async () => this.#delete(`/auth/user/${this.user.login}`, this.#cookies[0] ?? await this.logIn());
    await deletion().catch(({ message }) => {
      throw new SiteError(`The temporary user ${this.user.login} still exists: ${message}`);
    });
  }

  async #delete(path: string, cookie: string): Promise<void> {
    const headers = [`Cookie: ${cookie}`, "Sec-Fetch-Site: same-origin"];
    const response = await this.site.send(`DELETE ${path}`, { headers });
    if (response.status !== 204) throw new SiteError(`DELETE ${path}: ${response.summary}`);
  }
}
