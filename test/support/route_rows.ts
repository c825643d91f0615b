/** A request to every route, and what each kind of caller gets. */

import { type AdminApp, newPassword } from "./accounts.ts";
import { alice, type SendOptions } from "./app.ts";
import { Authenticator } from "./factors/authenticator.ts";
import { assertion, beginLogin, beginTotp, page, setUpPasskey, setUpTotp } from "./factors/set_up.ts";

/** What a row's request is made of: an app in which `alice` is the user of the paths, and her token. */
export interface Scene extends AdminApp {
  readonly token: string;
}

/** The statuses, in the order of the callers. */
export type Statuses = readonly [
  nobody: number,
  user: number,
  other: number,
  admin: number,
  disabled: number,
  ended: number,
];

const everybody: Statuses = [200, 200, 200, 200, 200, 200];
const self: Statuses = [401, 200, 403, 200, 401, 401];
const changeOfSelf: Statuses = [401, 204, 403, 204, 401, 401];
const madeBySelf: Statuses = [401, 201, 403, 403, 401, 401];
const adminOnly: Statuses = [401, 403, 403, 200, 401, 401];

const carol = { ...alice, login: "carol" };
const change = { current_password: alice.password, password: newPassword };

/** With the id in the path, when it is not that of alice's session. */
type RowOptions = SendOptions & { readonly id?: string };

export interface Row {
  readonly route: string;
  readonly statuses: Statuses;
  /** What the request carries beside the caller's token. */
  readonly options?: (scene: Scene) => Promise<RowOptions> | RowOptions;
}

export const rows: readonly Row[] = [
  { route: "POST /user/", options: () => ({ json: carol }), statuses: [201, 201, 201, 201, 201, 201] },
  { route: "GET /user/", statuses: adminOnly },
  { route: "GET /user/:login", statuses: self },
  { route: "PATCH /user/:login", options: () => ({ json: { groups: ["staff"] } }), statuses: adminOnly },
  { route: "DELETE /user/:login", statuses: changeOfSelf },
  { route: "PUT /user/:login/password", options: () => ({ json: change }), statuses: [401, 204, 403, 403, 401, 401] },
  {
    route: "PUT /user/:login/password",
    options: async (scene) => ({ json: { ticket: await scene.makeTicket("reset", "alice"), password: newPassword } }),
    // Whoever has the ticket; that the account is disabled stays so.
    statuses: [204, 204, 204, 204, 204, 204],
  },
  { route: "GET /user/:login/session/", statuses: self },
  { route: "DELETE /user/:login/session/", statuses: changeOfSelf },
  // When she is disabled her session is gone, which nobody is told who may not see it.
  { route: "DELETE /user/:login/session/:id", statuses: changeOfSelf },
  { route: "GET /user/:login/credential/", statuses: self },
  {
    route: "PATCH /user/:login/credential/:id",
    options: async (scene) => ({ ...await appPasswordOf(scene), json: { name: "phone" } }),
    statuses: [401, 200, 403, 403, 401, 401],
  },
  { route: "DELETE /user/:login/credential/:id", options: appPasswordOf, statuses: changeOfSelf },
  { route: "DELETE /user/:login/credential/", statuses: changeOfSelf },
  { route: "POST /user/:login/app-password/", options: () => ({ json: { name: "git" } }), statuses: madeBySelf },
  { route: "POST /user/:login/recovery-code/", statuses: madeBySelf },
  { route: "POST /user/:login/totp/setup/", statuses: [401, 200, 403, 403, 401, 401] },
  {
    route: "POST /user/:login/totp/",
    options: async (scene) => {
      const { setup_token, code } = await beginTotp(scene, scene);
      return { json: { setup_token, code: code() } };
    },
    statuses: madeBySelf,
  },
  {
    route: "POST /user/:login/passkey/options/",
    options: () => ({ headers: page }),
    statuses: [401, 200, 403, 403, 401, 401],
  },
  {
    route: "POST /user/:login/passkey/",
    options: async ({ send, token }) => {
      const { json } = await send("POST", "/user/alice/passkey/options/", { token, headers: page });
      // deno-lint-ignore no-explicit-any -- options come as JSON.
      const passkey = (await Authenticator.create()).register(json.publicKey as any, page);
      return { json: { name: "key", passkey }, headers: page };
    },
    statuses: madeBySelf,
  },
  {
    route: "POST /session/second-factor/",
    options: async (scene) => {
      const { codes: [recovery_code] } = await setUpTotp(scene, scene);
      return { json: { login_token: await beginLogin(scene, alice), recovery_code } };
    },
    statuses: [201, 201, 201, 201, 403, 201],
  },
  {
    route: "POST /session/passkey/options/",
    options: () => ({ headers: page }),
    statuses: everybody,
  },
  {
    route: "POST /session/passkey/",
    options: async (scene) => {
      const authenticator = await setUpPasskey(scene, scene);
      // A passkey answers only challenges that are later than the one it used last.
      scene.clock.now++;
      const { passkey, headers } = await assertion(scene, authenticator);
      return { json: { passkey }, headers };
    },
    statuses: [201, 201, 201, 201, 403, 201],
  },
  {
    route: "POST /session/authentication/",
    options: () => ({ json: { password: alice.password } }),
    statuses: [401, 200, 200, 200, 401, 401],
  },
  { route: "POST /session/", options: () => ({ json: alice }), statuses: [201, 201, 201, 201, 401, 201] },
  { route: "GET /session/", statuses: [401, 200, 200, 200, 401, 401] },
  { route: "DELETE /session/", statuses: [401, 204, 204, 204, 401, 401] },
  {
    route: "POST /ticket/",
    options: () => ({ json: { purpose: "register" } }),
    statuses: [401, 403, 403, 201, 401, 401],
  },
  { route: "GET /ticket/", statuses: adminOnly },
  {
    route: "DELETE /ticket/:id",
    options: async ({ send, admin }) => {
      const { json } = await send("POST", "/ticket/", { token: admin, json: { purpose: "register" } });
      return { id: String(json.id) };
    },
    statuses: [401, 403, 403, 204, 401, 401],
  },
  { route: "GET /health/live", statuses: everybody },
  { route: "GET /health/ready", statuses: everybody },
  { route: "GET /problem/:code", statuses: everybody },
  { route: "GET /openapi.json", statuses: everybody },
  { route: "GET /docs/", statuses: everybody },
  { route: "GET /setting/", statuses: adminOnly },
  { route: "GET /status/", statuses: adminOnly },
  { route: "GET /metrics", statuses: everybody },
  { route: "GET /guard/:demands*", statuses: [401, 200, 200, 200, 401, 401] },
  { route: "GET /", statuses: everybody },
  { route: "GET /page/:file", statuses: everybody },
  { route: "GET /exit-worker.js", statuses: everybody },
  // Without a home there is no such login.
  { route: "GET /site-session/", statuses: [404, 404, 404, 404, 404, 404] },
];

/** Makes an app password of alice. */
async function appPasswordOf({ send, token }: Scene): Promise<RowOptions> {
  const { json } = await send("POST", "/user/alice/app-password/", { token, json: { name: "git" } });
  return { id: String(json.id) };
}
