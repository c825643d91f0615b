/** What a hostile script of a guarded site tries. It runs in the page, so it uses nothing from outside. */

/** What the script could read, as text. */
export interface Loot {
  readonly cookie: string;
  /** Of foreign addresses. */
  readonly responses: readonly string[];
  /** Of the service on its own host. */
  readonly ownResponses: readonly string[];
  /** Frames and windows. */
  readonly documents: readonly string[];
  /** All addresses that the browser tells it of. */
  readonly addresses: readonly string[];
}

/** Where to try it. */
export interface Targets {
  /** Addresses of other hosts. */
  readonly foreign: readonly string[];
  /** The first of them that are loaded in frames and windows as well. */
  readonly windowCount: number;
  /** Of the service on its own host. */
  readonly own: readonly string[];
  readonly login: string;
  readonly password: string;
}

/** Takes what it can get. */
export async function plunder({ foreign, windowCount, own, login, password }: Targets): Promise<Loot> {
  // deno-lint-ignore no-explicit-any -- of the browser
  const { document, open, performance, navigation } = globalThis as any;
  const body = JSON.stringify({ login, password, cookie: true });
  const addresses: string[] = [document.referrer];

  async function read(url: string, init: RequestInit = {}): Promise<string> {
    try {
      const response = await fetch(url, { credentials: "include", ...init });
      const text = await response.text();
      if (response.type.startsWith("opaque")) return text === "" ? "unreadable" : text;
      addresses.push(response.url);
      return `${response.status} ${response.headers.get("location") ?? ""}${/"type":"([^"]*)/.exec(text)?.[1] ?? text}`;
    } catch {
      return "unreadable";
    }
  }

  // deno-lint-ignore no-explicit-any -- of the browser
  function readDocument(find: () => any): string {
    try {
      const found = find();
      return found === null || found === undefined ? "unreadable" : found.documentElement.outerHTML;
    } catch {
      return "unreadable";
    }
  }

  const json = { "content-type": "application/json" };
  const inits: RequestInit[] = [
    {},
    { mode: "no-cors" },
    { redirect: "manual" },
    { method: "POST", body, headers: json },
    { method: "POST", body, mode: "no-cors" },
    { method: "DELETE" },
  ];
  const responses: string[] = [];
  for (const url of foreign) responses.push(...await Promise.all(inits.map((init) => read(url, init))));
  const ownResponses: string[] = [];
  for (const url of own) ownResponses.push(await read(url), await read(url, { method: "POST", body, headers: json }));
  ownResponses.push(await read("/auth/?next=/x"), await read("/auth/?next=/x", { redirect: "manual" }));

  const shown = foreign.slice(0, windowCount);
  const frames = [...shown, "/auth/", "/auth/?next=/x"].map((url) => {
    const frame = document.createElement("iframe");
    frame.src = url;
    document.body.append(frame);
    return frame;
  });
  const windows = shown.map((url) => open(url));
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  const documents = [
    ...frames.map((frame) => readDocument(() => frame.contentDocument)),
    ...windows.map((window) => readDocument(() => window.closed ? undefined : window.document)),
  ];
  addresses.push(...performance.getEntries().map(({ name }: { name: string }) => name));
  addresses.push(...navigation.entries().map(({ url }: { url: string }) => url));
  return { cookie: document.cookie, responses, ownResponses, documents, addresses };
}
