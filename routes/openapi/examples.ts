/**
 * One small story for all examples: alice registers and logs in, and an administrator looks after her account.
 *
 * The contract test sends each example of a request, with real ones in the place of the code and the ids.
 */

import type { Example } from "./document.ts";

/** Stands for any ticket. */
export const exampleCode = "q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA";
/** Names any ticket. */
export const exampleTicketId = "01M81Q8RAN6Y7QJ4E0V3SCM2ZT";
/** Stands for any session. */
export const exampleSessionId = "01M81Q8RAFRWT8N2ZHDEH012P3";

export const examplePassword = "mellow-otter-41-lantern";
export const exampleNewPassword = "amber-kettle-93-walnut";

export const exampleUser = {
  id: "01M81Q8R1S09CHZ85XEV6WDCYG",
  login: "alice",
  registered_at: "2026-11-22T13:31:28.185Z",
  groups: [],
  disabled: false,
};

export const exampleDates = { created_at: "2026-11-22T13:31:28.463Z", expires_at: "2026-11-29T13:31:28.463Z" };

/** The only example of something. */
export function example(summary: string, value: unknown): Record<string, Example> {
  return { example: { summary, value } };
}
