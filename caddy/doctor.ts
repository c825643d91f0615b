/**
 * The task `doctor`: tries a guarded site from outside, as an attacker would, and says what to mend in its Caddyfile.
 *
 * It changes nothing at the site but for a temporary user, whom it deletes in the end, whatever happens. Exit status: 0
 * when nothing is wrong, 1 when something is, else 2 when a check could not be tried for another reason than that the
 * page does not show its request headers.
 */

import { parseArgs } from "node:util";
import { printError, printLine } from "../lib/tasks/task.ts";
import { Account, type Credentials } from "./doctor_account.ts";
import type { Check, Inside, Verdict } from "./doctor_check.ts";
import { admitted, insideChecks, look } from "./doctor_inside.ts";
import { outsideChecks } from "./doctor_outside.ts";
import { NoAnswerError, SiteClient } from "./doctor_client.ts";
import { caddyRoots } from "./site.ts";

const usage = `Usage: deno task doctor https://SITE [--ca ROOT.crt] [--path /PAGE]

  --ca     a root certificate to trust, beside those of the system and of Caddy on this machine
  --path   a guarded page, best one that prints its request headers; / if not given

It registers a temporary user and deletes it in the end, or logs in with DOCTOR_LOGIN and DOCTOR_PASSWORD.`;

/** A guarded page that prints its request headers. */
export const headersPage = `route /headers {
	import guard users
	templates {
		mime text/plain
	}
	header Content-Type text/plain
	respond "{{.Req.Header}}"
}`;

/** A check and what was found. */
export interface Finding {
  readonly check: Pick<Check<never>, "id" | "holds" | "mend">;
  readonly verdict: Verdict;
}

/** With what to try a site. */
export interface DoctorOptions {
  /** Path and query of a guarded page. */
  readonly path: string;
  /** A user to log in as; else a temporary one is registered. */
  readonly credentials: Credentials | undefined;
  /** Told what went wrong beside the checks. */
  readonly onNotice: (text: string) => void;
  /** Told how many checks are not tried, and why. */
  readonly onUntried: (count: number, reason: string) => void;
}

/** What all findings come to. */
interface Counts {
  pass: number;
  fault: number;
  unknown: number;
  /** Of those that are unknown: for want of a page that prints its request headers. */
  needHeadersPage: number;
  /** And of those: not tried, for a reason that is told once. */
  untried: number;
}

/** Arguments that make no sense. */
class UsageError extends Error {
  override name = "UsageError";
}

if (import.meta.main) Deno.exit(await runDoctor(Deno.args, Deno.env.toObject()));

/** Runs the task. @returns the exit status */
export async function runDoctor(args: string[], env: Readonly<Record<string, string>>): Promise<number> {
  let isClean = true;
  const onNotice = (text: string) => {
    isClean = false;
    printError(text);
  };
  const counts: Counts = { pass: 0, fault: 0, unknown: 0, needHeadersPage: 0, untried: 0 };
  const onUntried = (count: number, reason: string) => {
    counts.unknown += count;
    counts.untried += count;
    printError(reason);
  };
  // Ctrl-C ends it after the check that runs, so that the temporary user is deleted.
  const stopping = new AbortController();
  const stop = () => stopping.abort();
  Deno.addSignalListener("SIGINT", stop);
  try {
    const { site, ...options } = await readRequest(args, env);
    for await (const finding of examine(site, { ...options, onNotice, onUntried })) {
      printLine(format(finding));
      tally(finding, counts);
      if (stopping.signal.aborted) return 2;
    }
  } catch (error) {
    if (!(error instanceof UsageError || error instanceof NoAnswerError)) throw error;
    printError(
      error instanceof UsageError ? `${error.message}\n\n${usage}` : `The site does not answer: ${error.message}`,
    );
    return 2;
  } finally {
    Deno.removeSignalListener("SIGINT", stop);
  }
  printLine(summaryOf(counts));
  if (!isClean || counts.fault > 0) return 1;
  return counts.unknown > counts.needHeadersPage ? 2 : 0;
}

function tally({ check, verdict }: Finding, counts: Counts): void {
  counts[outcomeOf({ check, verdict })]++;
  if (typeof verdict === "object" && "needsHeadersPage" in verdict) counts.needHeadersPage++;
}

function summaryOf({ pass, fault, unknown, needHeadersPage, untried }: Counts): string {
  const hints: string[] = [];
  if (fault > 0) hints.push("What the Caddyfile lacks stands in the snippet (guard) of caddy/guarded.Caddyfile");
  const notTried: string[] = [];
  if (needHeadersPage > 0) {
    hints.push(`A page that prints its request headers, for --path /headers:\n${indent(headersPage)}`);
    notTried.push(`${needHeadersPage} not tried: add --path with a page that prints its request headers`);
  }
  if (untried > 0) notTried.push(`${untried} not tried, as said above`);
  const why = notTried.length === 0 ? "" : ` (${notTried.join("; ")})`;
  return [...hints, `${pass} pass, ${fault} fail, ${unknown} unknown${why}`].join("\n");
}

/**
 * Tries everything, one after the other.
 *
 * @throws {NoAnswerError} the site cannot be reached
 */
export async function* examine(site: SiteClient, options: DoctorOptions): AsyncGenerator<Finding> {
  const { path, credentials, onNotice, onUntried } = options;
  const outside = { site, path, marker: `doctor-${crypto.randomUUID()}` };
  await site.send("HEAD", path);
  for (const check of outsideChecks) yield { check, verdict: await verdictOf(check, outside) };
  const account = await Account.open(site, credentials);
  if (typeof account === "string") return onUntried(insideChecks.length, account);
  try {
    yield* examineInside({ ...outside, account }, onUntried);
  } finally {
    await account.close().catch(String).then((fault) => fault && onNotice(fault));
  }
}

/** What was found, in one word. */
export function outcomeOf({ verdict }: Finding): "pass" | "fault" | "unknown" {
  return verdict === "pass" ? "pass" : "fault" in verdict ? "fault" : "unknown";
}

async function* examineInside(
  outside: Omit<Inside, "session" | "sight">,
  onUntried: DoctorOptions["onUntried"],
): AsyncGenerator<Finding> {
  const session = await outside.account.logIn();
  if (typeof session === "string") return onUntried(insideChecks.length, session);
  const inside = { ...outside, session, sight: await look({ ...outside, session }) };
  for (const check of insideChecks) {
    yield { check, verdict: await verdictOf(check, inside) };
    if (check === admitted && !inside.sight.isAdmitted) {
      return onUntried(insideChecks.length - 1, "The session does not let in, so what follows cannot be tried");
    }
  }
}

async function verdictOf<Subject>(check: Check<Subject>, subject: Subject): Promise<Verdict> {
  try {
    return await check.run(subject);
  } catch (error) {
    if (!(error instanceof NoAnswerError)) throw error;
    return { unknown: `no answer to ${error.message}` };
  }
}

function format({ check, verdict }: Finding): string {
  const title = `${check.id.padEnd(12)} ${check.holds}`;
  if (verdict === "pass") return `pass     ${title}`;
  if ("unknown" in verdict) return `unknown  ${title}\n           ${verdict.unknown}`;
  return [`FAIL     ${title}`, indent(`${verdict.fault}. In the Caddyfile:`), indent(check.mend)].join("\n");
}

function indent(text: string): string {
  return text.replace(/^/gm, " ".repeat(11));
}

/** @throws {UsageError} */
async function readRequest(args: string[], env: Readonly<Record<string, string>>) {
  const { positionals, values } = parse(args);
  const url = URL.parse(positionals[0] ?? "");
  if (url?.protocol !== "https:" || positionals.length !== 1) throw new UsageError("One https:// address is needed");
  const { ca, path = "/" } = values;
  if (!/^\/[\x21-\x7e]*$/.test(path)) throw new UsageError(`--path cannot be "${path}": it must begin with /`);
  const { DOCTOR_LOGIN: login, DOCTOR_PASSWORD: password } = env;
  if ((login === undefined) !== (password === undefined)) {
    throw new UsageError("DOCTOR_LOGIN and DOCTOR_PASSWORD go together");
  }
  const credentials = login === undefined || password === undefined ? undefined : { login, password };
  const caCerts = [...await caddyRoots(), ...ca === undefined ? [] : [await readCertificate(ca)]];
  return { site: new SiteClient(url, { caCerts }), path, credentials };
}

function parse(args: string[]) {
  try {
    return parseArgs({ args, allowPositionals: true, options: { ca: { type: "string" }, path: { type: "string" } } });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

async function readCertificate(path: string): Promise<string> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    throw new UsageError(`Cannot read --ca "${path}": ${error instanceof Error ? error.message : error}`);
  }
}
