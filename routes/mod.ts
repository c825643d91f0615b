/** Every URL of the service: method, path, handler. */

import type { Route } from "../lib/router.ts";
import { live, ready } from "./health.ts";
import { showProblem } from "./problem.ts";
import { logIn, logOut, showSession } from "./session.ts";
import { register, showUser } from "./user.ts";

/** The one table. What is not in it does not exist. */
export const routes: readonly Route[] = [
  { method: "POST", path: "/user/", handler: register },
  { method: "GET", path: "/user/:login", handler: showUser },
  { method: "POST", path: "/session/", handler: logIn },
  { method: "GET", path: "/session/", handler: showSession },
  { method: "DELETE", path: "/session/", handler: logOut },
  { method: "GET", path: "/health/live", handler: live },
  { method: "GET", path: "/health/ready", handler: ready },
  { method: "GET", path: "/problem/:code", handler: showProblem },
];
