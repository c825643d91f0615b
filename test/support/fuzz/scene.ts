/**
 * What requests find when they come: users with their passwords, sessions and tickets, so that handlers are reached to
 * their ends; and what becomes of them by the replies.
 *
 * The scene knows only what a client can know. Whoever has no session when one is asked for logs in.
 */
import type { Reply } from "../app.ts";
import { fillIn, type Names, purposeAt, type SentRequest, ticketsNamed } from "./names.ts";
import type { FuzzRequest } from "./names.ts";
import { passwordMark } from "./request.ts";
import type { Account, AskOptions, FuzzTicket } from "./account.ts";
import { asRecord, decodeLogin, isAdminOf, toBasic } from "./account.ts";

/** Answers a request. */
export type Send = (request: SentRequest) => Promise<Reply>;

/** Whom a request is about. */
interface Persons {
  readonly admin: Account;
  /** Nobody at all, when it is about a login that is free. */
  readonly subject: Account | undefined;
}

export interface SceneOptions {
  readonly send: Send;
  /** Makes an administrator of that login, when nobody in the scene is one. @returns the password */
  readonly admit: (login: string) => Promise<string>;
  /** Of the logins that the scene makes up. */
  readonly prefix?: string;
}

const maxTokens = 4;
const endedToken = `01M81Q8RAFRWT8N2ZHDEH012P3.${"A".repeat(43)}`;

/** Users, sessions and tickets of one sequence of requests. */
export class Scene {
  readonly accounts = new Map<string, Account>();
  /** What no reply may show again: passwords, secrets of tokens, codes of tickets. */
  readonly secrets = new Set<string>();
  /** All that were made, good or not. */
  readonly madeTickets: FuzzTicket[] = [];
  /** Those that may be good. */
  readonly #tickets: FuzzTicket[] = [];
  /** Known devices, by login. */
  readonly #devices = new Map<string, string>();
  /** The id of the newest app password, by login. */
  readonly #credentials = new Map<string, string>();
  /** By path. */
  readonly #etags = new Map<string, string>();
  readonly #send: Send;
  readonly #admit: SceneOptions["admit"];
  readonly #prefix: string;
  /** Well-formed, and of no session. */
  #ended = endedToken;
  #askCount = 0;
  #adminCount = 0;

  constructor({ send, admit, prefix = "user" }: SceneOptions) {
    this.#send = send;
    this.#admit = admit;
    this.#prefix = prefix;
  }

  /** Sends the request, with what its names stand for. */
  async send(request: FuzzRequest): Promise<{ sent: SentRequest; reply: Reply }> {
    const admin = await this.#admin();
    const subject = Array.from(this.accounts.values())[request.subject % (this.accounts.size + 1)];
    if (subject !== undefined) await this.#logIn(subject);
    for (const purpose of ticketsNamed(request)) await this.#haveTicket(purpose, { admin, subject });
    await this.#guess(subject?.login ?? this.#freeLogin(), request);
    const sent = fillIn(request, this.#names(request, { admin, subject }));
    const reply = await this.#send(sent);
    this.#observe(sent, reply);
    return { sent, reply };
  }

  /** Sends what is no part of the sequence, and is noted all the same. */
  async ask(method: string, path: string, options: AskOptions = {}): Promise<Reply> {
    // From many addresses, so that what is counted by them does not stand in the way.
    const { json, token, client = `198.51.100.${this.#askCount++ % 256}` } = options;
    const headers = { "content-type": "application/json", ...token && { authorization: `Bearer ${token}` } };
    const body = json === undefined ? undefined : JSON.stringify(json);
    const sent = { method, path, headers, json, body, client, laterMs: 0 };
    const reply = await this.#send(sent);
    this.#observe(sent, reply);
    return reply;
  }

  async #admin(): Promise<Account> {
    const isFit = (account: Account) => account.isAdmin && !account.isDisabled;
    for (const account of Array.from(this.accounts.values()).filter(isFit)) {
      if (await this.#logIn(account)) return account;
    }
    const login = `${this.#prefix}root${this.#adminCount++}`;
    const password = await this.#admit(login);
    this.secrets.add(password);
    const account = { login, password, isAdmin: true, isDisabled: false, tokens: [] };
    this.accounts.set(login, account);
    await this.#logIn(account);
    return account;
  }

  /** Whether the account has a session then. */
  async #logIn({ login, password, tokens, isDisabled }: Account): Promise<boolean> {
    if (tokens.length > 0) return true;
    if (isDisabled) return false;
    return (await this.ask("POST", "/session/", { json: { login, password } })).status === 201;
  }

  async #guess(login: string, { client, guesses }: FuzzRequest): Promise<void> {
    for (let number = 0; number < guesses; number++) {
      await this.ask("POST", "/session/", { json: { login, password: `${passwordMark}${number}` }, client });
    }
  }

  /** The newest that is for the login or for any, else the newest for another. */
  #ticket(purpose: string, login: string): FuzzTicket | undefined {
    return this.#tickets.findLast((one) => one.purpose === purpose && ["", login].includes(one.login)) ??
      this.#tickets.findLast((one) => one.purpose === purpose);
  }

  async #haveTicket(purpose: string, { admin, subject }: Persons): Promise<void> {
    const { login } = subject ?? admin;
    if (this.#ticket(purpose, login) !== undefined) return;
    const json = { purpose, ...purpose === "reset" && { login } };
    await this.ask("POST", "/ticket/", { json, token: admin.tokens.at(-1) });
  }

  /** What each name stands for in a request. */
  #names({ path, subject: number }: FuzzRequest, { admin, subject }: Persons): Names {
    const free = this.#freeLogin();
    const { login, password, tokens } = subject ?? { login: free, password: "sésame, open the gate", tokens: [] };
    const token = tokens.at(-1) ?? this.#ended;
    const other = () => {
      const others = Array.from(this.accounts.values()).filter((account) => account !== subject);
      return others[number % others.length]?.tokens.at(-1);
    };
    const code = (purpose: string) => this.#ticket(purpose, login)?.code ?? "none";
    return {
      login: () => login,
      free: () => free,
      password: () => password,
      basic: () => toBasic(login, password),
      wrong: () => toBasic(login, `${password}!`),
      token: () => token,
      id: () => this.#id(path, login) ?? token.slice(0, 26),
      admin: () => admin.tokens.at(-1) ?? this.#ended,
      other: () => other() ?? this.#ended,
      ended: () => this.#ended,
      device: () => this.#devices.get(login) ?? "none",
      ticket: () => code(purposeAt(path)),
      register: () => code("register"),
      reset: () => code("reset"),
      etag: () => this.#etags.get(path.replaceAll("~login~", login)) ?? '"none"',
    };
  }

  #id(path: string, login: string): string | undefined {
    if (path.includes("/credential/")) return this.#credentials.get(login) ?? "none";
    return path.startsWith("/ticket/") ? this.#ticket("register", login)?.id ?? "none" : undefined;
  }

  /** A login that nobody has; the same until somebody has it. */
  #freeLogin(): string {
    for (let number = 1;; number++) {
      if (!this.accounts.has(`${this.#prefix}${number}`)) return `${this.#prefix}${number}`;
    }
  }

  #observe({ method, path: sentPath, headers, json }: SentRequest, reply: Reply): void {
    // Without a socket dots are resolved before the service sees them; with one, it knows no such path.
    const path = new URL(`http://gatehouse.test${sentPath}`).pathname;
    const etag = reply.headers.get("etag");
    if (etag !== null) this.#etags.set(path, etag);
    if (reply.status === 401) {
      this.#forget(/[^ =]{26}\.[^ ;]{43}/.exec(`${headers.authorization ?? headers.cookie}`)?.[0]);
    }
    const { ticket } = asRecord(json);
    const isUsed = reply.status < 300 || reply.json.type === "/problem/ticket-invalid";
    if (typeof ticket === "string" && isUsed) this.#useUp(ticket);
    if (method === "DELETE" && /^\/ticket\/./.test(path)) this.#useUp(path.slice("/ticket/".length));
    const login = /^\/user\/([^/]+)(\/password)?$/.exec(path)?.[1];
    if (login !== undefined) return this.#observeUser(decodeLogin(login), { method, json, reply });
    if (method !== "POST" || reply.status !== 201) return;
    if (path === "/user/") this.#addUser(reply, String(asRecord(json).password));
    if (/^\/session\//.test(path)) this.#addToken(reply);
    if (path.endsWith("/app-password/")) {
      this.secrets.add(String(reply.json.password));
      this.#credentials.set(decodeLogin(path.split("/")[2] ?? ""), String(reply.json.id));
    }
    if (/^\/ticket\//.test(path)) this.#addTicket(reply);
  }

  #observeUser(
    login: string,
    { method, json, reply }: { method: string; json: unknown; reply: Reply },
  ): void {
    const account = this.accounts.get(login);
    const { password } = asRecord(json);
    if (account === undefined) return;
    if (method === "DELETE" && reply.status === 204) this.accounts.delete(login);
    if (method === "PATCH" && reply.status === 200) {
      account.isAdmin = isAdminOf(reply.json);
      account.isDisabled = reply.json.disabled === true;
      if (account.isDisabled) account.tokens = [];
    }
    if (method === "PUT" && reply.status === 204) {
      account.password = String(password);
      this.secrets.add(account.password);
    }
  }

  #addUser({ json }: Reply, password: string): void {
    this.secrets.add(password);
    const login = String(json.login);
    this.accounts.set(login, { login, password, isAdmin: isAdminOf(json), isDisabled: false, tokens: [] });
  }

  #addToken({ json, headers }: Reply): void {
    const cookies = headers.get("set-cookie") ?? "";
    const cookie = /__Host-gatehouse=([^;]+)/.exec(cookies)?.[1];
    const device = /__Host-gatehouse-device=([^;]+)/.exec(cookies)?.[1];
    if (device !== undefined) this.#devices.set(String(json.login), device);
    const token = String(json.token ?? cookie);
    this.secrets.add(token.slice(27));
    const account = this.accounts.get(String(json.login));
    if (account !== undefined) account.tokens = [...account.tokens, token].slice(-maxTokens);
  }

  #addTicket({ json: { id, ticket, purpose, login = "" } }: Reply): void {
    this.secrets.add(String(ticket));
    const made = { id: String(id), code: String(ticket), purpose: String(purpose), login: String(login) };
    this.madeTickets.push(made);
    this.#tickets.push(made);
  }

  /** @param code of the ticket, or its id */
  #useUp(code: string): void {
    const index = this.#tickets.findIndex((ticket) => ticket.code === code || ticket.id === code);
    if (index !== -1) this.#tickets.splice(index, 1);
  }

  #forget(token: string | undefined): void {
    for (const account of this.accounts.values()) {
      if (token === undefined || !account.tokens.includes(token)) continue;
      this.#ended = token;
      account.tokens = account.tokens.filter((one) => one !== token);
    }
  }
}
