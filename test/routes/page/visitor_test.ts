/** Visitors on the page, in real Chromium through real Caddy. */
import { assert, assertEquals } from "@std/assert";
import type { Page } from "npm:playwright-core@1.65.1";
import { focusedId, focusedName, tabTo } from "../../support/page/focus.ts";
import { password } from "../../support/page/site.ts";
import { pageSuite } from "../../support/page/suite.ts";
import { say, visit } from "../../support/page/visit.ts";

const { test, testLooks } = pageSuite();

testLooks("a visitor logs in, after a wrong password", async ({ site, browser }, { login, ...look }) => {
  await site.addUser(login);
  const refused = ["401 POST session/"];
  await visit(browser, { url: site.url, ...look, refused }, async ({ page, say }) => {
    assertEquals(await page.title(), `${say("Log in to {site}")} · Gatehouse`);
    assertEquals(await page.getByRole("heading").innerText(), say("Log in to {site}"));
    assertEquals(await page.getByRole("link", { name: "API" }).count(), 0);
    assertEquals(await page.locator("html").getAttribute("lang"), look.language);
    await page.getByLabel(say("Login"), { exact: true }).fill(login);
    await page.getByLabel(say("Password"), { exact: true }).fill("what was it again");
    await page.getByRole("button", { name: say("Log in"), exact: true }).click();
    await page.getByRole("alert").getByText(say("Wrong login or password.")).waitFor();
    await page.getByLabel(say("Password"), { exact: true }).fill(password);
    await page.getByRole("button", { name: say("Log in"), exact: true }).click();
    await page.getByRole("heading", { name: say("Your account"), exact: true }).waitFor();
    assertEquals(await page.locator("dd.login").textContent(), login);
    assertEquals(await storedSecrets(page), []);
  });
});

testLooks("a failed login removes the message of the logout", async ({ site, browser }, { login, ...look }) => {
  await site.addUser(login);
  const token = await site.logIn(login);
  const refused = ["401 POST session/"];
  await visit(browser, { url: site.url, ...look, token, refused }, async ({ page, say }) => {
    await page.getByRole("button", { name: say("Log out"), exact: true }).click();
    const notice = page.locator("#notice");
    await notice.getByText(say("You are logged out.")).waitFor();
    await page.getByLabel(say("Login"), { exact: true }).fill(login);
    await page.getByLabel(say("Password"), { exact: true }).fill("what was it again");
    await page.keyboard.press("Enter");
    await page.getByRole("alert").getByText(say("Wrong login or password.")).waitFor();
    assertEquals(await notice.textContent(), "");
  });
});

testLooks("a visitor logs in by keyboard alone", async ({ site, browser }, { login, ...look }) => {
  await site.addUser(login);
  await visit(browser, { url: site.url, ...look }, async ({ page, say }) => {
    const { keyboard } = page;
    await keyboard.press("Tab");
    await keyboard.type(login);
    await keyboard.press("Tab");
    await keyboard.type(password);
    await keyboard.press("Tab");
    assertEquals(await focusedName(page), say("Show password"));
    await keyboard.press("Space");
    assertEquals([await focusedName(page), await page.locator("#log-in-password").getAttribute("type")], [
      say("Hide password"),
      "text",
    ]);
    await keyboard.press("Tab");
    assertEquals(await focusedName(page), say("Log in"));
    await keyboard.press("Enter");
    await page.getByRole("heading", { name: say("Your account"), exact: true }).waitFor();
  });
});

testLooks("a visitor registers by keyboard alone", async ({ site, browser }, { login, ...look }) => {
  await visit(browser, { url: site.url, ...look }, async ({ page, say }) => {
    const { keyboard } = page;
    await tabTo(page, say("Register"));
    await keyboard.press("Enter");
    const heading = page.getByRole("heading", { name: say("Create an account"), exact: true });
    await heading.waitFor();
    assertEquals([await focusedName(page), await page.title()], [
      say("Create an account"),
      `${say("Create an account")} · Gatehouse`,
    ]);
    await keyboard.press("Tab");
    await keyboard.type(login);
    await keyboard.press("Tab");
    await keyboard.type("qwertyuiopasdfgh");
    const reason = say("it consists of common passwords");
    const heard = page.getByRole("status");
    await heard.getByText(say("Easy to guess: {reason}.", { reason })).waitFor();
    await keyboard.press("Control+A");
    await keyboard.type("mellow-ott");
    await heard.getByText({ en: "5 more characters", ru: "Ещё 5 символов" }[look.language]).waitFor();
    await keyboard.type("er-41-lantern");
    await heard.getByText(say("Strong"), { exact: true }).waitFor();
    await keyboard.press("Enter");
    await page.getByRole("heading", { name: say("Your account"), exact: true }).waitFor();
    assertEquals(new URL(page.url()).hash, "");
  });
  assert((await site.logIn(login)).length > 40);
});

testLooks("errors of a registration are shown at their fields", async ({ site, browser }, { login, ...look }) => {
  await site.addUser(login);
  const refused = ["422 POST user/", "422 POST user/", "409 POST user/"];
  await visit(browser, { url: site.url, path: "#register", ...look, refused }, async ({ page, say }) => {
    const fields = [page.getByLabel(say("Login"), { exact: true }), page.getByLabel(say("Password"), { exact: true })];
    const [name, secret] = fields;
    assert(name !== undefined && secret !== undefined);
    const errorOf = async (field: typeof name) => {
      const id = await field.getAttribute("id");
      return [await field.getAttribute("aria-invalid"), await page.locator(`#${id}-error`).textContent()];
    };
    const register = page.getByRole("button", { name: say("Register"), exact: true });

    // The rules are shown before they are broken.
    await page.getByText(say("At least {minLength} characters of any kind. A few random words work well.", {
      minLength: 15,
    })).waitFor();
    await page.locator("#register-login-hint").waitFor();
    await register.click();
    for (const field of fields) assertEquals(await errorOf(field), ["true", say("Required.")]);
    assertEquals(await focusedId(page), "register-login");

    await name.fill("b:ob");
    assertEquals(await errorOf(name), [null, ""]);
    await secret.fill("short");
    await Promise.all([page.waitForResponse("**/user/"), register.click()]);
    await page.getByText({ en: "Must have at least 15 characters.", ru: "Нужно не менее 15 символов." }[look.language])
      .waitFor();
    const wrongName = say("Only a–z, digits and . _ - @ +; the first is a letter or digit.");
    assertEquals(await errorOf(name), ["true", wrongName]);
    assertEquals(await focusedId(page), "register-login");
    // A screen reader reads rule and error with the field.
    assertEquals(await name.getAttribute("aria-describedby"), "register-login-hint register-login-error");

    await name.fill(login.toUpperCase());
    await secret.fill(`my name is ${login}!`);
    await Promise.all([page.waitForResponse("**/user/"), register.click()]);
    const reason = say("Easy to guess: {reason}.", { reason: say("it contains the login") });
    await page.locator("#register-password-error").getByText(reason).waitFor();
    assertEquals(await focusedId(page), "register-password");

    await secret.fill(password);
    await Promise.all([page.waitForResponse("**/user/"), register.click()]);
    await page.locator("#register-login-error").getByText(say("This login is taken.")).waitFor();
    assertEquals([await focusedId(page), await errorOf(secret)], ["register-login", [null, ""]]);
  });
});

/** `next`, and the address after the login. */
const ends: readonly [next: string, end: string][] = [
  ["/docs/", "/docs/"],
  ["/docs/?a=b#c", "/docs/?a=b#c"],
  ["//evil.example", "/?next=%2F%2Fevil.example"],
  ["/\\evil.example", "/?next=%2F%5Cevil.example"],
  ["/\t/evil.example", "/?next=%2F%09%2Fevil.example"],
  ["https://evil.example/", "/?next=https%3A%2F%2Fevil.example%2F"],
  ["javascript:alert(1)", "/?next=javascript%3Aalert%281%29"],
];

test("a login continues at `next`, if that is a path of this host", async ({ site, browser }) => {
  await site.addUser("nexter");
  await visit(browser, { url: site.url }, async ({ page, context }) => {
    for (const [next, end] of ends) {
      await page.goto(`${site.url}?${new URLSearchParams({ next })}`);
      await page.getByLabel("Login", { exact: true }).fill("nexter");
      await page.getByLabel("Password", { exact: true }).fill(password);
      await Promise.all([page.waitForEvent("load"), page.keyboard.press("Enter")]);
      assertEquals(page.url(), new URL(end, site.url).href, next);
      // The requests of the account must not be sent without a session.
      await page.waitForLoadState("networkidle");
      await context.clearCookies();
    }
  });
});

test("a chosen language stays, and so does typed text", async ({ site, browser }) => {
  await visit(browser, { url: site.url, path: "#register" }, async ({ page }) => {
    await page.getByLabel("Login", { exact: true }).fill("typed");
    await page.getByRole("button", { name: "Русский" }).click();
    await page.getByRole("heading", { name: say("ru", "Create an account") }).waitFor();
    assertEquals(await page.getByLabel("Логин", { exact: true }).inputValue(), "typed");
    assertEquals(await page.locator("html").getAttribute("lang"), "ru");
    assertEquals(await page.getByRole("button", { name: "Русский" }).getAttribute("aria-pressed"), "true");
    await page.reload();
    await page.getByRole("heading", { name: say("ru", "Create an account") }).waitFor();
    await page.getByRole("button", { name: "English" }).click();
    await page.getByRole("heading", { name: "Create an account" }).waitFor();
    assertEquals(await storedSecrets(page), []);
  });
});

test("fields tell password managers what they are", async ({ site, browser }) => {
  await visit(browser, { url: site.url }, async ({ page }) => {
    for (
      const [view, expected] of [
        ["log-in", ["username webauthn", "current-password"]],
        ["register", ["username", "new-password", "off"]],
        ["reset", ["username", "off", "new-password"]],
      ] as const
    ) {
      await page.goto(`${site.url}#${view}`);
      await page.locator(`#${view}-login`).waitFor();
      const fields = page.locator("main input");
      const found = await fields.evaluateAll((all) => all.map((one) => one.getAttribute("autocomplete")));
      assertEquals(found, [...expected]);
      assertEquals(
        await fields.evaluateAll((all) => all.filter((one) => one.getAttribute("autocapitalize") !== "none")),
        [],
      );
      assertEquals(
        await fields.evaluateAll((all) => all.filter((one) => one.getAttribute("spellcheck") !== "false")),
        [],
      );
    }
  });
});

/** Everything that the browser stores, except the language. */
function storedSecrets(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    // deno-lint-ignore no-explicit-any -- of the browser, whose types a test on Deno lacks
    const { localStorage, sessionStorage, document } = globalThis as any;
    const names = [...Object.keys(localStorage), ...Object.keys(sessionStorage), document.cookie];
    return names.filter((name) => name !== "" && name !== "gatehouse-language");
  });
}
