/**
 * The task `doctor`: tries a guarded site from outside, as an attacker would, and says what to mend in its Caddyfile.
 *
 * It changes nothing at the site but for a temporary user, whom it deletes in the end, whatever happens. Exit status: 0
 * when nothing is wrong (what is unknown is told), 1 when something is, 2 when it could not be tried.
 */

import { parseArgs } from "node:util";
import { printError, printLine } from "../lib/log.ts";
import { Account, type Credentials } from "./doctor_account.ts";
import type { Check, Outside, Verdict } from "./doctor_check.ts";
import { admitted, insideChecks, look } from "./doctor_inside.ts";
import { outsideChecks } from "./doctor_outside.ts";
import { NoAnswerError, SiteClient } from "./doctor_client.ts";
import { caddyRoots } from "./site.ts";

const usage = `Usage: deno task doctor https://SITE [--ca ROOT.crt] [--path /PAGE]

  --ca     a root certificate to trust, beside those of the system and of Caddy on this machine
  --path   a guarded page, best one that shows the headers of its request; / if not given

It registers a temporary user and deletes it in the end, or logs in with DOCTOR_LOGIN and DOCTOR_PASSWORD.`;

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
  // Ctrl-C ends it after the check that runs, so that the temporary user is deleted.
  const stopping = new AbortController();
  const stop = () => stopping.abort();
  Deno.addSignalListener("SIGINT", stop);
  const counts = { pass: 0, fault: 0, unknown: 0 };
  try {
    const { site, ...options } = await readRequest(args, env);
    for await (const finding of examine(site, { ...options, onNotice })) {
      printLine(format(finding));
      counts[outcomeOf(finding)]++;
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
  if (counts.fault > 0) printLine("What the Caddyfile lacks stands in the snippet (guard) of caddy/guarded.Caddyfile");
  printLine(`${counts.pass} pass, ${counts.fault} fail, ${counts.unknown} unknown`);
  return isClean && counts.fault === 0 ? 0 : 1;
}

/**
 * Tries everything, one after the other.
 *
 * @throws {NoAnswerError} the site cannot be reached
 */
export async function* examine(site: SiteClient, options: DoctorOptions): AsyncGenerator<Finding> {
  const { path, credentials, onNotice } = options;
  const outside = { site, path, marker: `doctor-${crypto.randomUUID()}` };
  await site.send("HEAD", path);
  for (const check of outsideChecks) yield { check, verdict: await verdictOf(check, outside) };
  const account = await Account.open(site, credentials);
  if (typeof account === "string") return yield* allUnknown(account);
  try {
    yield* examineInside(outside, account);
  } finally {
    await account.close().catch(String).then((fault) => fault && onNotice(fault));
  }
}

/** What was found, in one word. */
export function outcomeOf({ verdict }: Finding): "pass" | "fault" | "unknown" {
  return verdict === "pass" ? "pass" : "fault" in verdict ? "fault" : "unknown";
}

async function* examineInside(outside: Outside, account: Account): AsyncGenerator<Finding> {
  const session = await account.logIn();
  if (typeof session === "string") return yield* allUnknown(session);
  const sight = await look({ ...outside, account, session });
  const inside = { ...outside, account, session, sight };
  for (const check of insideChecks) {
    const isBlind = !sight.isAdmitted && check !== admitted;
    yield { check, verdict: isBlind ? { unknown: "the session does not let in" } : await verdictOf(check, inside) };
  }
}

function* allUnknown(unknown: string): Generator<Finding> {
  for (const check of insideChecks) yield { check, verdict: { unknown } };
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
  const mend = check.mend.split("\n").map((line) => `           ${line}`);
  return [`FAIL     ${title}`, `           ${verdict.fault}. In the Caddyfile:`, ...mend].join("\n");
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
