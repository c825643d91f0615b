/** The plots of the status view, in real Chromium through real Caddy. */
import { assert, assertEquals } from "@std/assert";
import { seeFigures } from "../../support/page/figure.ts";
import { pageSuite } from "../../support/page/suite.ts";
import { visit } from "../../support/page/visit.ts";

const { test } = pageSuite();

test("the plots come with the view, and not before", async ({ site, browser }) => {
  const token = await site.admin();
  await visit(browser, { url: site.url, path: "#account", token }, async ({ page }) => {
    const asked: string[] = [];
    page.on("request", (request) => asked.push(request.url().replace(site.url, "")));
    await page.getByRole("link", { name: "Settings" }).click();
    await page.getByRole("heading", { name: "Settings" }).waitFor();
    assertEquals(asked.filter((path) => path.includes("status") || path.includes("uplot")), []);
    await page.getByRole("link", { name: "Status", exact: true }).click();
    await seeFigures(page);
    const wanted = ["page/status.css", "page/status.js", "page/status_plot.js", "page/uplot.css", "page/uplot.js"];
    assertEquals(wanted.filter((path) => !asked.includes(path)), []);
  });
});

for (const language of ["en", "ru"] as const) {
  test(`labels of the plots do not collide at 320 px, in ${language}`, async ({ site, browser }) => {
    const token = await site.admin();
    const look = { language, width: 320 };
    await visit(browser, { url: site.url, path: "#account", token, ...look }, async ({ page, say }) => {
      await page.evaluate(watchLabels);
      await page.getByRole("link", { name: say("Status"), exact: true }).click();
      await seeFigures(page);
      await page.waitForTimeout(500);
      const labels = await page.evaluate("globalThis.labels") as Label[];
      const days = labels.filter(({ text }) => /^\d+ \p{L}/u.test(text));
      assert(new Set(days.map(({ text }) => text)).size >= 2, JSON.stringify(labels));
      assertEquals(collisions(labels), []);
    });
  });
}

/** A text that a plot has drawn, and from where to where. */
interface Label {
  readonly text: string;
  readonly plot: number;
  readonly y: number;
  readonly left: number;
  readonly right: number;
}

/** Notes the texts that are drawn from now on; runs in the page. */
function watchLabels(): void {
  // deno-lint-ignore no-explicit-any -- of the browser
  const { CanvasRenderingContext2D } = globalThis as any;
  const labels: Label[] = [];
  // deno-lint-ignore no-explicit-any -- of the browser
  const plots: any[] = [];
  const fillText = CanvasRenderingContext2D.prototype.fillText;
  // deno-lint-ignore no-explicit-any -- of the browser
  CanvasRenderingContext2D.prototype.fillText = function (this: any, text: string, x: number, y: number) {
    const { width } = this.measureText(text);
    const left = this.textAlign === "center" ? x - width / 2 : this.textAlign === "right" ? x - width : x;
    if (!plots.includes(this.canvas)) plots.push(this.canvas);
    // Drawn again, it takes the place of what was there.
    const plot = plots.indexOf(this.canvas);
    labels.push({ text, plot, y, left, right: left + width });
    fillText.call(this, text, x, y);
  };
  Object.assign(globalThis, { labels });
}

/** Pairs of texts in one line of a plot that touch each other. */
function collisions(labels: readonly Label[]): string[] {
  return labels.flatMap((one) =>
    labels.filter((other) =>
      other !== one && other.text !== one.text && other.plot === one.plot && other.y === one.y &&
      other.left >= one.left && other.left < one.right + 4
    ).map((other) => `${one.text} | ${other.text}`)
  );
}
