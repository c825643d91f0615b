/**
 * The service without a process: an app in memory, with a cheap hash, a log that is kept and a clock that stands still,
 * and requests to it without a socket.
 */
import { type App, openApp } from "../../lib/app.ts";
import { readConfig } from "../../lib/config/config.ts";
import { type LimitStore, MemoryLimitStore } from "../../lib/limits/rate_limiter.ts";
import { createPasswordStrength } from "../../lib/accounts/user.ts";
import { createLog } from "../../lib/log.ts";
import { createRouter } from "../../lib/router.ts";
import { TableStore } from "../../lib/store/memory/table_store.ts";
import { routes } from "../../routes/mod.ts";
import { contractOf } from "./contract.ts";

/** When the clock of a new app stands, in milliseconds since the epoch. */
export const openedAt = Date.parse("2026-11-23T09:35:39.123Z");

/** For all apps: making one takes longer than all the rest of an app. */
const passwordStrength = createPasswordStrength();

/** Good credentials. */
export const alice = { login: "alice", password: "seven purple wombats sing" };

/** What is to be different from the defaults. */
export interface TestAppOptions extends Partial<Pick<App, "store" | "hasher" | "stopping" | "logo">> {
  readonly settings?: Readonly<Record<string, string>>;
  /** By default in memory. */
  readonly limitStore?: LimitStore;
}

/** What a request has beside method and path. */
export interface SendOptions {
  /** Sent as JSON. */
  readonly json?: unknown;
  /** Sent as it is. */
  readonly body?: BodyInit;
  /** Sent as `Authorization: Bearer`. */
  readonly token?: string;
  /** They win over those that the other options make. */
  readonly headers?: Readonly<Record<string, string>>;
  /** The address that it comes from. */
  readonly client?: string;
  /** Aborted when the client hangs up. */
  readonly signal?: AbortSignal;
}

/** A reply, read to its end; of a stream of events, which has none, to the end of the first. */
export interface Reply {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The members of the JSON object in the body; none when the body is none. */
  readonly json: Readonly<Record<string, unknown>>;
}

/** An app to send requests to. */
export interface TestApp {
  readonly app: App;
  /** All it has logged, a line each. */
  readonly lines: readonly string[];
  /** Milliseconds since the epoch; to be set. */
  readonly clock: { now: number };
  /** Answers one request, and checks the reply against the document of the service. */
  send(method: string, path: string, options?: SendOptions): Promise<Reply>;
  /** Logs in, with good credentials. @returns the token */
  logIn(credentials?: { login: string; password: string }): Promise<string>;
}

/** Opens an app with a store in memory, 100 iterations and no limit of registrations. */
export async function openTestApp(
  { settings, store = new TableStore(), limitStore = new MemoryLimitStore(), ...parts }: TestAppOptions = {},
): Promise<TestApp> {
  const config = readConfig({
    GATEHOUSE_PBKDF2_ITERATIONS: "100",
    GATEHOUSE_REGISTRATIONS_PER_HOUR: "0",
    ...settings,
  });
  const lines: string[] = [];
  const clock = { now: openedAt };
  const options = {
    store,
    limitStore,
    log: createLog((line) => lines.push(line)),
    now: () => clock.now,
    passwordStrength,
  };
  const app = { ...await openApp(config, options), ...parts };
  const router = createRouter(routes, app);
  const checkContract = contractOf(config);

  async function send(method: string, path: string, options: SendOptions = {}): Promise<Reply> {
    const { client = "127.0.0.1" } = options;
    const remoteAddr = { transport: "tcp", hostname: client, port: 50_000 } as const;
    const request = toRequest(method, path, options);
    // As the request has them: methods in capitals, dots in the path resolved.
    const sent = { method: request.method, path: new URL(request.url).pathname, json: options.json };
    const reply = await readReply(await router(request, { remoteAddr }));
    checkContract(sent, reply);
    return reply;
  }

  async function logIn(credentials = alice): Promise<string> {
    const { status, json, text } = await send("POST", "/session/", { json: credentials });
    if (status !== 201) throw new Error(`Cannot log in as "${credentials.login}": ${text}`);
    return String(json.token);
  }

  return { app, lines, clock, send, logIn };
}

/** Opens an app in which `alice` is registered and logged in. */
export async function openAppOfAlice(options?: TestAppOptions): Promise<TestApp & { token: string }> {
  const opened = await openTestApp(options);
  const { status, text } = await opened.send("POST", "/user/", { json: alice });
  if (status !== 201) throw new Error(`Cannot register "${alice.login}": ${text}`);
  return { ...opened, token: await opened.logIn() };
}

function toRequest(method: string, path: string, options: SendOptions): Request {
  const { json, body = json === undefined ? null : JSON.stringify(json), token, signal = null } = options;
  const headers = new Headers();
  if (body !== null) headers.set("content-type", "application/json");
  if (token !== undefined) headers.set("authorization", `Bearer ${token}`);
  for (const [name, value] of Object.entries(options.headers ?? {})) headers.set(name, value);
  return new Request(`http://gatehouse.test${path}`, { method, headers, body, signal });
}

async function readReply(response: Response): Promise<Reply> {
  const { status, headers } = response;
  const type = headers.get("content-type") ?? "";
  const text = await response.text();
  const isJson = /^application\/(problem\+)?json$/.test(type);
  return { status, headers, text, json: isJson && text !== "" ? JSON.parse(text) : {} };
}
