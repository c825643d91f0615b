/** A home with two guarded sites, without proxies: a browser that keeps cookies by host and follows redirects. */
import { assert } from "@std/assert";
import { type AdminApp, openWithAlice } from "./accounts.ts";
import { alice, type Reply, type TestAppOptions } from "./app.ts";

export const home = "https://login.example.org";
export const wiki = "https://wiki.example.org";
export const files = "https://files.example.net";

export const homeSettings = { GATEHOUSE_HOME: home, GATEHOUSE_SITES: `${wiki},${files}` };

/** Longer chains of redirects are circles. */
const maxRedirects = 12;

export interface HomeScene extends AdminApp {
  /** The token of alice's session that no browser has. */
  readonly token: string;
}

/** Opens an app of a home with the sites `wiki` and `files`, an administrator and `alice`. */
export async function openHome({ settings, ...options }: TestAppOptions = {}): Promise<HomeScene> {
  return await openWithAlice({ ...options, settings: { ...homeSettings, ...settings } });
}

/** What a browser has loaded in the end. */
export interface Loaded extends Reply {
  /** The address, without its fragment. */
  readonly url: string;
  /** The addresses of the redirects that led there. */
  readonly passed: readonly string[];
}

/** A browser, as far as redirects and cookies go. Proxies before the app guard everything but `/auth/`. */
export class Browser {
  readonly cookies = new Map<string, Map<string, string>>();
  readonly #app: Pick<AdminApp, "send">;

  constructor(app: Pick<AdminApp, "send">) {
    this.#app = app;
  }

  /** Requests an address once. Of a guarded site it is what the guard says, and 200 is the page. */
  async request(url: string, headers: Readonly<Record<string, string>> = {}, method = "GET"): Promise<Reply> {
    const { host, pathname, search, origin } = new URL(url);
    const jar = this.cookies.get(host) ?? new Map<string, string>();
    this.cookies.set(host, jar);
    const cookie = Array.from(jar, ([name, value]) => `${name}=${value}`).join("; ");
    const isOfService = origin === home || pathname.startsWith("/auth/");
    const target = origin === home ? pathname + search : isOfService ? pathname.slice(5) + search : "/guard/users";
    const reply = await this.#app.send(method, target, {
      headers: {
        "x-forwarded-host": host,
        "sec-fetch-mode": "navigate",
        "sec-fetch-dest": "document",
        "sec-fetch-site": "same-origin",
        ...cookie !== "" && { cookie },
        ...!isOfService && { "x-forwarded-uri": pathname + search, "x-forwarded-method": method },
        ...headers,
      },
    });
    for (const line of reply.headers.getSetCookie()) {
      const [, name = "", value = "", age] = /^([^=]+)=([^;]*); Max-Age=(\d+);/.exec(line) ?? [];
      if (age === "0") jar.delete(name);
      else jar.set(name, value);
    }
    return reply;
  }

  /** Loads an address, through all redirects. */
  async load(url: string): Promise<Loaded> {
    const passed: string[] = [];
    for (let address = url; passed.length <= maxRedirects;) {
      const reply = await this.request(address);
      const location = reply.headers.get("location");
      if (location === null) return { ...reply, url: address, passed };
      passed.push(address);
      address = new URL(location, address).href;
    }
    throw new Error(`Too many redirects: ${passed.join("\n")}`);
  }

  /** Logs in at the home, as its page does. */
  async logIn(credentials: { readonly login: string; readonly password: string } = alice): Promise<void> {
    const jar = this.cookies.get(new URL(home).host) ?? new Map<string, string>();
    this.cookies.set(new URL(home).host, jar);
    const cookie = Array.from(jar, ([name, value]) => `${name}=${value}`).join("; ");
    const headers = { "x-forwarded-host": new URL(home).host, "sec-fetch-site": "same-origin", cookie };
    const reply = await this.#app.send("POST", "/session/", { json: { ...credentials, cookie: true }, headers });
    assert(reply.status === 201, reply.text);
    const [, token = ""] = /^__Host-gatehouse=([^;]+)/.exec(reply.headers.getSetCookie().join("\n")) ?? [];
    jar.set("__Host-gatehouse", token);
  }
}
