/** Options of a test that fails when it leaves a timer, an operation or a file behind: Deno 2.9 looks for none by default. */
export const sanitized = { sanitizeOps: true, sanitizeResources: true } as const;
