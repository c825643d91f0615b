/**
 * A service that says how much memory it keeps: a program for `test/main/kept_memory_test.ts`, run with `--expose-gc`.
 *
 * It prints its port. `GET /heap` collects garbage and answers with the bytes of the heap that are left; every other
 * request is served by the application, on a store in memory and with the cheapest hash.
 */
import { openApp } from "../../lib/app.ts";
import { readConfig } from "../../lib/config/config.ts";
import { createLog } from "../../lib/log.ts";
import { printLine } from "../../lib/tasks/task.ts";
import { createRouter } from "../../lib/router.ts";
import { TableStore } from "../../lib/store/memory/table_store.ts";
import { createTicket } from "../../lib/accounts/ticket.ts";
import { routes } from "../../routes/mod.ts";

const config = readConfig({
  GATEHOUSE_PBKDF2_ITERATIONS: "1",
  GATEHOUSE_REGISTRATIONS_PER_HOUR: "0",
  // More than are made of one kind, or what each keeps would end with it.
  GATEHOUSE_MAX_SESSIONS: "1000",
});
const store = new TableStore();
const app = await openApp(config, { store, log: createLog(() => {}) });
const { ticket, code } = createTicket("setup", { login: "", maker: "", now: Date.now(), ttlMs: 60_000 });
await store.insertTicket(ticket);
const handle = createRouter(routes, app);

Deno.serve({
  hostname: "127.0.0.1",
  port: 0,
  onListen: ({ port }) => printLine(JSON.stringify({ port, code })),
}, (request, connection) => {
  return request.url.endsWith("/heap") ? new Response(String(usedBytes())) : handle(request, connection);
});

/** Twice, as finalizers of the first collection let go of more. */
function usedBytes(): number {
  const { gc } = globalThis as { readonly gc?: () => void };
  if (gc === undefined) throw new TypeError("Cannot measure the heap: start with --v8-flags=--expose-gc");
  gc();
  gc();
  return Deno.memoryUsage().heapUsed;
}
