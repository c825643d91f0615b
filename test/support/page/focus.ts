/** Where the focus is, and moving it as people without a mouse do. */
import type { Page } from "npm:playwright-core@1.65.1";

/** What a screen reader calls the element with the focus, if it is a simple one. */
export function focusedName(page: Page): Promise<string> {
  return page.locator(":focus").evaluate((element) => element.getAttribute("aria-label") ?? element.textContent ?? "");
}

/** Its id. */
export async function focusedId(page: Page): Promise<string> {
  return await page.locator(":focus").getAttribute("id") ?? "";
}

/** Presses Tab until the element of that name has the focus: behind the last one, the first one follows. */
export async function tabTo(page: Page, name: string): Promise<void> {
  for (let count = 0; count < 40; count++) {
    await page.keyboard.press("Tab");
    const hasFocus = await page.locator(":focus").count() > 0;
    if (hasFocus && await focusedName(page) === name) return;
  }
  throw new Error(`Cannot reach "${name}" by Tab`);
}
