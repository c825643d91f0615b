/**
 * Accounts for tests: an app with an administrator, more users where they are wanted, and replies as one short text.
 */
import { assert, assertEquals } from "@std/assert";
import type { User } from "../../lib/store.ts";
import { createTicket } from "../../lib/accounts/ticket.ts";
import { alice, openTestApp, type Reply, type TestApp, type TestAppOptions } from "./app.ts";

/** Another password that is good. */
export const newPassword = "nine yellow emus dance";

/** An app that `root` administers. */
export interface AdminApp extends TestApp {
  /** The token of `root`. */
  readonly admin: string;
  /** Registers a user with the password of `alice`. @returns the token of a session */
  addUser(login: string): Promise<string>;
  /** Has `root` make a ticket. @returns its code */
  makeTicket(purpose: "register" | "reset", login?: string): Promise<string>;
}

/** Opens an app of which `root` has become the administrator by the setup ticket, in whatever mode of registration. */
export async function openAdminApp(options?: TestAppOptions): Promise<AdminApp> {
  const opened = await openTestApp(options);
  const { app, send, logIn } = opened;
  const ticket = await insertSetupTicket(opened);
  assertEquals(outcomeOf(await send("POST", "/user/", { json: { ...alice, login: "root", ticket } })), "201");
  const admin = await logIn({ ...alice, login: "root" });

  async function makeTicket(purpose: "register" | "reset", login?: string): Promise<string> {
    const reply = await send("POST", "/ticket/", { token: admin, json: { purpose, login } });
    assertEquals(outcomeOf(reply), "201");
    return String(reply.json.ticket);
  }

  async function addUser(login: string): Promise<string> {
    const proof = app.config.registration === "ticket" ? { ticket: await makeTicket("register") } : {};
    const json = { ...alice, login, ...proof };
    assertEquals(outcomeOf(await send("POST", "/user/", { json })), "201");
    return await logIn({ ...alice, login });
  }

  return { ...opened, admin, addUser, makeTicket };
}

/** An app with an admin, and with `alice`, who is logged in. */
export async function openWithAlice(options?: TestAppOptions): Promise<AdminApp & { token: string }> {
  const opened = await openAdminApp(options);
  return { ...opened, token: await opened.addUser("alice") };
}

/** Adds what a start without an administrator prints. @returns the code */
export async function insertSetupTicket({ app }: TestApp): Promise<string> {
  const { ticketMs: ttlMs } = app.config;
  const { ticket, code } = createTicket("setup", { login: "", maker: "", now: app.now(), ttlMs });
  await app.store.insertTicket(ticket);
  return code;
}

/** Of a reply the status, the problem, and pointer and code of each bad field: "422 invalid-user /login missing". */
export function outcomeOf({ status, json }: Reply): string {
  const problem = typeof json.type === "string" ? [json.type.replace("/problem/", "")] : [];
  const errors = Array.isArray(json.errors) ? json.errors : [];
  return [status, ...problem, ...errors.map(({ pointer, code }) => `${pointer} ${code}`)].join(" ");
}

/** How often each outcome came. */
export function countOutcomes(replies: readonly Reply[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const reply of replies) {
    const outcome = outcomeOf(reply);
    counts[outcome] = (counts[outcome] ?? 0) + 1;
  }
  return counts;
}

/** A user who must be there, as kept. */
export async function keptUser({ app }: TestApp, login: string): Promise<User> {
  const user = await app.store.findUser(login);
  assert(user !== undefined);
  return user;
}

/** Whether a token is that of a live session. */
export async function isLive({ send }: TestApp, token: string): Promise<boolean> {
  return (await send("GET", "/session/", { token })).status === 200;
}

/** The id of a token's session. */
export function sessionIdOf(token: string): string {
  return token.slice(0, token.indexOf("."));
}

/** The events of the audit among the lines of a log, without what differs from run to run. */
export function auditOf(lines: readonly string[]): Record<string, unknown>[] {
  const records = lines.map((line) => JSON.parse(line)).filter(({ audit }) => audit);
  return records.map(({ time: _time, level: _level, audit: _audit, ...rest }) => rest);
}
