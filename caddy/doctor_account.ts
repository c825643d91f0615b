/** Where the users of a site log in, and the account that the doctor uses. */

import { TaskError } from "../lib/tasks/task.ts";
import { SiteClient, SiteError, type SiteResponse } from "./doctor_client.ts";

/** A login at a site by its home takes three redirects, or six if it begins again. */
const maxRedirects = 8;
const sessionName = "__Host-gatehouse=";

/** A guarded site, and its home if there is one. */
export interface Place {
  readonly site: SiteClient;
  readonly home?: SiteClient | undefined;
}

/** Of a user of the site. */
export interface Credentials {
  readonly login: string;
  readonly password: string;
  /** Whether the doctor has registered the user, and deletes it. */
  readonly isTemporary?: boolean;
}

type RequestOptions = Parameters<SiteClient["send"]>[1];

/** Where redirects end. */
interface Trace {
  /** To the last request. */
  readonly response: SiteResponse;
  /** Neither the site nor its home; `undefined` if no redirect leads there. */
  readonly otherHost: string | undefined;
  /** The last cookie of the site, as `name=value`. */
  readonly cookie: string | undefined;
}

/**
 * Finds the home of a site, `GATEHOUSE_HOME`. Only what Gatehouse redirects to counts, as it gets a password.
 *
 * @throws {TaskError} there is a home, but the site is not one of its sites; or the site is Gatehouse itself
 */
export async function findHome(site: SiteClient): Promise<SiteClient | undefined> {
  const { origin } = site.url;
  const response = await site.get("/auth/?next=/");
  if (response.body.includes('"/problem/unknown-site"')) {
    throw new TaskError(
      `Cannot check ${origin} as Gatehouse does not list it, so that it is closed: ` +
        `add it to GATEHOUSE_SITES as ${origin}, and restart Gatehouse`,
    );
  }
  const isNotFound = ({ body }: SiteResponse) => body.includes('"/problem/not-found"');
  if (isNotFound(response) && isNotFound(await site.get("/doctor"))) {
    throw new TaskError(`Cannot check ${origin} as it is Gatehouse itself: use the address of a site that it guards`);
  }
  const { redirect } = response;
  const isHome = redirect?.protocol === "https:" && redirect.origin !== origin && redirect.searchParams.has("state") &&
    redirect.searchParams.get("site") === origin;
  return isHome ? new SiteClient(new URL(redirect.origin), site.options) : undefined;
}

/**
 * Sends a request to Gatehouse: at `/auth/` of the site, or at its home.
 *
 * @param request method and target without its first slash, as `POST session/`
 * @throws {SiteError}
 */
export function askGatehouse({ site, home }: Place, request: string, options?: RequestOptions): Promise<SiteResponse> {
  return home === undefined
    ? site.send(request.replace(" ", " /auth/"), options)
    : home.send(request.replace(" ", " /"), options);
}

/** The account that the doctor logs in with, as a browser does. */
export class Account {
  /** The cookies of the sessions where the account is, by those of the site. Without a home they are the same. */
  readonly #cookies = new Map<string, string>();

  constructor(readonly place: Place, readonly user: Credentials) {}

  /** Logs in. @returns the cookie of the session at the site, as `name=value` @throws {SiteError} */
  async logIn(headers: readonly string[] = []): Promise<string> {
    const own = await this.#logIn(headers);
    const { home } = this.place;
    if (home === undefined) return own;
    const { cookie = "", response } = await this.follow("/", own);
    if (!cookie.startsWith(sessionName)) {
      throw new SiteError(`Cannot log in at the site by ${home.url.origin}: ${response.summary}`);
    }
    this.#cookies.delete(own);
    this.#cookies.set(cookie, own);
    return cookie;
  }

  /**
   * Follows the redirects of `/auth/?next=` with a session, until one leads to a page of the site or to another host.
   *
   * @throws {SiteError}
   */
  async follow(next: string, cookie: string): Promise<Trace> {
    const { site, home } = this.place;
    // Of each host the last one suffices.
    const cookies = new Map([[home ?? site, this.#ownOf(cookie)]]);
    let client = site;
    let target = `/auth/?next=${next}`;
    for (let count = 1;; count++) {
      const sent = cookies.get(client);
      const response = await client.navigate(target, sent === undefined ? [] : [`Cookie: ${sent}`]);
      const [received] = response.cookies;
      if (received !== undefined) cookies.set(client, received);
      const { redirect } = response;
      const known = [site, home].find((place) => place?.url.origin === redirect?.origin);
      const isPage = known === site && !redirect?.pathname.startsWith("/auth/");
      if (redirect === undefined || known === undefined || isPage || count === maxRedirects) {
        const otherHost = known === undefined ? redirect?.host : undefined;
        return { response, otherHost, cookie: cookies.get(site) };
      }
      client = known;
      target = redirect.pathname + redirect.search;
    }
  }

  /** Returns what the user's sessions are at Gatehouse. @throws {SiteError} */
  listSessions(cookie: string): Promise<SiteResponse> {
    const headers = [`Cookie: ${this.#ownOf(cookie)}`];
    return askGatehouse(this.place, `GET user/${encodeURIComponent(this.user.login)}/session/`, { headers });
  }

  /** Ends a session. @throws {SiteError} */
  logOut(cookie: string): Promise<void> {
    return this.#delete("session/", this.#ownOf(cookie));
  }

  /** Deletes a temporary user, or ends the sessions of a given one. @throws {SiteError} */
  async close(): Promise<void> {
    const [own, ...others] = this.#cookies.values();
    if (!this.user.isTemporary) {
      for (const cookie of [own, ...others]) if (cookie !== undefined) await this.logOut(cookie).catch(() => {});
      return;
    }
    const deletion = async () => this.#delete(`user/${this.user.login}`, own ?? await this.#logIn());
    await deletion().catch(({ message }) => {
      throw new SiteError(`The temporary user ${this.user.login} still exists: ${message}`);
    });
  }

  /** @returns the cookie of the session where the account is */
  async #logIn(headers: readonly string[] = []): Promise<string> {
    const { login, password } = this.user;
    const json = { login, password, cookie: true };
    const response = await askGatehouse(this.place, "POST session/", { json, headers });
    if (response.status === 202) {
      throw new SiteError(`Cannot log in: ${login} has a second factor, name a user without one`);
    }
    const cookie = response.cookies.find((text) => text.startsWith(sessionName));
    if (cookie === undefined) throw new SiteError(`Cannot log in: ${response.summary}`);
    this.#cookies.set(cookie, cookie);
    return cookie;
  }

  #ownOf(cookie: string): string {
    return this.#cookies.get(cookie) ?? cookie;
  }

  async #delete(path: string, cookie: string): Promise<void> {
    const headers = [`Cookie: ${cookie}`, "Sec-Fetch-Site: same-origin"];
    const response = await askGatehouse(this.place, `DELETE ${path}`, { headers });
    if (response.status !== 204) throw new SiteError(`DELETE ${path}: ${response.summary}`);
  }
}
