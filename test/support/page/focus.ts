/** Where the focus is, and moving it as people without a mouse do. */
import { assert } from "@std/assert";
import type { Page } from "npm:playwright-core@1.65.1";

/** What a screen reader calls the element with the focus, if it is a simple one. */
export function focusedName(page: Page): Promise<string> {
  return page.locator(":focus").evaluate((element) => {
    // deno-lint-ignore no-explicit-any -- of the browser
    const [label] = (element as any).labels ?? [];
    return element.getAttribute("aria-label") ?? (label ?? element).textContent ?? "";
  });
}

/** Its id. */
export async function focusedId(page: Page): Promise<string> {
  return await page.locator(":focus").getAttribute("id") ?? "";
}

/**
 * Presses Tab until the element of that name has the focus: behind the last one, the first one follows. The focus must
 * be visible there.
 */
export async function tabTo(page: Page, name: string): Promise<void> {
  for (let count = 0; count < 40; count++) {
    await page.keyboard.press("Tab");
    const hasFocus = await page.locator(":focus").count() > 0;
    if (hasFocus && await focusedName(page) === name) return assert(await isFocusVisible(page), `a ring at "${name}"`);
  }
  throw new Error(`Cannot reach "${name}" by Tab`);
}

/** Presses the button or follows the link of that name. */
export async function press(page: Page, name: string): Promise<void> {
  await tabTo(page, name);
  await page.keyboard.press("Enter");
}

/** Waits until all dialogs are closed, and the buttons that have opened them work again. */
export async function seeNoDialog(page: Page): Promise<void> {
  await page.locator("dialog, [aria-busy=true]").first().waitFor({ state: "detached" });
}

function isFocusVisible(page: Page): Promise<boolean> {
  return page.locator(":focus").evaluate((element) => {
    // deno-lint-ignore no-explicit-any -- of the browser
    const { outlineStyle, outlineWidth } = (globalThis as any).getComputedStyle(element);
    return outlineStyle === "solid" && parseFloat(outlineWidth) >= 2;
  });
}
