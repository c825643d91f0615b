/** The names that stand in a request for what only a running service has, and how their meaning is put in. */

/** A request in which names stand for what a scene has. */
export interface FuzzRequest {
  /** Which of the scene's users the names are about, counted round. */
  readonly subject: number;
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly json?: unknown;
  /** Sent as it is. */
  readonly body?: string | Uint8Array<ArrayBuffer>;
  /** The address that it comes from. */
  readonly client: string;
  /** By so much the clock goes on before it. */
  readonly laterMs: number;
  /** So many wrong passwords are tried before it, from the same address. */
  readonly guesses: number;
}

/** A request in which every name is put in. */
export interface SentRequest extends Pick<FuzzRequest, "method" | "path" | "headers" | "client" | "laterMs"> {
  /** As it is sent; GET and HEAD may have one too. */
  readonly body: string | Uint8Array<ArrayBuffer> | undefined;
  /** What the body says, when it is JSON. */
  readonly json: unknown;
}

/** What each name stands for. */
export type Names = Readonly<Record<string, () => string>>;

/** The request with what its names stand for, as a path, a header or JSON has it. */
export function fillIn({ body, json, ...request }: FuzzRequest, names: Names): SentRequest {
  const fill = (text: string, spell = (value: string) => value) =>
    text.replace(/~([a-z]+)~/g, (mark, name) => {
      const value = Object.hasOwn(names, name) ? names[name] : undefined;
      return value === undefined ? mark : spell(value());
    });
  const spelt = (value: string) => JSON.stringify(value).slice(1, -1);
  const text = json === undefined ? body : JSON.stringify(json);
  const filled = typeof text === "string" ? fill(text, spelt) : text;
  const type: Record<string, string> = filled === undefined ? {} : { "content-type": "application/json" };
  const headers = Object.entries(request.headers).map(([name, value]) => [name.toLowerCase(), fill(value)]);
  return {
    ...request,
    path: fill(request.path, encodeURIComponent),
    headers: { ...type, ...Object.fromEntries(headers) },
    body: filled,
    json: typeof filled === "string" ? parsed(filled) : undefined,
  };
}

/** What a ticket is good for where a request goes. */
export function purposeAt(path: string): string {
  return path.includes("/password") ? "reset" : "register";
}

/** The purposes of the tickets that a request is to carry. */
export function ticketsNamed({ path, json, body }: FuzzRequest): Set<string> {
  const text = typeof body === "string" ? body : JSON.stringify(json) ?? "";
  const names = text.matchAll(/~(ticket|register|reset)~/g).map(([, name = ""]) => name);
  const purposes = new Set(names.map((name) => name === "ticket" ? purposeAt(path) : name));
  return path.startsWith("/ticket/~") ? purposes.add("register") : purposes;
}

function parsed(text: string): unknown {
  try {
    // RFC 8259, 8.1: a byte order mark may be ignored, and is.
    return JSON.parse(text.replace(/^\ufeff/, ""));
  } catch {
    return undefined;
  }
}
