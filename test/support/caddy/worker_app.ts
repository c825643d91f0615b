/**
 * An app with a service worker that answers navigations from its cache, so that it works offline. Each folder, such as
 * `/wiki/`, has a worker of its own for its pages, and the rest another one:
 *
 * - `/imports/`: its script imports another one
 * - `/wide/`: its script is in a folder below, as the app permits
 * - `/public/`: its script is in `/staff/`
 * - `/hostile/`: it shows a page of its own at `/auth/`
 * - `/taking/`: it notes what it sees of all pages of the host, and keeps the codes of a home
 */
import { assertEquals } from "@std/assert";
import type { Page } from "npm:playwright-core@1.65.1";
import { accountsOf, password, type Site } from "../page/site.ts";
import type { Scene } from "../page/suite.ts";
import { sessionCookie } from "../page/visit.ts";
import { serveUpstream, type Upstream } from "../upstream.ts";
import { type GuardedOptions, startGuarded } from "./guarded.ts";

/**
 * Chromium requests the script a second after the navigation and waits another second before it uses it. On two cores
 * at a load of 6 to 15, the login page was there after 3.1 to 4.7 s.
 */
const patienceMs = 10_000;

/** Where scripts are that are not in the folder. */
const scripts: Readonly<Record<string, string>> = { "/wide/": "/wide/js/worker.js", "/public/": "/staff/worker.js" };

const offline = `
addEventListener("install", (event) => event.waitUntil(keep()));
addEventListener("activate", (event) => event.waitUntil(clients.claim()));
addEventListener("fetch", (event) => {
  if (event.request.mode === "navigate") event.respondWith(caches.match(registration.scope));
});
async function keep() {
  await (await caches.open(registration.scope)).add(registration.scope);
  await skipWaiting();
}`;
const hostile = `
addEventListener("activate", (event) => event.waitUntil(clients.claim()));
addEventListener("fetch", (event) => {
  if (!new URL(event.request.url).pathname.startsWith("/auth/")) return;
  event.respondWith(new Response("<h1>Any form</h1>", { headers: { "content-type": "text/html" } }));
});`;
const taking = `
addEventListener("install", () => skipWaiting());
addEventListener("activate", (event) => event.waitUntil(clients.claim()));
addEventListener("fetch", (event) => event.respondWith(answer(event.request)));
async function answer(request) {
  const page = new Response("<h1>Taken</h1>", { headers: { "content-type": "text/html" } });
  const response = new URL(request.url).searchParams.has("code") ? page : await fetch(request);
  const { status, type, headers } = response;
  const text = JSON.stringify([status, type, [...headers], await response.clone().text()]);
  await (await caches.open("taken")).put(request.url, new Response(text));
  return response;
}`;
const workers: Readonly<Record<string, string>> = {
  "/imports/worker.js": 'importScripts("part.js");',
  "/hostile/worker.js": hostile,
  "/taking/worker.js": taking,
};

/** Serves the app. */
export function serveWorkerApp(): Upstream {
  return serveUpstream(({ url }) => {
    const { pathname } = new URL(url);
    const headers = { "content-type": "text/javascript", "service-worker-allowed": "/", "cache-control": "no-cache" };
    if (pathname.endsWith(".js")) return new Response(workers[pathname] ?? offline, { headers });
    const folder = /^\/\w+\//.exec(pathname)?.[0] ?? "/";
    return new Response(pageOf(folder), { headers: { "content-type": "text/html" } });
  });
}

/** Starts the app behind a real proxy, with a real service. */
export async function startWorkerSite(options: Pick<GuardedOptions, "proxy" | "edits">): Promise<Site> {
  await using cleanup = new AsyncDisposableStack();
  const upstream = cleanup.use(serveWorkerApp());
  const { caddy, service } = cleanup.use(await startGuarded({ ...options, env: { APP: upstream.address } }));
  const owned = cleanup.move();
  return {
    url: `${caddy.url}/`,
    rootCertificate: caddy.rootCertificate,
    ...accountsOf(service),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** Opens a page of the app, and waits until the worker is in control. */
export async function openApp(page: Page, path: string): Promise<void> {
  await page.goto(path);
  await page.getByRole("heading", { name: "The app" }).waitFor();
}

/** Registers a user, and logs in with a fresh profile. */
export async function enter({ site, browser }: Scene, login: string) {
  await site.addUser(login);
  const token = await site.logIn(login);
  const context = await browser.newContext({ locale: "en-GB", baseURL: site.url });
  context.setDefaultTimeout(15_000);
  await context.addCookies([sessionCookie(site.url, token)]);
  return {
    openTab: () => context.newPage(),
    logOut: () => site.ask(token, "DELETE", "/session/"),
    [Symbol.asyncDispose]: () => context.close(),
  };
}

/** Ends the session of a user of the app, reloads once, and logs in: where it was, the app works offline again. */
export async function endAndLogIn(
  scene: Scene,
  { login, folder, timeout = patienceMs }: { login: string; folder: string; timeout?: number },
): Promise<void> {
  await using user = await enter(scene, login);
  const page = await user.openTab();
  const path = `${folder}notes?id=7#end`;
  await openApp(page, path);
  await page.evaluate(() => localStorage.setItem("draft", "a text"));
  await user.logOut();
  await page.reload();
  await page.getByRole("heading", { name: "Log in" }).waitFor({ timeout });
  assertEquals(new URL(page.url()).searchParams.get("next"), path);

  await page.getByLabel("Login", { exact: true }).fill(login);
  await page.getByLabel("Password", { exact: true }).fill(password);
  await page.getByRole("button", { name: "Log in", exact: true }).click();
  await page.getByRole("heading", { name: "The app" }).waitFor();
  assertEquals(page.url(), new URL(path, scene.site.url).href);
  assertEquals(await page.evaluate(() => localStorage.getItem("draft")), "a text");
  await page.context().setOffline(true);
  await page.reload();
  await page.getByRole("heading", { name: "The app" }).waitFor();
}

/** Its heading is "The app" when a worker is in control, and "No worker" when the browser cannot register one. */
function pageOf(folder: string): string {
  const script = scripts[folder] ?? `${folder}worker.js`;
  const scope = ["/hostile/", "/taking/"].includes(folder) ? "/" : folder;
  return `<!DOCTYPE html><link rel="icon" href="data:,"><h1></h1><script type="module">
const { serviceWorker } = navigator;
const show = (text) => document.querySelector("h1").textContent = text;
const showApp = () => serviceWorker.controller && show("The app");
serviceWorker.oncontrollerchange = showApp;
showApp();
serviceWorker.register("${script}", { scope: "${scope}" }).catch(() => show("No worker"));
</script>`;
}
