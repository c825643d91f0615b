/** Barriers in a view: findings of axe, targets too small to press, content cut off on a narrow page. */
// axe-core: the field's checker of accessibility; run in the page, as its extensions for browsers do.
import axe from "npm:axe-core@4.14.1";
import type { Page } from "npm:playwright-core@1.65.1";

/** WCAG 2.2, levels A and AA, and what axe's authors call best. */
const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
/** Of a window of 1280 px at a zoom of 200 %; and as narrow as WCAG 2.2, 1.4.10, has it. */
const zoomedWidths = [640, 320];

/** What a user's own style may set, and the width from which on the page must bear it. */
const ownStyles: readonly [name: string, style: string, least: number][] = [
  // WCAG 2.2, 1.4.4.
  ["with letters twice as large", "html { font-size: 200% !important }", 1280],
  // WCAG 2.2, 1.4.12.
  [
    "with more space in the text",
    "* { line-height: 1.5 !important; letter-spacing: 0.12em !important; word-spacing: 0.16em !important }" +
    "p { margin-block-end: 2em !important }",
    320,
  ],
];

/** All of it, in words. The window is narrow afterwards. */
export async function barriersOf(page: Page): Promise<string[]> {
  const found = [...await violations(page), ...await smallTargets(page), ...await overflow(page)];
  const { width } = page.viewportSize() ?? { width: 0 };
  for (const [name, style] of ownStyles.filter(([, , least]) => width >= least)) {
    await setStyle(page, style);
    found.push(...(await overflow(page)).map((text) => `${name}: ${text}`));
    await setStyle(page, "");
  }
  for (const zoomed of zoomedWidths.filter((one) => one < width)) {
    await page.setViewportSize({ width: zoomed, height: 400 });
    await drawn(page);
    found.push(...(await overflow(page)).map((text) => `at ${zoomed} px: ${text}`));
  }
  return found;
}

/** What follows a change of size, such as that of a plot, comes with the next frame or the one after. */
async function drawn(page: Page): Promise<void> {
  await page.evaluate(() => {
    // deno-lint-ignore no-explicit-any -- of the browser
    const { requestAnimationFrame } = globalThis as any;
    return new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
  });
}

/** The policy of the page is against a style element, and not against this. */
async function setStyle(page: Page, style: string): Promise<void> {
  await page.evaluate((text) => {
    // deno-lint-ignore no-explicit-any -- of the browser
    const { document, CSSStyleSheet } = globalThis as any;
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(text);
    document.adoptedStyleSheets = [sheet];
  }, style);
  await drawn(page);
}

/** What axe finds, as rule and element. */
async function violations(page: Page): Promise<string[]> {
  // Not by a script element, which the policy of the page would not run.
  await page.evaluate(axe.source);
  return await page.evaluate(async (values) => {
    // deno-lint-ignore no-explicit-any -- of the browser
    const { axe, document } = globalThis as any;
    // Without the details of what passes, which take most of the time on a long page.
    const options = { runOnly: { type: "tag", values }, resultTypes: ["violations"] };
    const results: axe.AxeResults = await axe.run(document, options);
    return results.violations.flatMap(({ id, nodes }) =>
      nodes.map((node) => `${id}: ${node.html} ${node.failureSummary}`)
    );
  }, tags);
}

/** What makes the page scroll sideways. */
async function overflow(page: Page): Promise<string[]> {
  return await page.evaluate(() => {
    // deno-lint-ignore no-explicit-any -- of the browser
    const { document, innerWidth } = globalThis as any;
    const wide = [document.scrollingElement, ...document.querySelectorAll("dialog")]
      .filter((element) => element.scrollWidth > element.clientWidth);
    const beyond = [...document.querySelectorAll("body *")]
      .filter((element) => element.checkVisibility() && element.getBoundingClientRect().right > innerWidth + 1);
    return [...wide, ...beyond].map((element) => element.outerHTML.slice(0, 200));
  });
}

/** What is pressed and is smaller than 24 by 24 px, beside links in a line of text (WCAG 2.2, 2.5.8). */
async function smallTargets(page: Page): Promise<string[]> {
  return await page.evaluate(() => {
    // deno-lint-ignore no-explicit-any -- of the browser
    const { document } = globalThis as any;
    return [...document.querySelectorAll("button, input, a")]
      .filter((element) => element.checkVisibility())
      .filter((element) => {
        const { width, height } = element.getBoundingClientRect();
        return width < 24 || height < 24;
      })
      .map((element) => element.outerHTML);
  });
}
