/**
 * Security events: each is one line in the log, with the id of its request, and one count in the metrics.
 *
 * A login is logged only if it is registered, because people type their password into the login field.
 */

import type { Context } from "./app.ts";
import type { AuditEvent } from "./metrics/metrics.ts";

export interface AuditFields {
  /** The login of the user who acted; absent if nobody was logged in. */
  readonly by?: string;
  /** The login of the user it was done to. */
  readonly user?: string;
  /** Never a secret. */
  readonly [name: string]: unknown;
}

/** Logs and counts an event. */
export function audit(
  context: Pick<Context, "app" | "clientAddress" | "requestId">,
  event: AuditEvent,
  fields: AuditFields,
): void {
  const { app, clientAddress, requestId } = context;
  app.metrics.countEvent(event);
  app.log.info(event, { audit: true, ...fields, clientAddress, requestId });
}
