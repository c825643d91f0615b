/** Every view of the page and how to come to it, for tests and pictures of all of them. */
import { seeFigures } from "./figure.ts";
import { password, type Site } from "./site.ts";
import type { Visit } from "./visit.ts";

/** One view. */
export interface View {
  readonly name: string;
  /** What follows the address. */
  readonly path: string;
  /** Who must be logged in. */
  readonly who?: "alice" | "root";
  /** Requests that fail on the way to it. */
  readonly refused?: readonly string[];
  /** What is done to see it. */
  open?(visit: Visit): Promise<void>;
}

const firefox = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0";
const iphone = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 Version/18.5 Safari/604.1";

const failing = "500 GET user/?limit=50&after=&prefix=";

/** All views. */
export const views: readonly View[] = [
  { name: "log-in", path: "" },
  { name: "log-in-refused", path: "", open: refuse, refused: ["429 POST session/"] },
  { name: "register", path: "#register", open: typePassword },
  { name: "register-errors", path: "#ticket=none", open: sendNothing },
  { name: "reset", path: "#reset=q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA&login=alice" },
  { name: "account", path: "", who: "alice" },
  { name: "account-deletion", path: "", who: "alice", open: ({ page }) => page.locator("[name=delete]").click() },
  { name: "other-account", path: "#ticket=none", who: "alice" },
  { name: "residents", path: "#residents", who: "root" },
  { name: "resident", path: "#residents", who: "root", open: manage },
  {
    name: "resident-deletion",
    path: "#residents",
    who: "root",
    open: async (visit) => {
      await manage(visit);
      await visit.page.locator("dialog [name=delete]").click();
    },
  },
  { name: "settings", path: "#account", who: "root", open: showSettings },
  { name: "state", path: "#state", who: "root", open: ({ page }) => seeFigures(page) },
  { name: "failure", path: "#account", who: "root", open: fail, refused: [failing] },
  { name: "invitation", path: "#residents", who: "root", open: invite },
];

/** Residents as there may be in a house, of which `alice` has several sessions. */
export async function settle(site: Site): Promise<void> {
  const admin = await site.admin();
  const groups = { alice: ["editors", "staff"], "nina.petrova@example.org": ["staff"], tomasz: ["staff", "wiki"] };
  for (const login of [...Object.keys(groups), "bob", "grandfather_of_the_bride", "old-account", "zoe"]) {
    await site.addUser(login);
  }
  for (const [login, list] of Object.entries(groups)) {
    await site.ask(admin, "PATCH", `/user/${encodeURIComponent(login)}`, { groups: list });
  }
  await site.ask(admin, "PATCH", "/user/old-account", { disabled: true });
  for (const userAgent of [firefox, iphone]) await site.logIn("alice", userAgent);
}

async function refuse({ page, say }: Visit): Promise<void> {
  const body = JSON.stringify({ type: "/problem/too-many-attempts", title: "Too many wrong passwords", status: 429 });
  const headers = { "retry-after": "1200" };
  await page.route("**/session/", (route) => route.fulfill({ status: 429, headers, body }));
  await page.getByLabel(say("Login"), { exact: true }).fill("alice");
  await page.getByLabel(say("Password"), { exact: true }).fill(password);
  await page.keyboard.press("Enter");
  await page.getByRole("alert").getByText(say("Too many wrong passwords.")).waitFor();
}

async function sendNothing({ page, say }: Visit): Promise<void> {
  await page.getByRole("button", { name: say("Register"), exact: true }).click();
  await page.getByText(say("This is needed.")).first().waitFor();
}

async function typePassword({ page, say }: Visit): Promise<void> {
  await page.getByLabel(say("Login"), { exact: true }).fill("alice");
  await page.getByLabel(say("Password"), { exact: true }).fill(password);
  await page.getByText(say("Strong"), { exact: true }).waitFor();
}

async function manage({ page }: Visit): Promise<void> {
  await page.getByRole("row").filter({ hasText: "alice" }).getByRole("button").click();
  await page.locator("dialog .sessions li").first().waitFor();
}

async function invite({ page, say }: Visit): Promise<void> {
  await page.getByRole("button", { name: say("Invite someone…") }).click();
  await page.keyboard.press("Tab");
  await page.getByRole("button", { name: say("Make a link") }).click();
  await page.getByLabel(say("Link"), { exact: true }).waitFor();
}

async function showSettings({ page, say }: Visit): Promise<void> {
  await page.getByRole("link", { name: say("Settings") }).click();
  await page.getByRole("heading", { name: say("Settings") }).waitFor();
}

async function fail({ page, say }: Visit): Promise<void> {
  const body = JSON.stringify({ type: "/problem/internal-error", title: "Internal error", status: 500 });
  await page.route("**/user/?*", (route) => route.fulfill({ status: 500, body }));
  await page.getByRole("link", { name: say("Residents") }).click();
  await page.getByText(say("The service failed.")).waitFor();
}
