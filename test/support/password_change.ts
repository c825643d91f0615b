/** Changing the password of alice. */
import type { AdminApp } from "./accounts.ts";
import type { Reply, SendOptions } from "./app.ts";

/** Asks for a change of alice's password. */
export async function change({ send }: AdminApp, json: unknown, options: SendOptions = {}): Promise<Reply> {
  return await send("PUT", "/user/alice/password", { json, ...options });
}

/** Whether a login with this password succeeds. */
export async function isPassword({ send }: AdminApp, password: string): Promise<boolean> {
  return (await send("POST", "/session/", { json: { login: "alice", password } })).status === 201;
}
