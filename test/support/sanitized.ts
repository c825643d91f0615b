/** Options of a test that fails when it leaves a timer, operation or file open. Deno 2.9 checks none by default. */
export const sanitized = { sanitizeOps: true, sanitizeResources: true } as const;
