/**
 * The task `doctor`: tries a guarded site from outside, as an attacker would, and prints what to change in the
 * configuration of its proxy.
 *
 * It changes nothing at the site except for a temporary user, which it always deletes. Exit status: 0 when no check
 * fails, 1 when one does, and 2 when a check could not be tried for another reason than a page without headers.
 */

import {
  pathFromCaller,
  printError,
  printLine,
  runTask,
  stopSignal,
  type TaskCall,
  TaskError,
} from "../lib/tasks/task.ts";
import { Account, askGatehouse, type Credentials, findHome, type Place } from "./doctor_account.ts";
import { type Failure, type Visitor, visitorChecks } from "./doctor_checks.ts";
import { SiteClient, SiteError } from "./doctor_client.ts";
import { type FixName, fixText, proxies, type ProxyName, proxyOf } from "./doctor_fixes.ts";
import { type Member, memberChecks, observe, pageShowsNothing } from "./doctor_member_checks.ts";
import { caddyRoots } from "./site.ts";

const needsFactor = "requires a second factor, which the doctor does not have: use --path, or run it before you set " +
  "GATEHOUSE_SECOND_FACTOR=all";

/** What each check ensures, and the lines of the proxy's configuration that do so. */
export const checks: Readonly<Record<string, readonly [holds: string, ...fixes: FixName[]]>> = {
  "no-session": ["without a session browsers are redirected to the login page, and programs get 401", "askGuard"],
  page: ["the login page is at /auth/ or the home, and /auth redirects to it", "loginPage"],
  methods: ["no method passes without a session", "askGuard"],
  paths: ["no path that resembles /auth/ passes without a session", "askGuard"],
  forged: ["forged Remote-* headers and a made-up session are refused", "askGuard"],
  decision: ["forged X-Forwarded-* headers do not change the guard's decision", "decision"],
  redirect: ["without a session no path redirects to another host", "askGuard"],
  metrics: ["/auth/metrics is not served", "private"],
  guard: ["/auth/guard/ is not served: only the proxy asks the guard", "private"],
  session: ["a session is admitted", "askGuard"],
  ended: ["a session that has ended is refused, and browsers do not show pages that they have", "askGuard", "cache"],
  identity: ["the site receives the login, and the client cannot prevent it", "identity", "websocket"],
  remote: ["forged Remote-* headers do not arrive at the site", "remote"],
  underscores: ["forged names with _ or ., such as Remote_User, do not arrive at the site", "underscores"],
  forwarded: ["forged X-Forwarded-* headers do not arrive at the site", "forwarded"],
  names: ["other forged names that apps trust for user, address or page do not arrive at the site", "remote", "names"],
  upgrade: [
    "a connection can only become a websocket: over h2c an app would take requests past the guard",
    "websocket",
  ],
  address: ["a client cannot choose the address that its login counts for", "decision"],
  credentials: ["neither session nor password arrives at the site", "credentials"],
  next: ["after login nobody is redirected to another host", "loginPage"],
  query: ["the query of a page does not change the guard's decision", "askGuard"],
};

/** The result of a check. */
export type Finding = Readonly<{ id: string; failure: Failure }>;

if (import.meta.main) {
  await runTask({
    usage: "doctor https://SITE [--ca ROOT.crt] [--path /PAGE]",
    help: "  --ca     a root certificate to trust, in addition to those of the system and of Caddy on this machine\n" +
      "  --path   a guarded page; / by default. Seven checks need a page that prints its request headers\n\n" +
      "Registers a temporary user and deletes it in the end, or logs in with DOCTOR_LOGIN and DOCTOR_PASSWORD.",
    errorStatus: 2,
    run: runDoctor,
  });
}

/** Attacks a site and prints what to fix. @returns the exit status @throws {TaskError} */
export async function runDoctor(call: TaskCall): Promise<number> {
  const { site, ...options } = await readCall(call);
  // Ctrl-C ends it after the current check, so that the temporary user is deleted.
  const stopping = stopSignal();
  await site.send(`HEAD ${options.path}`);
  const proxy = await proxyOf(site);
  printLine(
    proxy === undefined ? "The proxy shows no name: fixes are for Caddy" : `The proxy is ${proxies[proxy].title}`,
  );
  const home = await findHome(site);
  if (home !== undefined) printLine(`Users log in at ${home.url.origin}`);
  const failures: Failure[] = [];
  try {
    for await (const finding of examine({ site, home }, options)) {
      printLine(await format(finding, proxy ?? "caddy"));
      failures.push(finding.failure);
      if (stopping.aborted) return 2;
    }
    return summarize(failures);
  } catch (error) {
    if (!(error instanceof SiteError)) throw error;
    printError(error.message);
    summarize(failures);
    return 1;
  }
}

/**
 * Tries everything, one check after the other. Without credentials it registers a temporary user, and deletes it.
 *
 * @param options `path`: path and query of a guarded page
 * @throws {TaskError} registration is not open
 * @throws {SiteError} the temporary user still exists
 */
export async function* examine(
  place: Place,
  { path, credentials }: { path: string; credentials?: Credentials | undefined },
): AsyncGenerator<Finding> {
  const visitor = { ...place, path, marker: `doctor-${crypto.randomUUID()}` };
  const opening = credentials === undefined ? register(place) : Promise.resolve(new Account(place, credentials));
  const account = await opening.catch(unknownOf);
  try {
    for (const [id, check] of Object.entries(visitorChecks)) {
      yield { id, failure: await Promise.try(check, visitor).catch(unknownOf) };
    }
    let member: Member | undefined;
    for (const [id, check] of Object.entries(memberChecks)) {
      const run = async () => await check(member ??= await enter(visitor, await opening));
      const failure = await run().catch(unknownOf);
      yield { id, failure };
      if (id === "session" && failure !== undefined) return;
    }
  } finally {
    if (account instanceof Account) await account.close();
  }
}

/** Registers a temporary user. @throws {SiteError} @throws {TaskError} registration is not open */
async function register(place: Place): Promise<Account> {
  const password = crypto.getRandomValues(new Uint8Array(24)).toBase64({ alphabet: "base64url" });
  const json = { login: `doctor-${crypto.randomUUID().slice(0, 8)}`, password };
  const response = await askGatehouse(place, "POST user/", { json });
  if (response.status === 201) return new Account(place, { ...json, isTemporary: true });
  if (!/"\/problem\/(ticket-invalid|registration-closed)"/.test(response.body)) {
    throw new SiteError(`Cannot register: ${response.summary}`);
  }
  throw new TaskError(
    "Cannot register a temporary user as registration needs a ticket or is closed: name a user of the site, as in " +
      `DOCTOR_LOGIN=alice DOCTOR_PASSWORD=… deno task doctor ${place.site.url.origin}`,
  );
}

async function enter(visitor: Visitor, account: Account): Promise<Member> {
  const entered = { ...visitor, account, cookie: await account.logIn() };
  const observation = await observe(entered);
  const { response } = observation;
  if (!response.isAdmitted && response.includes("second-factor")) throw new SiteError(`${visitor.path} ${needsFactor}`);
  return { ...entered, observation };
}

/** The failure of a check that the site does not let the doctor try. @throws any other error */
function unknownOf(error: unknown): { readonly unknown: string } {
  if (error instanceof SiteError) return { unknown: error.message };
  throw error;
}

/** Prints the number of each outcome. @returns the exit status */
function summarize(failures: readonly Failure[]): number {
  const failCount = failures.filter((failure) => typeof failure === "string").length;
  const passCount = failures.filter((failure) => failure === undefined).length;
  const pageCount = failures.filter((failure) => failure === pageShowsNothing).length;
  const total = Object.keys(checks).length;
  const unknownCount = total - passCount - failCount;
  const untriedCount = total - failures.length;
  // Never both: the page shows nothing only to a session.
  const untried = untriedCount > 0 ? ` (${untriedCount} not tried without a session)` : "";
  const why = pageCount > 0 ? ` (${pageCount} not tried: add --path with the page of caddy/README.md)` : untried;
  printLine(`${passCount} pass, ${failCount} fail, ${unknownCount} unknown${why}`);
  if (failCount > 0) return 1;
  return unknownCount > pageCount ? 2 : 0;
}

async function format({ id, failure }: Finding, proxy: ProxyName): Promise<string> {
  const [holds, ...names] = checks[id] ?? [id];
  const title = `${id.padEnd(12)} ${holds}`;
  if (failure === undefined) return `pass     ${title}`;
  if (typeof failure === "object") return `unknown  ${title}\n${indent(failure.unknown)}`;
  const fixes = await Promise.all(names.map((name) => fixText(proxy, name)));
  return [`FAIL     ${title}`, indent(`${failure}.`), ...fixes.map(indent)].join("\n");
}

function indent(text: string): string {
  return text.replace(/^/gm, " ".repeat(11));
}

/** @throws {TaskError} */
async function readCall({ args: [address = ""], options: { ca, path = "/" }, env }: TaskCall) {
  const url = URL.parse(address);
  if (url?.protocol !== "https:") throw new TaskError(`Cannot try "${address}": use an https:// address`);
  if (!/^\/[\x21-\x7e]*$/.test(path)) throw new TaskError(`--path cannot be "${path}": it must begin with /`);
  const { DOCTOR_LOGIN: login, DOCTOR_PASSWORD: password } = env;
  if ((login === undefined) !== (password === undefined)) {
    throw new TaskError("Set both DOCTOR_LOGIN and DOCTOR_PASSWORD, or neither");
  }
  const credentials = login === undefined || password === undefined ? undefined : { login, password };
  const caCerts = await caddyRoots();
  if (ca !== undefined) {
    caCerts.push(
      await Deno.readTextFile(pathFromCaller(ca, env)).catch(({ message }) => {
        throw new TaskError(`Cannot read --ca "${ca}": ${message}`);
      }),
    );
  }
  return { site: new SiteClient(url, { caCerts }), path, credentials };
}
