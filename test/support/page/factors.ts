/** Second factors in tests of the page: an authenticator of Chromium, and an authenticator app. */
import { createHmac } from "node:crypto";
import type { Page } from "npm:playwright-core@1.65.1";
import { tabTo } from "./focus.ts";
import { password, type Site } from "./site.ts";
import type { Visit } from "./visit.ts";

const stepMs = 30_000;
const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/** A phone or laptop with passkeys, which verifies its user. */
export interface Authenticator {
  /** How many passkeys it has. */
  count(): Promise<number>;
  /** Whether somebody is there to agree. */
  setPresence(enabled: boolean): Promise<void>;
}

/**
 * Gives a tab an authenticator, which agrees to every request at once. It has its passkeys for as long as the tab.
 *
 * @param options `hasAutofill`: whether the list of the field `login` offers passkeys, of which it picks the first
 */
export async function addAuthenticator(
  page: Page,
  { hasAutofill = false }: { readonly hasAutofill?: boolean } = {},
): Promise<Authenticator> {
  const session = await page.context().newCDPSession(page);
  await session.send("WebAuthn.enable");
  const { authenticatorId } = await session.send("WebAuthn.addVirtualAuthenticator", {
    options: {
      protocol: "ctap2",
      transport: "internal",
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
    },
  });
  if (!hasAutofill) {
    await page.addInitScript(() => {
      // deno-lint-ignore no-explicit-any -- of the browser
      (globalThis as any).PublicKeyCredential.isConditionalMediationAvailable = () => Promise.resolve(false);
    });
  }
  return {
    count: async () => (await session.send("WebAuthn.getCredentials", { authenticatorId })).credentials.length,
    setPresence: async (enabled) => {
      await session.send("WebAuthn.setAutomaticPresenceSimulation", { authenticatorId, enabled });
    },
  };
}

/** What an authenticator app shows (RFC 6238), for the present step or a later one. @param secret in base32 */
export function totpOf(secret: string, { ahead = 0 }: { readonly ahead?: number } = {}): string {
  const bits = Array.from(
    secret.replaceAll(" ", ""),
    (letter) => alphabet.indexOf(letter).toString(2).padStart(5, "0"),
  );
  const bytes = bits.join("").match(/.{8}/g)?.map((byte) => parseInt(byte, 2)) ?? [];
  const counter = new DataView(new ArrayBuffer(8));
  counter.setBigUint64(0, BigInt(Math.floor(Date.now() / stepMs) + ahead));
  const digest = createHmac("sha1", Uint8Array.from(bytes)).update(new Uint8Array(counter.buffer)).digest();
  const number = digest.readUInt32BE(digest.readUInt8(19) & 0x0f) & 0x7fffffff;
  return String(number % 1_000_000).padStart(6, "0");
}

/** Sets up an authenticator app past the page. @returns its secret, and the recovery codes */
export async function addTotp(
  site: Pick<Site, "ask">,
  { login, token }: { readonly login: string; readonly token: string },
) {
  const { secret, setup_token } = await site.ask(token, "POST", `/user/${login}/totp/setup/`);
  const code = totpOf(String(secret));
  const { recovery_codes } = await site.ask(token, "POST", `/user/${login}/totp/`, { setup_token, code });
  return { secret: String(secret), codes: recovery_codes as readonly string[] };
}

/** Adds a passkey on the account page, with the name that the page proposes. */
export async function addPasskey(page: Page, say: Visit["say"]): Promise<void> {
  await page.getByRole("button", { name: say("Add a passkey…") }).click();
  await page.keyboard.press("Enter");
  await page.getByRole("dialog", { name: say("Your recovery codes") }).waitFor();
  await page.keyboard.press("Escape");
  await page.getByRole("status").getByText(say("The passkey is added.")).waitFor();
}

export async function logOut(page: Page, say: Visit["say"]): Promise<void> {
  await page.getByRole("button", { name: say("Log out"), exact: true }).click();
  await page.getByRole("status").getByText(say("You are logged out.")).waitFor();
}

/** Logs in by keyboard, up to the question for the second factor. */
export async function logInByPassword(page: Page, say: Visit["say"], login: string): Promise<void> {
  await tabTo(page, say("Login"));
  await page.keyboard.type(login);
  await tabTo(page, say("Password"));
  await page.keyboard.type(password);
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: say("Confirm it is you"), exact: true }).waitFor();
}

/** Waits for the account page, and for what it says that the user has logged in with. */
export async function seeFactors(page: Page, say: Visit["say"], names: readonly string[]): Promise<void> {
  const factors = names.map((name) => say(name)).join(", ");
  const own = page.locator(".sessions li").filter({ has: page.locator(".chip:visible") });
  await own.getByText(say("Logged in with: {factors}", { factors }), { exact: true }).waitFor();
}
