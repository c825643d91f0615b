/** Every URL of the service: method, path, handler. */

import type { Route } from "../lib/router.ts";
import { showDocs } from "./docs.ts";
import { guard } from "./guard.ts";
import { live, ready } from "./health.ts";
import { showMetrics } from "./metrics.ts";
import { showOpenApi } from "./openapi.ts";
import { showPage, showPageFile } from "./page.ts";
import { changePassword } from "./password.ts";
import { showProblem } from "./problem.ts";
import { logIn, logOut, showSession } from "./session.ts";
import { listSettings } from "./setting.ts";
import { showStatus } from "./status.ts";
import { deleteTicket, listTickets, makeTicket } from "./ticket.ts";
import { deleteUser, listUsers, register, showUser } from "./user.ts";
import { changeUser } from "./user_change.ts";
import { endSession, endSessions, listSessions } from "./user_session.ts";

/** The one table. What is not in it does not exist. */
export const routes: readonly Route[] = [
  { method: "POST", path: "/user/", handler: register },
  { method: "GET", path: "/user/", handler: listUsers },
  { method: "GET", path: "/user/:login", handler: showUser },
  { method: "PATCH", path: "/user/:login", handler: changeUser },
  { method: "DELETE", path: "/user/:login", handler: deleteUser },
  { method: "PUT", path: "/user/:login/password", handler: changePassword },
  { method: "GET", path: "/user/:login/session/", handler: listSessions },
  { method: "DELETE", path: "/user/:login/session/", handler: endSessions },
  { method: "DELETE", path: "/user/:login/session/:id", handler: endSession },
  { method: "POST", path: "/session/", handler: logIn },
  { method: "GET", path: "/session/", handler: showSession },
  { method: "DELETE", path: "/session/", handler: logOut },
  { method: "POST", path: "/ticket/", handler: makeTicket },
  { method: "GET", path: "/ticket/", handler: listTickets },
  { method: "DELETE", path: "/ticket/:id", handler: deleteTicket },
  { method: "GET", path: "/setting/", handler: listSettings },
  { method: "GET", path: "/status/", handler: showStatus },
  { method: "GET", path: "/metrics", handler: showMetrics },
  { method: "GET", path: "/guard/:demands*", handler: guard, isRoutine: true },
  { method: "GET", path: "/health/live", handler: live },
  { method: "GET", path: "/health/ready", handler: ready },
  { method: "GET", path: "/problem/:code", handler: showProblem },
  { method: "GET", path: "/openapi.json", handler: showOpenApi },
  { method: "GET", path: "/docs/", handler: showDocs },
  { method: "GET", path: "/", handler: showPage },
  { method: "GET", path: "/page/:file", handler: showPageFile },
];

/** Whether a route is for Prometheus alone, which may have an address of its own. */
export function isOfMetrics({ path }: Route): boolean {
  return path === "/metrics";
}
