/**
 * `/user/`: registering, and looking at oneself.
 *
 * Nobody learns from here who else is registered, but by trying to register the same login, which must be refused.
 */

import { eTag, ifNoneMatch } from "@std/http/etag";
import { ulid } from "@std/ulid";
import type { Context } from "../lib/app.ts";
import { clientKey } from "../lib/client.ts";
import { HttpError, jsonReply, readJson } from "../lib/http.ts";
import type { Credentials } from "../lib/user.ts";
import { canonicalLogin, parseRegistration, publicUser } from "../lib/user.ts";
import { requireSession } from "./session.ts";

/** `POST /user/`: registers a user. */
export async function register(request: Request, context: Context): Promise<Response> {
  const { config, guesser, registrationLock, stopping } = context.app;
  if (config.registration === "closed") throw new HttpError("registration-closed");
  const rules = { minLength: config.passwordMinLength, guesser };
  const credentials = parseRegistration(await readJson(request, { stopping }), rules);
  return await registrationLock.run(credentials.login, () => insert(credentials, context));
}

/** `GET /user/:login`: who I am. */
export async function showUser(request: Request, context: Context): Promise<Response> {
  const session = await requireSession(request, context);
  const login = canonicalLogin(context.params["login"] ?? "");
  const user = login === session.login ? await context.app.store.findUser(login) : undefined;
  if (user === undefined) throw new HttpError("forbidden");
  const reply = publicUser(user);
  const etag = await eTag(JSON.stringify(reply)) ?? "";
  const headers = { etag, "cache-control": "private, no-cache" };
  if (!ifNoneMatch(request.headers.get("if-none-match"), etag)) {
    return new Response(null, { status: 304, headers });
  }
  return jsonReply(reply, { headers });
}

/** Hashes and stores, unless the login is taken: which is looked for first, as a hash is a hundred times the work. */
async function insert(credentials: Credentials, context: Context): Promise<Response> {
  const { app, client } = context;
  const { login, password } = credentials;
  if (await app.store.findUser(login) !== undefined) throw new HttpError("login-taken");
  const waitSeconds = app.registrationQuota.take(clientKey(client));
  if (waitSeconds > 0) {
    throw new HttpError("too-many-registrations", { headers: { "retry-after": String(waitSeconds) } });
  }
  const passwordHash = await app.hasher.hash(password, clientKey(client));
  const registeredAt = app.now();
  const user = { id: ulid(registeredAt), login, passwordHash, registeredAt, groups: [], disabled: false };
  if (!await app.store.insertUser(user)) throw new HttpError("login-taken");
  return jsonReply(publicUser(user), {
    status: 201,
    headers: { location: `/user/${encodeURIComponent(login)}` },
  });
}
