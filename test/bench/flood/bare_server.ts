/**
 * The least that a guard can do on Deno: one constant 200, without a body, as Caddy gives a connection up whose response
 * has one that it does not read. What the guard is measured against.
 */

import { printLine } from "../../../lib/tasks/task.ts";

const headers = { "remote-user": "user0", "remote-id": "01JD0000000000000000000000", "remote-groups": "users" };

Deno.serve(
  { hostname: "127.0.0.1", port: 0, onListen: ({ port }) => printLine(`http://127.0.0.1:${port}`) },
  () => new Response(null, { headers }),
);
