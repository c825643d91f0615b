/**
 * `/exit-worker.js`: what a proxy sends in place of the script of a site's service worker, when the guard refuses it.
 *
 * Such a worker may answer everything from its cache, so that the browser never shows what the guard says. Soon after
 * each navigation browsers request the worker's script again. With this response they replace the worker by one that
 * unregisters itself and reloads the windows; the site's storage stays. It never reloads twice: the script fails where
 * no worker is, and does not claim windows without one.
 */

import { route } from "../lib/router.ts";
import script from "./exit_worker.js" with { type: "text" };

const headers = {
  "content-type": "text/javascript; charset=utf-8",
  // It is sent at the address of the site's script.
  "cache-control": "no-store",
  // The site may have allowed its worker more than the folder of the script. Browsers check that at each update.
  "service-worker-allowed": "/",
};

export const showExitWorker = route("GET /exit-worker.js", {
  access: "anyone",
  summary: "Get a service worker that unregisters itself",
  description: "For proxies: the response to a request with `Service-Worker: script` that the guard has refused.",
  responses: { 200: { types: ["text/javascript"], headers: ["Service-Worker-Allowed"] } },
  isStatic: true,
  isOnSites: true,
  handler() {
    return new Response(script, { headers });
  },
});
