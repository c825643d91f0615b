/**
 * Who did what to whom: one line in the log for each, beside the line of the request, whose id it carries, and one more
 * in the metrics.
 *
 * A login stands there only if it is registered: people type their password where the login belongs.
 */

import type { Context } from "./app.ts";
import type { AuditEvent } from "./metrics/metrics.ts";

export interface AuditFields {
  /** The login of who did it; nobody that is logged in when it is missing. */
  readonly by?: string;
  /** The login of whom it was done to. */
  readonly user?: string;
  /** What else is to be known of the event. Never a secret. */
  readonly [name: string]: unknown;
}

/** Logs an event, and counts it. */
export function audit(context: Context, event: AuditEvent, fields: AuditFields): void {
  const { app, clientAddress, requestId } = context;
  app.metrics.countEvent(event);
  app.log.info(event, { audit: true, ...fields, clientAddress, requestId });
}
