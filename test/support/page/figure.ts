/** The figures of the status page, as a test sees them. */
import { assertEquals } from "@std/assert";
import type { Page } from "npm:playwright-core@1.65.1";
import type { Site } from "./site.ts";

/** What stands there, by its name in routes/page/status.js. */
export async function figure(page: Page, name: string): Promise<string> {
  return await page.locator(`.figures dd[data-name="${name}"]`).textContent() ?? "";
}

/** Waits until the service has told the figures. */
export async function seeFigures(page: Page): Promise<void> {
  await page.locator('.figures dd[data-name="users"]').filter({ hasText: /^[1-9]/ }).waitFor();
}

/** Somebody types a wrong password, past the browser, and the page shows it soon. */
export async function seeFailedLogin(page: Page, { service }: Site): Promise<void> {
  await seeFigures(page);
  const failures = page.locator('.figures dd[data-name="failures"]').filter({ hasText: /^[1-9]/ });
  // Once more when the first one's minute was over before it could be seen.
  for (let tries = 0; tries < 2; tries++) {
    const response = await fetch(`${service.url}/session/`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ login: `stranger-${crypto.randomUUID()}`, password: "rusty-anchor-17-meadow" }),
    });
    await response.body?.cancel();
    assertEquals(response.status, 401);
    const isSeen = await failures.waitFor({ timeout: 4_000 }).then(() => true, () => false);
    if (isSeen) return;
  }
  throw new Error(`The page shows no failed login, but "${await figure(page, "failures")}"`);
}
