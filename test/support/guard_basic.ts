/** The guard, asked by HTTP Basic. */
import { outcomeOf } from "./accounts.ts";
import { alice, type Reply, type SendOptions, type TestApp } from "./app.ts";
import { spyOnDerive } from "./passwords/derivations.ts";

/** Of alice and of every user that a test adds. */
export const { password } = alice;

/** `Authorization` of login and password. */
export function basicOf(login: string, secret = password): string {
  return `Basic ${new TextEncoder().encode(`${login}:${secret}`).toBase64()}`;
}

/** Asks as `curl -u` does. */
export function ask({ send }: TestApp, authorization: string, options: SendOptions = {}): Promise<Reply> {
  return send("GET", "/guard/", { ...options, headers: { authorization, ...options.headers } });
}

/** The outcome, whom the site is told of, and how many hashes it took: "200 alice, 1 hash". */
export async function told(opened: TestApp, authorization: string, options?: SendOptions): Promise<string> {
  using spy = spyOnDerive();
  const reply = await ask(opened, authorization, options);
  const user = reply.headers.get("remote-user");
  return `${outcomeOf(reply)}${user === null ? "" : ` ${user}`}, ${spy.costs.length} hash`;
}
