/**
 * The task `doctor`: tries a guarded site from outside, as an attacker would, and prints what to change in its
 * Caddyfile.
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
import { type Check, type Failure, type Fix, type Visitor, visitorChecks } from "./doctor_checks.ts";
import { Account, NoResponseError, SiteClient, type SiteCredentials } from "./doctor_client.ts";
import { memberChecks, observe } from "./doctor_session_checks.ts";
import { caddyRoots } from "./site.ts";

/** A guarded page that prints its request headers. */
export const headersPage = `route /headers {
	import guard users
	templates {
		mime text/plain
	}
	header Content-Type text/plain
	respond "{{.Req.Header}}"
}`;

/** The result of a check. */
export interface Finding {
  readonly id: string;
  readonly check: Pick<Check<never>, "holds" | "fixes">;
  readonly failure: Failure;
}

/** How to try a site. */
export interface DoctorOptions {
  /** Path and query of a guarded page. */
  readonly path: string;
  /** A user to log in as; `undefined` registers a temporary one. */
  readonly credentials: SiteCredentials | undefined;
  /** Called when the temporary user could not be deleted. */
  readonly onNotice: (text: string) => void;
  /** Called with the number of checks that are not tried, and the reason. */
  readonly onUntried: (count: number, reason: string) => void;
}

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

async function runDoctor(call: TaskCall): Promise<number> {
  const { site, path, credentials } = await readCall(call);
  // Ctrl-C ends it after the current check, so that the temporary user is deleted.
  const stopping = stopSignal();
  const failures: Failure[] = [];
  let hasNotice = false;
  let untriedCount = 0;
  const findings = examine(site, {
    path,
    credentials,
    onNotice: (text) => (hasNotice = true, printError(text)),
    onUntried: (count, reason) => (untriedCount += count, printError(reason)),
  });
  try {
    for await (const finding of findings) {
      printLine(await format(finding));
      failures.push(finding.failure);
      if (stopping.aborted) return 2;
    }
  } catch (error) {
    if (!(error instanceof NoResponseError)) throw error;
    throw new TaskError(`The site does not respond: ${error.message}`, { cause: error });
  }
  const unknowns = failures.filter((failure) => typeof failure === "object");
  const pageCount = unknowns.filter(({ needsHeadersPage }) => needsHeadersPage).length;
  const failCount = failures.filter((failure) => typeof failure === "string").length;
  const passCount = failures.length - failCount - unknowns.length;
  const notTried: string[] = [];
  if (pageCount > 0) {
    printLine(`A page that prints its request headers, for --path /headers:\n${indent(headersPage)}`);
    notTried.push(`${pageCount} not tried: add --path with a page that prints its request headers`);
  }
  if (untriedCount > 0) notTried.push(`${untriedCount} not tried, as printed above`);
  const why = notTried.length === 0 ? "" : ` (${notTried.join("; ")})`;
  printLine(`${passCount} pass, ${failCount} fail, ${unknowns.length + untriedCount} unknown${why}`);
  if (hasNotice || failCount > 0) return 1;
  return unknowns.length + untriedCount > pageCount ? 2 : 0;
}

/** Tries everything, one check after the other. @throws {NoResponseError} the site cannot be reached */
export async function* examine(site: SiteClient, options: DoctorOptions): AsyncGenerator<Finding> {
  const { path, credentials, onNotice, onUntried } = options;
  const visitor = { site, path, marker: `doctor-${crypto.randomUUID()}` };
  await site.send(`HEAD ${path}`);
  for (const [id, check] of Object.entries(visitorChecks)) yield await findingOf({ id, check }, visitor);
  const account = await Account.open(site, credentials);
  if (typeof account === "string") return onUntried(Object.keys(memberChecks).length, account);
  try {
    yield* examineAsMember(visitor, { account, onUntried });
  } finally {
    const failure = await account.close().catch(String);
    if (failure !== undefined) onNotice(failure);
  }
}

async function* examineAsMember(
  visitor: Visitor,
  { account, onUntried }: Pick<DoctorOptions, "onUntried"> & { account: Account },
): AsyncGenerator<Finding> {
  const session = await account.logIn();
  const checks = Object.entries(memberChecks);
  if (typeof session === "string") return onUntried(checks.length, session);
  const member = { ...visitor, account, session };
  const observation = await observe(member);
  for (const [index, [id, check]] of checks.entries()) {
    yield await findingOf({ id, check }, { ...member, observation });
    if (index === 0 && !observation.response.isAdmitted) {
      return onUntried(checks.length - 1, "The session is not admitted, so the remaining checks cannot be tried");
    }
  }
}

async function findingOf<Subject>({ id, check }: { id: string; check: Check<Subject> }, subject: Subject) {
  try {
    return { id, check, failure: await check.run(subject) };
  } catch (error) {
    if (!(error instanceof NoResponseError)) throw error;
    return { id, check, failure: { unknown: `no response to ${error.message}` } };
  }
}

async function format({ id, check, failure }: Finding): Promise<string> {
  const title = `${id.padEnd(12)} ${check.holds}`;
  if (failure === undefined) return `pass     ${title}`;
  if (typeof failure === "object") return `unknown  ${title}\n${indent(failure.unknown)}`;
  const caddyfile = await Deno.readTextFile(`${import.meta.dirname}/guarded.Caddyfile`);
  const lines = check.fixes.map((fix) => `From caddy/guarded.Caddyfile, ${fix.where}:\n${excerpt(caddyfile, fix)}`);
  return [`FAIL     ${title}`, indent(`${failure}.`), ...lines.map(indent)].join("\n");
}

/** The lines of the project's Caddyfile that a fix names. */
export function excerpt(caddyfile: string, { from, to = from }: Fix): string {
  const lines = caddyfile.split("\n");
  const start = lines.findIndex((line) => line.startsWith(`\t${from}`));
  const end = lines.findIndex((line, index) => index >= start && line.startsWith(`\t${to}`));
  return lines.slice(start, end + 1).map((line) => line.slice(1)).join("\n");
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
  const credentials = login === undefined || password === undefined
    ? undefined
    : { login, password, isTemporary: false };
  const caCerts = [...await caddyRoots(), ...ca === undefined ? [] : [await readCertificate(pathFromCaller(ca, env))]];
  return { site: new SiteClient(url, { caCerts }), path, credentials };
}

async function readCertificate(path: string): Promise<string> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    throw new TaskError(`Cannot read --ca "${path}": ${error instanceof Error ? error.message : error}`);
  }
}
