/** Apps with service workers behind real Caddy, in real Chromium: what they show when the guard refuses the browser. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { setTimeout as delay } from "node:timers/promises";
import type { Page } from "npm:playwright-core@1.65.1";
import type { Edit } from "../support/caddy/edited_caddyfile.ts";
import { app } from "../support/caddy/guarded.ts";
import { endAndLogIn, enter, openApp, startWorkerSite } from "../support/caddy/worker_app.ts";
import type { Site } from "../support/page/site.ts";
import { pageSuite } from "../support/page/suite.ts";

const { test } = pageSuite(startSite);
const tooLateMs = 5_000;
/** Within this time a page that reloads again and again would. */
const settleMs = 4_000;

/** The app, with routes that differ: `/stuck/` lacks the exit worker, and `/strict/` permits no worker. */
async function startSite(): Promise<Site> {
  const caddyfile = await Deno.readTextFile(new URL("../../caddy/guarded.Caddyfile", import.meta.url));
  const [guard = ""] = /^\(guard\) \{\n.*?^\}\n/ms.exec(caddyfile) ?? [];
  const stuck = guard.replace("(guard)", "(guard-stuck)").replace("\t\t\timport guard-no-worker\n", "");
  assert(!stuck.includes("guard-no-worker"));
  const first = "\troute {\n\t\timport guard users";
  const routes = [
    routeOf("/staff*", "guard staff"),
    routeOf("/stuck*", "guard-stuck users"),
    routeOf("/strict*", "guard-no-worker", "guard users"),
  ];
  const edits: Edit[] = [
    app,
    [first, routes.join("") + first],
    ["(guard-errors) {", `${stuck}\n(guard-errors) {`],
  ];
  return await startWorkerSite({ edits });
}

function routeOf(path: string, ...imports: string[]): string {
  return `\troute ${path} {\n${imports.map((line) => `\t\timport ${line}\n`).join("")}\t\treverse_proxy {$APP}\n\t}\n`;
}

test("an app that works offline leads to the login when the session has ended, and works again", (scene) => {
  return endAndLogIn(scene, { login: "alice", folder: "/" });
});

test("the same app stays as it is without the exit worker", async (scene) => {
  const isStuck = () => endAndLogIn(scene, { login: "bob", folder: "/stuck/", timeout: tooLateMs });
  await assertRejects(isStuck, Error, "Timeout 5000ms exceeded");
});

test("the end of a session closes all tabs of all kinds of workers", async (scene) => {
  await using user = await enter(scene, "carol");
  const paths = ["/wiki/", "/imports/", "/wide/", "/wide/second"];
  const tabs: Page[] = [];
  for (const path of paths) {
    const page = await user.openTab();
    await openApp(page, path);
    tabs.push(page);
  }
  await user.logOut();
  for (const page of tabs.slice(0, -1)) await page.reload();
  for (const [index, page] of tabs.entries()) {
    await page.getByRole("heading", { name: "Log in" }).waitFor();
    assertEquals(new URL(page.url()).searchParams.get("next"), paths[index]);
  }
});

test("an app shows that the user is in its group no more, and reloads once", async (scene) => {
  const { site } = scene;
  await using user = await enter(scene, "dave");
  const setGroups = async (groups: string[]) => {
    await site.ask(await site.admin(), "PATCH", "/user/dave", { groups });
  };
  await setGroups(["staff"]);
  const [closed, open, other] = [await user.openTab(), await user.openTab(), await user.openTab()];
  await openApp(closed, "/staff/#top");
  await openApp(open, "/public/");
  await openApp(other, "/wiki/");
  await setGroups([]);
  const loads = { closed: 0, open: 0, other: 0 };
  closed.on("load", () => loads.closed++);
  open.on("load", () => loads.open++);
  other.on("load", () => loads.other++);
  for (const page of [closed, open, other]) await page.reload();
  await closed.getByRole("heading", { name: "You do not have access to this page" }).waitFor();
  assertEquals(closed.url(), new URL("/staff/#top", site.url).href);
  // The page is not the group's, only its worker is.
  await open.getByRole("heading", { name: "No worker" }).waitFor();
  await delay(settleMs);
  assertEquals(loads, { closed: 2, open: 2, other: 1 });
  await setGroups(["staff"]);
  for (const page of [closed, open]) {
    await page.reload();
    await page.getByRole("heading", { name: "The app" }).waitFor();
  }
});

test("a worker of the app can show another page at /auth/, unless the site permits no workers", async (scene) => {
  await using user = await enter(scene, "erin");
  const page = await user.openTab();
  await page.goto("/strict/");
  await page.getByRole("heading", { name: "No worker" }).waitFor();
  await page.goto("/auth/");
  await page.getByRole("button", { name: "Log out", exact: true }).waitFor();
  await openApp(page, "/hostile/");
  await page.goto("/auth/");
  assertEquals(await page.getByRole("heading").innerText(), "Any form");
});
