/**
 * The least that a guard can do on Deno: one constant 200. Without a body, as Caddy closes a connection whose response
 * has a body that it does not read. The guard is measured against this server.
 */

import { printLine } from "../../../lib/tasks/task.ts";

const headers = { "remote-user": "user0", "remote-id": "01JD0000000000000000000000", "remote-groups": "users" };

Deno.serve(
  { hostname: "127.0.0.1", port: 0, onListen: ({ port }) => printLine(`http://127.0.0.1:${port}`) },
  () => new Response(null, { headers }),
);
