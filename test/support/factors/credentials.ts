/** Users with second factors, without a ceremony: what the store keeps after one. */
import { assertEquals } from "@std/assert";
import type { Factor } from "../../../lib/store.ts";
import { keptUser, sessionIdOf } from "../accounts.ts";
import type { SendOptions, TestApp } from "../app.ts";
import { credentialOf } from "../store/records.ts";

/** Gives a user TOTP, of which the sessions that it has know nothing. */
export async function addTotp(opened: TestApp, login: string): Promise<void> {
  const user = await keptUser(opened, login);
  const credential = credentialOf(login, user.id, { kind: "totp", secret: "JBSWY3DPEHPK3PXP" });
  assertEquals(await opened.app.store.insertCredentials(user, [credential]), "done");
}

/** Adds a factor to a session. */
export async function prove(opened: TestApp, token: string, login: string, factor: Factor): Promise<void> {
  const proof = { factors: [factor], authenticatedAt: opened.clock.now };
  const user = await keptUser(opened, login);
  assertEquals(await opened.app.store.updateSession(sessionIdOf(token), user, proof), true);
}

/** Makes an app password. @returns it, and its id */
export async function makeAppPassword({ send }: TestApp, login: string, options: SendOptions) {
  const { status, json, text } = await send("POST", `/user/${login}/app-password/`, {
    ...options,
    json: { name: "git", ...options.json as object },
  });
  if (status !== 201) throw new Error(`Cannot make an app password of "${login}": ${text}`);
  return { id: String(json.id), password: String(json.password) };
}
