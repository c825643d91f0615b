/** Passkeys on the page, with the virtual authenticator of real Chromium, through real Caddy. */
import { assertEquals } from "@std/assert";
import type { Page } from "npm:playwright-core@1.65.1";
import { addAuthenticator } from "../../support/page/factors.ts";
import { focusedId, focusedName, tabTo } from "../../support/page/focus.ts";
import { password } from "../../support/page/site.ts";
import { pageSuite } from "../../support/page/suite.ts";
import { type Visit, visit } from "../../support/page/visit.ts";

const { test, testLooks } = pageSuite();

testLooks(
  "a user adds a passkey, logs in with it alone, renames and deletes it, by keyboard",
  async ({ site, browser }, { login, ...look }) => {
    await site.addUser(login);
    const options = { url: site.url, ...look, token: await site.logIn(login), refused: ["403 POST session/passkey/"] };
    await visit(browser, options, async ({ page, say }) => {
      const { keyboard } = page;
      const press = async (name: string) => {
        await tabTo(page, name);
        await keyboard.press("Enter");
      };
      const authenticator = await addAuthenticator(page);
      await page.reload();
      await page.getByRole("heading", { name: say("Passkeys"), exact: true }).waitFor();
      await press(say("Add a passkey…"));
      // The field has the name of the device, as a proposal.
      assertEquals([await focusedId(page), await page.locator("#ask-name").inputValue()], [
        "ask-name",
        "Chrome · Linux",
      ]);
      await keyboard.press("Control+A");
      await keyboard.type("My key");
      await keyboard.press("Enter");
      await page.getByRole("dialog", { name: say("Your recovery codes") }).waitFor();
      await press(say("Close"));
      await page.getByRole("status").getByText(say("The passkey is added.")).waitFor();
      assertEquals(await authenticator.count(), 1);

      await press(say("Rename {name}", { name: "My key" }));
      await keyboard.press("Control+A");
      await keyboard.type("Laptop");
      await keyboard.press("Enter");
      await page.locator(".credentials strong").getByText("Laptop", { exact: true }).waitFor();
      assertEquals(await focusedName(page), say("Rename {name}", { name: "Laptop" }));

      await logOut(page, say);
      await press(say("Log in with a passkey"));
      await page.getByRole("heading", { name: say("Your account"), exact: true }).waitFor();
      assertEquals(await page.locator("dd.login").textContent(), login);
      await seeFactors(page, say, ["Passkey"]);

      await press(say("Delete {name}", { name: "Laptop" }));
      assertEquals(await focusedName(page), say("Cancel"));
      await keyboard.press("Shift+Tab");
      await keyboard.press("Enter");
      await page.getByRole("status").getByText(say("The passkey is deleted.")).waitFor();
      assertEquals(await page.locator(".credentials li").count(), 0);

      // The device still has it.
      await logOut(page, say);
      await press(say("Log in with a passkey"));
      await page.getByRole("alert").getByText(say("The code or the passkey is wrong.")).waitFor();
      assertEquals(await focusedName(page), say("Log in with a passkey"));
    });
  },
);

testLooks("the field of the login offers passkeys", async ({ site, browser }, { login, ...look }) => {
  await site.addUser(login);
  const token = await site.logIn(login);
  await visit(browser, { url: site.url, ...look, token }, async ({ page, say }) => {
    await addAuthenticator(page, { hasAutofill: true });
    await addPasskey(page, say);
    await page.getByRole("button", { name: say("Log out"), exact: true }).click();
    await page.getByRole("heading", { name: say("Log in to {site}"), exact: true }).waitFor();
    // The authenticator picks the first one of the list.
    await page.getByRole("heading", { name: say("Your account"), exact: true }).waitFor();
    await seeFactors(page, say, ["Passkey"]);
  });
});

testLooks("a passkey is the second factor of a password", async ({ site, browser }, { login, ...look }) => {
  await site.addUser(login);
  const token = await site.logIn(login);
  await visit(browser, { url: site.url, ...look, token }, async ({ page, say }) => {
    await addAuthenticator(page);
    await page.reload();
    await addPasskey(page, say);
    await logOut(page, say);
    const { keyboard } = page;
    await keyboard.press("Tab");
    await keyboard.type(login);
    await keyboard.press("Tab");
    await keyboard.type(password);
    await keyboard.press("Enter");
    await page.getByRole("heading", { name: say("Confirm it is you"), exact: true }).waitFor();
    assertEquals(await page.title(), `${say("Confirm it is you")} · Gatehouse`);
    assertEquals(await page.getByLabel(say("One-time code")).isVisible(), false);
    await tabTo(page, say("Use a passkey"));
    await keyboard.press("Enter");
    await page.getByRole("heading", { name: say("Your account"), exact: true }).waitFor();
    await seeFactors(page, say, ["Password", "Passkey"]);
  });
});

test("a password manager's objects without toJSON() work", async ({ site, browser }) => {
  await site.addUser("managed");
  const token = await site.logIn("managed");
  await visit(browser, { url: site.url, token }, async ({ page, say }) => {
    await addAuthenticator(page);
    await page.addInitScript(() => {
      // deno-lint-ignore no-explicit-any -- of the browser
      const { navigator } = globalThis as any;
      for (const name of ["create", "get"]) {
        const own = navigator.credentials[name].bind(navigator.credentials);
        navigator.credentials[name] = async (options: unknown) => {
          const { id, rawId, type, response } = await own(options);
          return { id, rawId, type, response };
        };
      }
    });
    await page.reload();
    await addPasskey(page, say);
    await logOut(page, say);
    await page.getByRole("button", { name: "Log in with a passkey" }).click();
    await seeFactors(page, say, ["Passkey"]);
  });
});

test("a login without a passkey says so, and the password works", async ({ site, browser }) => {
  await site.addUser("keyless");
  await visit(browser, { url: site.url }, async ({ page, say }) => {
    await addAuthenticator(page);
    await page.getByRole("button", { name: "Log in with a passkey" }).click();
    await page.getByRole("alert").getByText("No passkey was used.").waitFor();
    await page.getByLabel("Login", { exact: true }).fill("keyless");
    await page.getByLabel("Password", { exact: true }).fill(password);
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Your account" }).waitFor();
    await seeFactors(page, say, ["Password"]);
  });
});

test("a browser without passkeys shows no button for them", async ({ site, browser }) => {
  await site.addUser("old-browser");
  const token = await site.logIn("old-browser");
  await visit(browser, { url: site.url, token }, async ({ page }) => {
    await page.addInitScript(() => {
      // deno-lint-ignore no-explicit-any -- of the browser
      delete (globalThis as any).PublicKeyCredential;
    });
    await page.reload();
    await page.getByText("This browser cannot use passkeys. They need HTTPS.").waitFor();
    assertEquals(await page.getByRole("button", { name: "Add a passkey…" }).count(), 0);
    await page.getByRole("button", { name: "Log out", exact: true }).click();
    await page.getByRole("button", { name: "Log in", exact: true }).waitFor();
    assertEquals(await page.getByRole("button", { name: "Log in with a passkey" }).count(), 0);
  });
});

async function addPasskey(page: Page, say: Visit["say"]): Promise<void> {
  await page.getByRole("button", { name: say("Add a passkey…") }).click();
  await page.keyboard.press("Enter");
  await page.getByRole("dialog", { name: say("Your recovery codes") }).waitFor();
  await page.keyboard.press("Escape");
  await page.getByRole("status").getByText(say("The passkey is added.")).waitFor();
}

async function logOut(page: Page, say: Visit["say"]): Promise<void> {
  await page.getByRole("button", { name: say("Log out"), exact: true }).click();
  await page.getByRole("status").getByText(say("You are logged out.")).waitFor();
}

/** What has proved the user of this session. */
async function seeFactors(page: Page, say: Visit["say"], names: readonly string[]): Promise<void> {
  const factors = names.map((name) => say(name)).join(", ");
  const own = page.locator(".sessions li").filter({ has: page.locator(".chip:visible") });
  await own.getByText(say("Proved by: {factors}", { factors }), { exact: true }).waitFor();
}
