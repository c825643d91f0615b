/**
 * Takes a picture of each view, light and dark, wide and narrow, in both languages, into a new folder whose path it
 * prints: to be looked at by whoever changed the look. `deno task screenshots`
 */
import type { Browser, Page } from "npm:playwright-core@1.65.1";
import { printLine, runTask } from "../../../lib/tasks/task.ts";
import { startBrowser } from "../../support/page/browser.ts";
import { type Site, startSite } from "../../support/page/site.ts";
import { settle, views } from "../../support/page/views.ts";
import { type Look, visit } from "../../support/page/visit.ts";

const looks: readonly (Look & { readonly colours: "light" | "dark" })[] = [
  { language: "en", width: 1280, colours: "light" },
  { language: "en", width: 1280, colours: "dark" },
  { language: "ru", width: 1280, colours: "dark" },
  { language: "ru", width: 320, colours: "light" },
  { language: "en", width: 320, colours: "dark" },
];

/** Takes all of them. @returns their paths */
async function takeAll(site: Site, browser: Browser, folder: string): Promise<string[]> {
  const paths: string[] = [];
  for (const { name, path, who, refused = [], open } of views) {
    const token = who === undefined ? undefined : await site.logIn(who, "Chrome/156.0 (Linux)");
    for (const { language, width, colours } of looks) {
      const picture = `${folder}/${name}-${colours}-${width}-${language}.png`;
      await visit(browser, { url: site.url, path, token, language, width, colours, refused }, async (one) => {
        await open?.(one);
        await takePicture(one.page, picture);
      });
      paths.push(picture);
    }
    if (token !== undefined) await site.ask(token, "DELETE", "/session/");
  }
  return paths;
}

/** Takes all of the page. A dialog is above what is in the window, so the window is made as high as that. */
async function takePicture(page: Page, path: string): Promise<void> {
  const dialog = page.getByRole("dialog").last();
  const hasDialog = await dialog.count() > 0;
  if (hasDialog) {
    const { width, height } = page.viewportSize() ?? { width: 0, height: 0 };
    const needed = await dialog.evaluate((element) => element.scrollHeight + 40);
    await page.setViewportSize({ width, height: Math.max(height, needed) });
  }
  await page.screenshot({ path, fullPage: !hasDialog });
}

if (import.meta.main) {
  await runTask({
    usage: "screenshots",
    help: "Takes a picture of each view of the page in real Chromium, and prints the paths.",
    async run() {
      await using site = await startSite();
      await using running = await startBrowser([site.rootCertificate]);
      await settle(site);
      const folder = await Deno.makeTempDir({ prefix: "gatehouse-screenshots-" });
      for (const path of await takeAll(site, running.browser, folder)) printLine(path);
      return 0;
    },
  });
}
