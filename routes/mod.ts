/** Every operation of the service. What is not in this table does not exist. */

import type { Operation } from "../lib/operation.ts";
import type { Route } from "../lib/router.ts";
import { guardOperation } from "./guard.ts";
import { healthOperations } from "./health.ts";
import { metricsOperation } from "./metrics.ts";
import { descriptionOperations } from "./openapi.ts";
import { pageOperations } from "./page.ts";
import { changePasswordOperation } from "./password.ts";
import { problemOperation } from "./problem.ts";
import { sessionOperations } from "./session.ts";
import { settingOperation } from "./setting.ts";
import { statusOperation } from "./status.ts";
import { ticketOperations } from "./ticket.ts";
import { userOperations } from "./user.ts";
import { changeUserOperation } from "./user_change.ts";
import { userSessionOperations } from "./user_session.ts";

export const routes: readonly Operation[] = [
  ...userOperations,
  changeUserOperation,
  changePasswordOperation,
  ...userSessionOperations,
  ...sessionOperations,
  ...ticketOperations,
  guardOperation,
  ...pageOperations,
  statusOperation,
  settingOperation,
  metricsOperation,
  ...healthOperations,
  problemOperation,
  ...descriptionOperations(() => routes),
];

/** Whether the route is for Prometheus, and may be served at an address of its own. */
export function isOfMetrics({ path }: Route): boolean {
  return path === "/metrics";
}
