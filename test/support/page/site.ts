/**
 * The page as people reach it: the service, Caddy before it over HTTPS, and accounts made through the service's API.
 */
import { assert, assertEquals } from "@std/assert";
import { type RunningCaddy, startCaddy } from "../caddy/caddy.ts";
import { type RunningService, startService } from "../service.ts";

export const password = "mellow-otter-41-lantern";
export const newPassword = "amber-kettle-93-walnut";

/** A service with its page. */
export interface Site extends AsyncDisposable {
  /** Of the page, with a slash at the end. */
  readonly url: string;
  readonly rootCertificate: string;
  readonly service: RunningService;
  /** The token of `root`, the administrator, who is registered when first asked for. */
  admin(): Promise<string>;
  /** Registers somebody with the password of all. */
  addUser(login: string, ticket?: string): Promise<void>;
  /** The token of a new session. */
  logIn(login: string, userAgent?: string): Promise<string>;
  /** Sends a request with a token. @returns the JSON of the answer */
  ask(token: string, method: string, path: string, body?: unknown): Promise<Record<string, unknown>>;
}

/** Starts a service with these settings, behind Caddy. */
export async function startSite(settings: Readonly<Record<string, string>> = {}): Promise<Site> {
  await using cleanup = new AsyncDisposableStack();
  const service = cleanup.use(await startService({ env: settings }));
  const caddy = cleanup.use(await startCaddy({ upstream: new URL(service.url).host }));
  return siteAt("/", { caddy, service, owned: cleanup.move() });
}

/** The page at a path of what Caddy serves. Its end is that of `owned`. */
export function siteAt(
  path: "/" | "/auth/",
  { caddy, service, owned }: {
    readonly caddy: Pick<RunningCaddy, "url" | "rootCertificate">;
    readonly service: RunningService;
    readonly owned: AsyncDisposableStack;
  },
): Site {
  return {
    url: `${caddy.url}${path}`,
    rootCertificate: caddy.rootCertificate,
    ...accountsOf(service),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** What a site can do about accounts. */
export function accountsOf(
  service: RunningService,
): Omit<Site, "url" | "rootCertificate" | typeof Symbol.asyncDispose> {
  async function send(method: string, path: string, headers: Record<string, string>, body?: unknown) {
    const response = await fetch(`${service.url}${path}`, {
      method,
      headers: body === undefined ? headers : { ...headers, "content-type": "application/json" },
      ...body !== undefined && { body: JSON.stringify(body) },
    });
    const text = await response.text();
    assert(response.ok, `${method} ${path}: ${text}`);
    return text === "" ? {} : JSON.parse(text);
  }

  async function addUser(login: string, ticket?: string): Promise<void> {
    const user = await send("POST", "/user/", {}, { login, password, ticket });
    assertEquals(user.login, login);
  }

  async function logIn(login: string, userAgent = "curl/8.14.1"): Promise<string> {
    return (await send("POST", "/session/", { "user-agent": userAgent }, { login, password })).token;
  }

  const ask: Site["ask"] = (token, method, path, body) => {
    return send(method, path, { authorization: `Bearer ${token}` }, body);
  };

  const root: { token?: Promise<string> } = {};
  async function addAdmin(): Promise<string> {
    await addUser("root", await service.logged(/ticket to become the administrator: (\S+)/));
    return await logIn("root");
  }

  return { service, admin: () => root.token ??= addAdmin(), addUser, logIn, ask };
}
