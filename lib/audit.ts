/**
 * The audit log: one line for each change and login, with the id of its request, counted in the metrics.
 *
 * A login is logged only if it is registered: people type their password into the field of the login.
 */

import type { Context } from "./app.ts";
import type { AuditEvent } from "./metrics/metrics.ts";

export interface AuditFields {
  /** The login of the user who did it; absent without a session. */
  readonly by?: string;
  /** The login of the user it was done to. */
  readonly user?: string;
  /** Other facts of the event. Never a secret. */
  readonly [name: string]: unknown;
}

/** Logs and counts an event. */
export function audit(context: Context, event: AuditEvent, fields: AuditFields): void {
  const { app, clientAddress, requestId } = context;
  app.metrics.countEvent(event);
  app.log.info(event, { audit: true, ...fields, clientAddress, requestId });
}
