/** An app behind a guard, asked as a proxy asks it, by who is logged in or not. */
import { type AdminApp, openAdminApp, outcomeOf } from "../accounts.ts";
import { alice, type Reply, type TestAppOptions } from "../app.ts";

export type Headers = Readonly<Record<string, string>>;

/** An app in which `alice` and `bob` are logged in. */
export interface Scene extends AdminApp {
  readonly ofAlice: string;
  readonly ofBob: string;
}

export async function openScene(options?: TestAppOptions): Promise<Scene> {
  const opened = await openAdminApp(options);
  return { ...opened, ofAlice: await opened.addUser("alice"), ofBob: await opened.addUser("bob") };
}

export const byCookie = (token: string): Headers => ({ cookie: `theme=dark; __Host-gatehouse=${token}` });
export const byBearer = (token: string): Headers => ({ authorization: `Bearer ${token}` });
export const byBasic = (login: string, password = alice.password): Headers => {
  return { authorization: `Basic ${new TextEncoder().encode(`${login}:${password}`).toBase64()}` };
};

export function ask({ send }: AdminApp, headers: Headers, demands = ""): Promise<Reply> {
  return send("GET", `/guard/${demands}`, { headers });
}

/** The outcome, and whom the site is told of: "200 alice", "401 not-authenticated". */
export function told(reply: Reply): string {
  const user = reply.headers.get("remote-user");
  return user === null ? outcomeOf(reply) : `${outcomeOf(reply)} ${user}`;
}

/** A token of the form of one, of no session. */
export const dead = "01KAN6Z3H3AAAAAAAAAAAAAAAA." + "a".repeat(43);
