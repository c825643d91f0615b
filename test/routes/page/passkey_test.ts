/**
 * Passkeys on the page, with the virtual authenticator of real Chromium, through real Caddy.
 *
 * By keyboard means Tab, Enter and Escape alone. The list that the field of the login offers is the browser's own, and
 * headless Chromium does not show it: there the authenticator picks the first passkey.
 */
import { assertEquals } from "@std/assert";
import { addAuthenticator, addPasskey, logInByPassword, logOut, seeFactors } from "../../support/page/factors.ts";
import { focusedId, focusedName, press, seeNoDialog, tabTo } from "../../support/page/focus.ts";
import { password } from "../../support/page/site.ts";
import { pageSuite } from "../../support/page/suite.ts";
import { visit } from "../../support/page/visit.ts";

const { test, testLooks } = pageSuite();

testLooks("a user registers a passkey by keyboard", async ({ site, browser }, { login, ...look }) => {
  await site.addUser(login);
  await visit(browser, { url: site.url, ...look, token: await site.logIn(login) }, async ({ page, say }) => {
    const { keyboard } = page;
    const authenticator = await addAuthenticator(page);
    await page.reload();
    await page.getByRole("heading", { name: say("Passkeys"), exact: true }).waitFor();
    await press(page, say("Add a passkey…"));
    await page.getByRole("dialog", { name: say("Add a passkey"), exact: true }).waitFor();
    await keyboard.press("Escape");
    await seeNoDialog(page);
    assertEquals(await focusedName(page), say("Add a passkey…"));

    await keyboard.press("Enter");
    // The field has the name of the device, as a proposal.
    assertEquals(await focusedId(page), "ask-name");
    assertEquals(await page.locator("#ask-name").inputValue(), "Chrome · Linux");
    await keyboard.press("Control+A");
    await keyboard.type("My key");
    await keyboard.press("Enter");
    await page.getByRole("dialog", { name: say("Your recovery codes") }).waitFor();
    assertEquals(await focusedName(page), say("Copy codes"));
    await keyboard.press("Escape");
    await page.getByRole("status").getByText(say("The passkey is added.")).waitFor();
    assertEquals(await focusedName(page), say("Add a passkey…"));
    assertEquals(await page.locator(".credentials strong").textContent(), "My key");
    assertEquals(await authenticator.count(), 1);
  });
});

testLooks("a user logs in with a passkey alone, by keyboard", async ({ site, browser }, { login, ...look }) => {
  await site.addUser(login);
  await visit(browser, { url: site.url, ...look, token: await site.logIn(login) }, async ({ page, say }) => {
    await addAuthenticator(page);
    await page.reload();
    await addPasskey(page, say);
    await logOut(page, say);
    await press(page, say("Log in with a passkey"));
    await page.getByRole("heading", { name: say("Your account"), exact: true }).waitFor();
    assertEquals(await page.locator("dd.login").textContent(), login);
    await seeFactors(page, say, ["Passkey"]);
  });
});

testLooks("a user logs in with a passkey by autofill", async ({ site, browser }, { login, ...look }) => {
  await site.addUser(login);
  await visit(browser, { url: site.url, ...look, token: await site.logIn(login) }, async ({ page, say }) => {
    await addAuthenticator(page, { hasAutofill: true });
    await addPasskey(page, say);
    const button = page.getByRole("button", { name: say("Log out"), exact: true });
    await Promise.all([page.waitForResponse("**/session/passkey/"), button.click()]);
    await seeFactors(page, say, ["Passkey"]);
  });
});

testLooks("a passkey is the second factor of a password, by keyboard", async ({ site, browser }, options) => {
  const { login, ...look } = options;
  await site.addUser(login);
  await visit(browser, { url: site.url, ...look, token: await site.logIn(login) }, async ({ page, say }) => {
    await addAuthenticator(page);
    await page.reload();
    await addPasskey(page, say);
    await logOut(page, say);
    await logInByPassword(page, say, login);
    assertEquals(await page.title(), `${say("Confirm it is you")} · Gatehouse`);
    assertEquals(await focusedName(page), say("Confirm it is you"));
    assertEquals(await page.getByLabel(say("One-time code")).isVisible(), false);
    await press(page, say("Use a passkey"));
    await page.getByRole("heading", { name: say("Your account"), exact: true }).waitFor();
    await seeFactors(page, say, ["Password", "Passkey"]);
  });
});

testLooks("a user renames and deletes a passkey by keyboard", async ({ site, browser }, { login, ...look }) => {
  await site.addUser(login);
  const options = { url: site.url, ...look, token: await site.logIn(login), refused: ["403 POST session/passkey/"] };
  await visit(browser, options, async ({ page, say }) => {
    const { keyboard } = page;
    await addAuthenticator(page);
    await page.reload();
    await addPasskey(page, say);
    await press(page, say("Rename {name}", { name: "Chrome · Linux" }));
    await keyboard.press("Control+A");
    await keyboard.type("Laptop");
    await keyboard.press("Enter");
    await page.locator(".credentials strong").getByText("Laptop", { exact: true }).waitFor();
    assertEquals(await focusedName(page), say("Rename {name}", { name: "Laptop" }));

    await press(page, say("Delete {name}", { name: "Laptop" }));
    assertEquals(await focusedName(page), say("Cancel"));
    await keyboard.press("Escape");
    await seeNoDialog(page);
    assertEquals(await focusedName(page), say("Delete {name}", { name: "Laptop" }));
    await keyboard.press("Enter");
    await press(page, say("Delete"));
    await page.getByRole("status").getByText(say("The passkey is deleted.")).waitFor();
    assertEquals(await page.locator(".credentials li").count(), 0);
    await tabTo(page, say("Add a passkey…"));

    // The device still has it.
    await logOut(page, say);
    await press(page, say("Log in with a passkey"));
    const problem = say("This passkey does not work here. It may have been deleted: use another way.");
    await page.getByRole("alert").getByText(problem).waitFor();
    assertEquals(await focusedName(page), say("Log in with a passkey"));
  });
});

test("the offer of passkeys takes new options before the old ones expire", async ({ site, browser }) => {
  await site.addUser("patient");
  await visit(browser, { url: site.url, token: await site.logIn("patient") }, async ({ page, say }) => {
    const authenticator = await addAuthenticator(page, { hasAutofill: true });
    await addPasskey(page, say);
    await authenticator.setPresence(false);
    const challenges: string[] = [];
    const offered = Promise.withResolvers<void>();
    await page.exposeFunction("ask", async (challenge: string) => {
      challenges.push(challenge);
      offered.resolve();
      // Somebody is there only for the second request.
      if (challenges.length === 2) await authenticator.setPresence(true);
    });
    await page.evaluate(() => {
      // deno-lint-ignore no-explicit-any -- of the browser
      const scope = globalThis as any;
      // Of the 5 minutes that there are.
      scope.AbortSignal.timeout = (ms: number) => ms === 4 * 60_000 ? (scope.clock = new AbortController()).signal : 0;
      const { credentials } = scope.navigator;
      const get = credentials.get.bind(credentials);
      credentials.get = async (options: { publicKey: { challenge: ArrayBuffer } }) => {
        await scope.ask(btoa(String.fromCharCode(...new Uint8Array(options.publicKey.challenge))));
        return await get(options);
      };
    });
    await page.getByRole("button", { name: "Log out", exact: true }).click();
    await offered.promise;
    const [sent] = await Promise.all([page.waitForRequest("**/session/passkey/"), page.evaluate("clock.abort()")]);
    await seeFactors(page, say, ["Passkey"]);
    const { challenge } = JSON.parse(atob(sent.postDataJSON().passkey.response.clientDataJSON));
    const used = btoa(atob(challenge.replaceAll("-", "+").replaceAll("_", "/")));
    assertEquals([challenges.length, challenges.indexOf(used)], [2, 1]);
  });
});

/** What the browser says, and the page. `create` is that of a new passkey, `get` that of a login. */
const refusals = [
  ["get", "NotAllowedError", "No passkey was used. Try again, or use another way."],
  ["get", "SecurityError", "Passkeys do not work at this address. Open the page by its name."],
  ["get", "UnknownError", "This browser cannot use the passkey. Use another way."],
  ["create", "NotAllowedError", "No passkey was used. Try again, or use another way."],
  ["create", "InvalidStateError", "This device has a passkey of this account already."],
] as const;

test("the page says what to do when the browser refuses a passkey", async ({ site, browser }) => {
  await site.addUser("refused");
  for (const method of ["get", "create"] as const) {
    const token = method === "get" ? undefined : await site.logIn("refused");
    await visit(browser, { url: site.url, token }, async ({ page }) => {
      await addAuthenticator(page);
      await page.reload();
      if (method === "create") await page.getByRole("button", { name: "Add a passkey…" }).click();
      for (const [, name, text] of refusals.filter(([where]) => where === method)) {
        await page.evaluate(([method, name]) => {
          // deno-lint-ignore no-explicit-any -- of the browser
          const { navigator, DOMException } = globalThis as any;
          navigator.credentials[method ?? ""] = () => Promise.reject(new DOMException("refused", name));
        }, [method, name]);
        await page.getByRole("button", { name: method === "get" ? "Log in with a passkey" : "Add passkey" }).click();
        await page.getByRole("alert").getByText(text).waitFor();
      }
    });
  }
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
    await page.getByText(
      "Passkeys do not work here. They need HTTPS, a host name instead of an IP address, and a recent browser.",
    ).waitFor();
    assertEquals(await page.getByRole("button", { name: "Add a passkey…" }).count(), 0);
    await page.getByRole("button", { name: "Log out", exact: true }).click();
    await page.getByRole("button", { name: "Log in", exact: true }).waitFor();
    assertEquals(await page.getByRole("button", { name: "Log in with a passkey" }).count(), 0);
  });
});
