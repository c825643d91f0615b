/** Sets up factors over HTTP, and proves them, as a page and an authenticator app do. */

import { assertEquals } from "@std/assert";
import { Buffer } from "node:buffer";
import { totpCode } from "../../../lib/factors/totp.ts";
import { outcomeOf } from "../accounts.ts";
import type { Reply, SendOptions, TestApp } from "../app.ts";
import { Authenticator } from "./authenticator.ts";

/** A page on which passkeys work. */
export const page = { host: "gatehouse.test", origin: "https://gatehouse.test", "sec-fetch-site": "same-origin" };
const { origin } = page;

/** An authenticator app. */
export interface TotpApp {
  /** @param offset of the time step */
  code(offset?: number): string;
  readonly codes: readonly string[];
}

interface Owner {
  readonly login?: string;
  readonly token: string;
}

/** Begins to set up TOTP. */
export async function beginTotp(opened: TestApp, { login = "alice", token }: Owner) {
  const { json } = await sent(opened, "POST", `/user/${login}/totp/setup/`, { token });
  const secret = bytesOf(String(json.secret));
  const code = (offset = 0) => totpCode(secret, Math.floor(opened.clock.now / 30_000) + offset);
  return { setup_token: String(json.setup_token), code };
}

/** Sets up TOTP. The code of the current step is used up then. */
export async function setUpTotp(opened: TestApp, { login = "alice", token }: Owner): Promise<TotpApp> {
  const { setup_token, code } = await beginTotp(opened, { login, token });
  const json = { setup_token, code: code() };
  const reply = await sent(opened, "POST", `/user/${login}/totp/`, { token, json });
  return { code, codes: reply.json.recovery_codes as string[] ?? [] };
}

/** Registers a passkey. */
export async function setUpPasskey(opened: TestApp, { login = "alice", token }: Owner): Promise<Authenticator> {
  const authenticator = await Authenticator.create();
  const options = await sent(opened, "POST", `/user/${login}/passkey/options/`, { token, headers: page });
  // deno-lint-ignore no-explicit-any -- options come as JSON.
  const passkey = authenticator.register(options.json.publicKey as any, { origin });
  const json = { name: "key", passkey };
  await sent(opened, "POST", `/user/${login}/passkey/`, { token, json, headers: page });
  return authenticator;
}

/** Logs in with the password of `alice`. @returns the login token */
export async function beginLogin({ send }: TestApp, json: { login: string; password: string }): Promise<string> {
  const reply = await send("POST", "/session/", { json });
  assertEquals(outcomeOf(reply), "202");
  return String(reply.json.login_token);
}

/** Has an authenticator answer the options. @returns the assertion, and the header fields of the browser */
export async function assertion(opened: TestApp, authenticator: Authenticator) {
  const reply = await sent(opened, "POST", "/session/passkey/options/", { headers: page });
  // deno-lint-ignore no-explicit-any -- options come as JSON.
  const passkey = await authenticator.authenticate(reply.json.publicKey as any, { origin });
  const cookie = /^[^;]+/.exec(reply.headers.get("set-cookie") ?? "")?.[0] ?? "";
  return { passkey, headers: { ...page, cookie } };
}

async function sent({ send }: TestApp, method: string, path: string, options: SendOptions): Promise<Reply> {
  const reply = await send(method, path, options);
  if (reply.status >= 300) throw new Error(`Cannot ${method} ${path}: ${reply.text}`);
  return reply;
}

/** Reads Base32. */
function bytesOf(text: string): Buffer {
  const bits = Array.from(text, (letter) => {
    return "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(letter).toString(2).padStart(5, "0");
  });
  return Buffer.from((bits.join("").match(/.{8}/g) ?? []).map((byte) => parseInt(byte, 2)));
}
