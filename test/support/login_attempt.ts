/** A user in the store, and logging in. */
import { assert } from "@std/assert";
import type { Store, User } from "../../lib/store.ts";
import type { TestApp } from "./app.ts";
import { spyOnDerive } from "./passwords/derivations.ts";

/** A user of that login. */
export async function userOf(store: Store, login: string): Promise<User> {
  const user = await store.findUser(login);
  assert(user !== undefined);
  return user;
}

/** Tries to log in. @returns the reply without its id, and the iterations of each derivation */
export async function tryToLogIn({ send }: TestApp, json: unknown) {
  using spy = spyOnDerive();
  const { status, headers, text } = await send("POST", "/session/", { json });
  const requestId = headers.get("x-request-id") ?? "";
  headers.delete("x-request-id");
  return { status, headers: Array.from(headers), text: text.replaceAll(requestId, "ID"), costs: spy.costs };
}
