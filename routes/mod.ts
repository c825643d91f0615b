/** Every operation of the service. What is not in this table does not exist. */

import type { Operation, Route } from "../lib/router.ts";
import { deleteCredential, deleteCredentials, listCredentials, renameCredential } from "./credential.ts";
import { showExitWorker } from "./exit_worker.ts";
import { guard } from "./guard.ts";
import { showLive, showReady } from "./health.ts";
import { showMetrics } from "./metrics.ts";
import { descriptionOf, showProblem } from "./openapi.ts";
import { showPage, showPageFile } from "./page.ts";
import {
  confirmTotp,
  makeAppPassword,
  makeRecoveryCodes,
  registerPasskey,
  setUpTotp,
  showRegistrationOptions,
} from "./new_credential.ts";
import { changePassword } from "./password.ts";
import { register } from "./registration.ts";
import { authenticateAgain, logInByPasskey, proveSecondFactor, showPasskeyOptions } from "./second_factor.ts";
import { logIn, logOut, showSession } from "./session.ts";
import { listSettings } from "./setting.ts";
import { openSiteSession } from "./site_session.ts";
import { showStatus } from "./status.ts";
import { deleteTicket, listTickets, makeTicket } from "./ticket.ts";
import { changeUser, deleteUser, listUsers, showUser } from "./user.ts";
import { endSession, endSessions, listSessions } from "./user_session.ts";

/** By id. */
export const operations: Readonly<Record<string, Operation>> = {
  ...{ register, listUsers, showUser, changeUser, deleteUser, changePassword },
  ...{ listSessions, endSessions, endSession, logIn, showSession, logOut },
  ...{ proveSecondFactor, showPasskeyOptions, logInByPasskey, authenticateAgain },
  ...{ listCredentials, renameCredential, deleteCredential, deleteCredentials },
  ...{ showRegistrationOptions, registerPasskey, setUpTotp, confirmTotp, makeRecoveryCodes, makeAppPassword },
  ...{ makeTicket, listTickets, deleteTicket },
  ...{ guard, showExitWorker, openSiteSession, showPage, showPageFile },
  ...{ showStatus, listSettings, showMetrics },
  ...{ showLive, showReady, showProblem },
  ...descriptionOf(() => operations),
};

export const routes: readonly Operation[] = Object.values(operations);

/** Whether the route is for Prometheus, and may be served at an address of its own. */
export function isOfMetrics({ path }: Route): boolean {
  return path === "/metrics";
}
