/** The views of second factors and app passwords, with what the service would respond. */
import { password } from "./site.ts";
import type { View, Visit } from "./visit.ts";

export const factorViews: readonly View[] = [
  { name: "second-factor", path: "", open: waitForFactor },
  { name: "second-factor-refused", path: "", open: mistypeCode, refused: ["403 POST session/second-factor/"] },
  { name: "recovery-used", path: "", open: useRecoveryCode },
  { name: "account-factors", path: "#account", who: "root", open: seeFactors },
  { name: "passkey", path: "", who: "alice", open: ({ page }) => page.locator("[name=add-passkey]").click() },
  { name: "totp-setup", path: "", who: "alice", open: setUpTotp },
  { name: "recovery-codes", path: "#account", who: "root", open: makeCodes },
  { name: "app-password", path: "", who: "alice", open: makeAppPassword },
  { name: "required-factor", path: "?need=second-factor", who: "alice" },
];

/** As the service answers to the right password of a user with factors. */
async function waitForFactor({ page, say }: Visit): Promise<void> {
  const json = { next: ["passkey", "totp", "recovery"], login_token: "none" };
  await page.route("**/session/", (route) => route.fulfill({ status: 202, json }));
  await page.getByLabel(say("Login"), { exact: true }).fill("alice");
  await page.getByLabel(say("Password"), { exact: true }).fill(password);
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: say("Confirm it is you"), exact: true }).waitFor();
}

async function mistypeCode(visit: Visit): Promise<void> {
  const { page } = visit;
  await waitForFactor(visit);
  const body = JSON.stringify({ type: "/problem/wrong-factor", status: 403 });
  await page.route("**/second-factor/", (route) => route.fulfill({ status: 403, body }));
  await page.keyboard.type("123456");
  await page.keyboard.press("Enter");
  await page.locator("[aria-invalid]").waitFor();
}

async function useRecoveryCode(visit: Visit): Promise<void> {
  const { page, say } = visit;
  await waitForFactor(visit);
  await page.route("**/second-factor/", (route) => route.fulfill({ status: 201, json: { recovery_codes_left: 2 } }));
  await page.getByRole("button", { name: say("Use a recovery code") }).click();
  await page.keyboard.type("7KQM-XT3W-PA51-VJ2H-MWQG-4WDM");
  await page.keyboard.press("Enter");
  await page.getByRole("dialog").waitFor();
}

/** Factors of each kind. */
export async function routeFactors({ page }: Visit): Promise<void> {
  const created_at = "2026-11-20T09:35:39.123Z";
  const credentials = [
    { kind: "passkey", name: "Chrome · Linux", last_used_at: "2026-11-27T07:12:01.456Z" },
    { kind: "passkey", name: "Security key that is in the drawer of my desk", last_used_at: null },
    { kind: "totp", name: "", last_used_at: "2026-11-26T16:40:00.000Z" },
    { kind: "app-password", name: "Thunderbird", last_used_at: null },
  ].map((credential, index) => ({ id: String(index), created_at, ...credential }));
  await page.route("**/credential/", (route) => route.fulfill({ json: { credentials, recovery_codes_left: 8 } }));
}

/** Makes the account again. */
async function seeFactors(visit: Visit): Promise<void> {
  const { page, say } = visit;
  await routeFactors(visit);
  await page.getByRole("link", { name: say("Settings") }).click();
  await page.getByRole("link", { name: say("Account") }).click();
  await page.getByText(say("Recovery codes left: {count}", { count: 8 })).waitFor();
}

async function makeCodes(visit: Visit): Promise<void> {
  const { page, say } = visit;
  const recovery_codes = Array.from({ length: 10 }, (_, index) => `7KQM-XT3W-PA5${index}-VJ2H-MWQG-4WDM`);
  await page.route("**/recovery-code/", (route) => route.fulfill({ json: { recovery_codes } }));
  await seeFactors(visit);
  await page.locator("[name=make-codes]").click();
  await page.keyboard.press("Enter");
  await page.getByRole("dialog", { name: say("Your recovery codes") }).waitFor();
}

async function setUpTotp({ page }: Visit): Promise<void> {
  await page.locator("[name=add-totp]").click();
  await page.locator("dialog svg").waitFor();
}

async function makeAppPassword({ page, say }: Visit): Promise<void> {
  const json = { password: "gh_01M81Q8RAFRWT8N2ZHDEH012P3_q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQ" };
  await page.route("**/app-password/", (route) => route.fulfill({ json }));
  await page.locator("[name=add-app-password]").click();
  await page.keyboard.type("Thunderbird");
  await page.keyboard.press("Enter");
  await page.getByRole("dialog", { name: say("Your app password") }).waitFor();
}
