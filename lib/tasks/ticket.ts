/**
 * The tasks `ticket` and `recover`: a new password, an invitation, an administrator, or a login without the second
 * factor, by the operator of the machine with the data. `recover` is the action of that name.
 *
 * It opens the store: a database, or a folder that no service uses. A service that uses the folder holds its lock, as a
 * folder has one writer; that service is asked instead, over the socket in the folder. So a service may start, stop or
 * be killed meanwhile: the task tries both until one succeeds.
 */

import { type IncomingMessage, request as httpRequest } from "node:http";
import { json } from "node:stream/consumers";
import { setTimeout as delay } from "node:timers/promises";
import { type OperatorRequest, serveOperator } from "../accounts/operator_ticket.ts";
import { type Config, readConfig } from "../config/config.ts";
import type { Log } from "../log.ts";
import type { Store } from "../store.ts";
import { realDisk } from "../store/file/disk.ts";
import { openFileStore } from "../store/file/file_store.ts";
import { requireRegister } from "../store/file/folder.ts";
import { asFolderError, requireUnlocked, socketIn, StoreLockedError } from "../store/file/store_folder.ts";
import { openPostgresStore } from "../store/postgres/postgres_store.ts";
import { quiet, runTask, stderrLog, TaskError } from "./task.ts";

export interface TicketOptions {
  readonly config: Config;
  /** How long a service that holds the folder may take to start, to stop and to respond; by default 15 s. */
  readonly waitMs?: number;
  /** Takes the events of a store that the task opens itself; by default on standard error. */
  readonly log?: Log;
  /** The user of this process; null where the system has no such ids. */
  readonly uid?: number | null;
}

/** A start with 1,000,000 users takes about 3 s. A stop gives requests 8 s, and then writes a snapshot. */
const defaultWaitMs = 15_000;
const pollMs = 100;

if (import.meta.main) {
  await runTask({
    usage: "ticket ACTION [LOGIN]",
    help: "  reset LOGIN     prints a ticket with which LOGIN sets a new password\n" +
      "  invite [LOGIN]  prints a ticket to register, as LOGIN if given\n" +
      "  admin LOGIN     makes LOGIN an administrator; for an unknown LOGIN it prints a ticket to register as one\n" +
      "  recover LOGIN   deletes the passkeys, TOTP, recovery codes and app passwords of LOGIN, who then logs in\n" +
      "                  with the password alone; deno task recover LOGIN does the same\n\n" +
      "Works while the service runs or not. The log has an event of it, but never the ticket.",
    run: ({ args: [action = "", login = ""], env }) => operate({ action, login }, { config: readConfig(env) }),
  });
}

/**
 * Does what the operator requests.
 *
 * @returns what was done
 * @throws {TaskError} it cannot be done, or a service that holds the folder does not respond
 * @throws {StoreLockedError} another process holds the folder, and does not listen
 */
export async function operate(request: OperatorRequest, options: TicketOptions): Promise<string> {
  const { config: { store: location }, log = stderrLog } = options;
  if ("folder" in location) return await operateOnFolder(location.folder, request, options);
  await using store = await openPostgresStore(location, { log: quiet(log), isReadOnly: true, waitMs: 0 });
  return await operateOn(store, request, options);
}

async function operateOnFolder(folder: string, request: OperatorRequest, options: TicketOptions): Promise<string> {
  const { waitMs = defaultWaitMs, log = stderrLog, uid = Deno.uid() } = options;
  try {
    const { uid: owner } = await Deno.stat(folder);
    const refusal = `Cannot use store "${folder}" as it is of user ${owner}: run this as that user, or as root while ` +
      "its service runs";
    if (uid !== owner && uid !== 0) throw new TaskError(refusal);
    requireRegister(realDisk(folder), { action: "use" });
    for (const endsAt = performance.now() + waitMs;; await delay(pollMs)) {
      try {
        await requireUnlocked(folder);
        // Files of root would keep the service from starting, and root must not follow links of another user.
        if (uid !== owner) throw new TaskError(refusal);
        await using store = await openFileStore(folder, { log: quiet(log) });
        return await operateOn(store, request, options);
      } catch (error) {
        if (!(error instanceof StoreLockedError)) throw error;
        if (await isListening(folder)) return await askService(folder, request, waitMs);
        if (performance.now() > endsAt) throw error;
      }
    }
  } catch (error) {
    throw asFolderError(error, { path: folder, action: "use" });
  }
}

async function operateOn(
  store: Store,
  request: OperatorRequest,
  { config, log = stderrLog }: TicketOptions,
): Promise<string> {
  const { text, audit } = await serveOperator(request, { store, config, now: Date.now() });
  if (audit === undefined) throw new TaskError(text);
  log.info(audit.event, { audit: true, onMachine: true, ...audit.fields });
  return text;
}

async function isListening(folder: string): Promise<boolean> {
  try {
    (await Deno.connect({ transport: "unix", path: socketIn(folder) })).close();
    return true;
  } catch (error) {
    // The service is starting or stopping, or the process is another task.
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.ConnectionRefused) return false;
    // The path may be too long for a socket.
    const text = `Cannot reach the service of store "${folder}": ${messageOf(error)}. Stop it, and run this again`;
    throw new TaskError(text, { cause: error });
  }
}

async function askService(folder: string, request: OperatorRequest, waitMs: number): Promise<string> {
  try {
    const { statusCode = 0, body } = await post(socketIn(folder), request, AbortSignal.timeout(waitMs));
    const { text, title } = body as { text?: string; title?: string };
    if (statusCode === 200 && text !== undefined) return text;
    throw new TaskError(text ?? `Cannot use store "${folder}" as the service responds ${statusCode} ${title}`);
  } catch (error) {
    if (error instanceof TaskError) throw error;
    const text = `The service of store "${folder}" does not respond (${messageOf(error)})`;
    throw new TaskError(`${text}, and may have done it or not: look at its log, and run this again`, { cause: error });
  }
}

/** Not `fetch`: with NO_PROXY=localhost it leaves the socket for port 80, which is of another program. */
async function post(socketPath: string, request: OperatorRequest, signal: AbortSignal) {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const headers = { "content-type": "application/json" };
  // The error of the request itself does not say that time is over.
  signal.addEventListener("abort", () => reject(signal.reason));
  httpRequest({ socketPath, path: "/operator", method: "POST", headers, signal }, resolve)
    .on("error", reject)
    .end(JSON.stringify(request));
  const response = await promise;
  return { statusCode: response.statusCode, body: await json(response) };
}

function messageOf(error: unknown): unknown {
  return error instanceof Error ? error.message : error;
}
