/** The least that a server can do on Deno: one constant reply. What `/guard` is measured against. */

import { printLine } from "../../../lib/log.ts";

Deno.serve(
  { hostname: "127.0.0.1", port: 0, onListen: ({ port }) => printLine(`http://127.0.0.1:${port}`) },
  () => new Response('{"status":"live"}', { headers: { "content-type": "application/json" } }),
);
