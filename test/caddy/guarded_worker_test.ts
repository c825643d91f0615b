/** trial */
import { assertEquals } from "@std/assert";
import { app, impatience, startGuarded } from "../support/caddy/guarded.ts";
import { hasBrowser, startBrowser } from "../support/page/browser.ts";
import { sessionCookie } from "../support/page/visit.ts";
import { serveUpstream } from "../support/upstream.ts";
import { setTimeout as delay } from "node:timers/promises";

const ignore = !await hasBrowser();
const worker = `
addEventListener("install", (event) => event.waitUntil(caches.open("app").then((cache) => cache.addAll(["/app/"])).then(() => skipWaiting())));
addEventListener("activate", (event) => event.waitUntil(clients.claim()));
addEventListener("fetch", (event) => {
  if (event.request.mode === "navigate") event.respondWith(caches.match("/app/"));
});`;
const page = `<!DOCTYPE html><link rel="icon" href="data:,"><h1>App</h1><script>
navigator.serviceWorker.register("/js/worker.js", {scope: "/"}).catch((e) => console.log("refused", e.message));
</script>`;

Deno.test({ name: "trial", ignore, sanitizeOps: false, sanitizeResources: false }, async () => {
  await using cleanup = new AsyncDisposableStack();
  const upstream = cleanup.use(serveUpstream((request) => {
    const { pathname } = new URL(request.url);
    console.log("app gets", pathname, request.headers.get("service-worker"), request.headers.get("sec-fetch-dest"));
    return pathname.endsWith(".js")
      ? new Response(worker, { headers: { "content-type": "text/javascript", "service-worker-allowed": "/" } })
      : new Response(page, { headers: { "content-type": "text/html" } });
  }));
  const site = cleanup.use(await startGuarded({ edits: [app, impatience], env: { APP: upstream.address } }));
  const { browser } = cleanup.use(await startBrowser([site.caddy.rootCertificate]));
  const context = await browser.newContext({ locale: "en-GB", baseURL: site.caddy.url });
  const cookie = await site.enter("alice");
  const [, token = ""] = cookie.split("=");
  await context.addCookies([sessionCookie(site.caddy.url, token)]);
  context.on("console", (m) => console.log("console", m.text()));
  const tab = await context.newPage();
  tab.on("framenavigated", (f) => console.log("nav", f.url()));
  await tab.goto(Deno.env.get("TRIAL_URL") ?? "/app/?q=1");
  await tab.evaluate(() => navigator.serviceWorker.ready.then(() => 1));
  await tab.evaluate(() => localStorage.setItem("a", "b"));
  if (Deno.env.get("PUSH")) await tab.evaluate(() => history.pushState(null, "", "/app/deep?x=2#there"));
  const headers = { cookie, "sec-fetch-site": "same-origin" };
  assertEquals(await site.statusOf("/auth/session/", { method: "DELETE", headers }), 204);
  const t = performance.now(); const t0 = new Date().toISOString();
  tab.on("framenavigated", () => console.log(Math.round(performance.now() - t), "ms"));
  await tab.reload();
  await delay(10000);
  console.log(t0, site.service.log().split("\n").filter((l) => l.includes("guard")).slice(-4).join("\n"));
  console.log(tab.url(), await tab.evaluate(() => localStorage.getItem("a")));
});
