/** Layout, motion, policy and weight of the page. `narrow_test.ts` and `wide_test.ts` look at all views. */
import { assert, assertEquals, AssertionError, assertRejects } from "@std/assert";
import type { Browser, Page } from "npm:playwright-core@1.65.1";
import { barriersOf } from "../../support/page/barrier.ts";
import { startSite } from "../../support/page/site.ts";
import { pageSuite } from "../../support/page/suite.ts";
import { sessionCookie, visit } from "../../support/page/visit.ts";

const { test } = pageSuite(async () => {
  const site = await startSite();
  await site.admin();
  await site.addUser("alice");
  return site;
});

/** What a first load may take, by the user and the language. Russian has letters of two bytes. */
const maxFirstLoadBytes = [[undefined, "en", 28_000], [undefined, "ru", 33_000], ["root", "ru", 40 * 1024]] as const;

test("barriersOf() finds what has no name, is too pale, too small, or cut off", async ({ browser }) => {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
  try {
    const page = await context.newPage();
    await page.setContent(`<!DOCTYPE html><html lang="en"><title>t</title><main><h1>t</h1><input><button>x</button>
      <p style="color: #999">pale</p><p style="width: 500px">wide</p><i>large</i><b>${"x".repeat(60)}</b></main>`);
    await page.addStyleTag({ content: "button { width: 20px; height: 20px; padding: 0 }" });
    await page.addStyleTag({
      content: "i { display: inline-block; width: 60rem } b { margin-left: 640px; font: 16px monospace }",
    });
    const found = (await barriersOf(page)).join("\n");
    for (
      const what of [
        "label: <input>",
        "color-contrast: <p",
        "<button>x</button>",
        'at 320 px: <p style="width',
        "with letters twice as large: <i>",
        "with more space in the text: <b>",
      ]
    ) {
      assert(found.includes(what), `${what} in ${found}`);
    }
    assert(!found.includes("at 640 px: <p style"), found);
  } finally {
    await context.close();
  }
});

for (const [who, language, max] of maxFirstLoadBytes) {
  const name = `the first load of ${who === undefined ? "a visitor" : "an administrator"}, in ${language}`;
  test(`${name}, is at most ${max} bytes, and hardly anything again`, async ({ site, browser }) => {
    const { first, again } = await weigh(browser, {
      url: who === undefined ? site.url : `${site.url}#users`,
      token: who && await site.logIn(who),
      locale: language,
    });
    assert(first > 5_000 && first <= max, `${first} bytes`);
    assert(again < first / 4, `${first} bytes, and ${again} again`);
  });
}

for (const language of ["en", "ru"] as const) {
  test(`the navigation is one row at 360 px, in ${language}`, async ({ site, browser }) => {
    const token = await site.logIn("root");
    await visit(browser, { url: site.url, token, language, width: 360 }, async ({ page }) => {
      const links = page.getByRole("navigation").getByRole("link");
      const boxes = await Promise.all((await links.all()).map((link) => link.boundingBox()));
      assertEquals(boxes.length, 4);
      assertEquals(new Set(boxes.map((box) => box?.y)).size, 1);
      assertEquals(await page.locator("html").evaluate(({ scrollWidth }) => scrollWidth), 360);
    });
  });
}

test("the account fills a wide page, and is one column on a narrow one", async ({ site, browser }) => {
  for (const [width, areBeside] of [[1280, true], [360, false]] as const) {
    await visit(browser, { url: site.url, token: await site.logIn("alice"), width }, async ({ page }) => {
      const [sessions, password] = await Promise.all(
        ["Active sessions", "Change the password"].map((name) => page.getByRole("region", { name }).boundingBox()),
      );
      assert(sessions && password);
      assertEquals(password.x >= sessions.x + sessions.width, areBeside);
      assertEquals(password.y >= sessions.y + sessions.height, !areBeside);
    });
  }
});

test("nothing moves if the user prefers reduced motion", async ({ site, browser }) => {
  for (const motion of ["reduce", "no-preference"] as const) {
    await visit(browser, { url: site.url, path: "#register", motion }, async ({ page }) => {
      const moving = await page.evaluate(() => {
        // deno-lint-ignore no-explicit-any -- of the browser
        const { document, getComputedStyle } = globalThis as any;
        return [...document.querySelectorAll("*")]
          .map((element) => getComputedStyle(element))
          .filter(({ transitionDuration, animationName, scrollBehavior }) =>
            !/^0s(, 0s)*$/.test(transitionDuration) || animationName !== "none" || scrollBehavior !== "auto"
          ).length;
      });
      assertEquals(moving > 0, motion === "no-preference", `${moving} with ${motion}`);
    });
  }
});

test("the strength meter is loaded at the first focus of a field for a new password", async ({ site, browser }) => {
  await visit(browser, { url: site.url }, async ({ page }) => {
    const asked: string[] = [];
    page.on("request", (request) => asked.push(request.url().replace(/.*\//, "")));
    await page.getByRole("link", { name: "Register" }).click();
    await page.getByRole("heading", { name: "Create an account" }).waitFor();
    await page.getByLabel("Login", { exact: true }).fill("alice");
    assertEquals(asked.filter((name) => /strength|zxcvbn/.test(name)), []);
    const loaded = page.waitForResponse("**/zxcvbn.js");
    await page.getByLabel("Password", { exact: true }).focus();
    await loaded;
  });
});

test("the policy blocks requests to other hosts, and a visit reports them", async ({ site, browser }) => {
  const violate = () =>
    visit(browser, { url: site.url }, async ({ page }) => {
      assertEquals(await directivesBroken(page), ["connect-src", "img-src", "script-src-elem", "style-src-attr"]);
    });
  await assertRejects(violate, AssertionError, "Content Security Policy");
});

/** Does what a stranger's script would, and says which parts of the policy were against it. */
async function directivesBroken(page: Page): Promise<string[]> {
  return await page.evaluate(async () => {
    // deno-lint-ignore no-explicit-any -- of the browser, whose types a test on Deno lacks
    const { document, fetch, setTimeout } = globalThis as any;
    const directives: string[] = [];
    const note = (event: { effectiveDirective: string }) => directives.push(event.effectiveDirective);
    document.addEventListener("securitypolicyviolation", note);
    await fetch("https://elsewhere.example/").catch(() => {});
    const image = document.createElement("img");
    image.src = "https://elsewhere.example/";
    const script = document.createElement("script");
    script.textContent = "alert(1)";
    document.body.append(image, script);
    document.body.setAttribute("style", "display: none");
    await new Promise((resolve) => setTimeout(resolve, 300));
    return directives.sort();
  });
}

/** What a first load takes, and a second one, in bytes over the wire, headers among them. */
async function weigh(
  browser: Browser,
  { url, token, locale }: { url: string; token: string | undefined; locale: string },
): Promise<{ first: number; again: number }> {
  const context = await browser.newContext({ locale });
  try {
    if (token !== undefined) await context.addCookies([sessionCookie(url, token)]);
    const page = await context.newPage();
    const session = await context.newCDPSession(page);
    const received = { bytes: 0 };
    await session.send("Network.enable");
    session.on("Network.loadingFinished", ({ encodedDataLength }) => received.bytes += encodedDataLength);
    await page.goto(url, { waitUntil: "networkidle" });
    const first = received.bytes;
    await page.reload({ waitUntil: "networkidle" });
    return { first, again: received.bytes - first };
  } finally {
    await context.close();
  }
}
