/** Every view of the page and how to come to it, for tests and pictures of all of them. */
import { routeBusyStatus, seeBusyMinutes } from "./busy.ts";
import { factorViews, routeFactors } from "./factor_views.ts";
import { seeFigures } from "./figure.ts";
import { password, type Site } from "./site.ts";
import type { View, Visit } from "./visit.ts";

const firefox = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0";
const iphone = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 Version/18.5 Safari/604.1";

const failing = "500 GET user/?limit=50&sort=registered_at";
/** As long as a login may be. */
const longLogin = "maximilian.von-und-zu-hohenstein+members1@accounting.example.org";

/** Some of a thousand users: login, day of registration, groups. */
const neighbours: readonly [login: string, day: string, groups?: string][] = [
  ["grace", "03-02", "admin staff"],
  ["alice", "03-02", "editors staff"],
  ["nina.petrova@example.org", "03-05", "staff"],
  ["tomasz", "04-11", "staff wiki"],
  ["bob", "05-27"],
  ["grandfather_of_the_bride", "06-08", "family garden wiki"],
  ["old-account", "06-30"],
  ["zoe", "07-19", "garden"],
  ["li.wei+gate@example.com", "08-23", "editors"],
];

/** All views. */
export const views: readonly View[] = [
  { name: "log-in", path: "" },
  { name: "log-in-refused", path: "", open: refuse, refused: ["429 POST session/"] },
  { name: "register", path: "#register", open: typePassword },
  { name: "register-errors", path: "#ticket=none", open: sendNothing },
  { name: "reset", path: "#reset=q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA&login=alice" },
  { name: "closed", path: "#register", open: close },
  { name: "account", path: "", who: "alice" },
  { name: "account-changed", path: "", who: "alice", open: endSession },
  { name: "account-deletion", path: "", who: "alice", open: ({ page }) => page.locator("[name=delete]").click() },
  { name: "account-deletion-late", path: "", who: "alice", open: deleteLate, refused: ["403 DELETE user/alice"] },
  { name: "other-account", path: "#ticket=none", who: "alice" },
  { name: "users", path: "#users", who: "root" },
  { name: "users-more", path: "#account", who: "root", open: seeMore },
  { name: "users-none", path: "#users", who: "root", open: findNobody },
  { name: "user", path: "#users", who: "root", open: seeUser },
  { name: "user-link", path: "#users", who: "root", open: makeLink },
  {
    name: "user-deletion",
    path: "#users",
    who: "root",
    open: async (visit) => {
      await manage(visit, longLogin);
      await visit.page.locator("dialog [name=delete]").click();
    },
  },
  { name: "tickets", path: "#users", who: "root", open: seeTickets },
  { name: "log-in-again", path: "#users", who: "root", open: makeLinkLate, refused: ["403 POST ticket/"] },
  { name: "settings", path: "#account", who: "root", open: showSettings },
  { name: "status", path: "#status", who: "root", open: ({ page }) => seeFigures(page) },
  { name: "status-busy", path: "#account", who: "root", open: seeBusyStatus, setsClock: true },
  { name: "failure", path: "#account", who: "root", open: fail, refused: [failing] },
  { name: "invitation", path: "#users", who: "root", open: invite },
  ...factorViews,
];

/** Some users, of which `alice` has several sessions. */
export async function settle(site: Site): Promise<void> {
  const admin = await site.admin();
  const groups = { alice: ["editors", "staff"], "nina.petrova@example.org": ["staff"], tomasz: ["staff", "wiki"] };
  for (const login of [...Object.keys(groups), "bob", longLogin, "old-account", "zoe"]) {
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
  await page.getByRole("alert").getByText(say("Too many wrong attempts.")).waitFor();
}

async function sendNothing({ page, say }: Visit): Promise<void> {
  await page.getByRole("button", { name: say("Register"), exact: true }).click();
  await page.getByText(say("Required.")).first().waitFor();
}

async function typePassword({ page, say }: Visit): Promise<void> {
  await page.getByLabel(say("Login"), { exact: true }).fill("alice");
  await page.getByLabel(say("Password"), { exact: true }).fill(password);
  await page.getByText(say("Strong"), { exact: true }).waitFor();
}

async function manage({ page }: Visit, login: string): Promise<void> {
  await page.getByRole("row").filter({ hasText: login }).getByRole("button").click();
  await page.locator("dialog .sessions li").first().waitFor();
}

async function seeUser(visit: Visit): Promise<void> {
  await routeFactors(visit);
  await manage(visit, "alice");
  await visit.page.getByRole("button", { name: visit.say("Remove the factors…") }).waitFor();
}

async function makeLink(visit: Visit): Promise<void> {
  const { page, say } = visit;
  await manage(visit, "old-account");
  await page.getByRole("button", { name: say("Make a reset link") }).click();
  await page.getByLabel(say("Link"), { exact: true }).waitFor();
}

async function makeLinkLate(visit: Visit): Promise<void> {
  const { page, say } = visit;
  const body = JSON.stringify({ type: "/problem/login-again", status: 403, needs: ["passkey", "totp", "recovery"] });
  await page.route("**/ticket/", (route) => route.fulfill({ status: 403, body }));
  await manage(visit, "old-account");
  await page.getByRole("button", { name: say("Make a reset link") }).click();
  await page.getByRole("dialog", { name: say("Confirm it is you"), exact: true }).waitFor();
}

async function seeTickets({ page, say }: Visit): Promise<void> {
  const expires_at = "2026-11-28T09:35:39.123Z";
  const tickets = [
    { id: "1", purpose: "register", made_by: "root", expires_at },
    { id: "2", purpose: "register", login: longLogin, made_by: "grace", expires_at },
    { id: "3", purpose: "reset", login: "old-account", made_by: null, expires_at },
  ];
  await page.route("**/ticket/?*", (route) => route.fulfill({ json: { tickets, total: 70, next: "next" } }));
  await page.getByRole("button", { name: say("Open tickets…") }).click();
  await page.getByRole("dialog").getByRole("button", { name: say("Show more") }).waitFor();
}

/** As where GATEHOUSE_REGISTRATION is "closed". */
async function close({ page, say }: Visit): Promise<void> {
  await page.addInitScript(() => {
    // deno-lint-ignore no-explicit-any -- of the browser
    const { document, MutationObserver } = globalThis as any;
    new MutationObserver(() => {
      if (document.body !== null) document.body.dataset.registration = "closed";
    }).observe(document, { childList: true, subtree: true });
  });
  await page.reload();
  await page.getByRole("heading", { name: say("Registration is closed") }).waitFor();
}

async function endSession({ page, say }: Visit): Promise<void> {
  // Of which there are as many in the next picture.
  await page.route("**/session/0*", (route) => route.fulfill({ status: 204 }));
  await page.locator("[name=end]").first().click();
  await page.getByText(say("The session has ended.")).waitFor();
}

async function deleteLate({ page, say }: Visit): Promise<void> {
  const body = JSON.stringify({ type: "/problem/login-again", status: 403, needs: ["password"] });
  await page.route("**/user/alice", (route) => route.fulfill({ status: 403, body }));
  await page.locator("[name=delete]").click();
  await page.getByLabel(say("Your login"), { exact: true }).fill("alice");
  await page.keyboard.press("Enter");
  await page.getByRole("dialog", { name: say("Confirm it is you"), exact: true }).waitFor();
}

/** As where there are more users than one page of them. */
async function seeMore({ page, say }: Visit): Promise<void> {
  const users = neighbours.map(([login, day, groups = ""], index) => ({
    id: `01M81Q8R1S09CHZ85XEV6WD${100 + index}`,
    login,
    registered_at: `2026-${day}T09:35:39.123Z`,
    groups: groups.split(" ").filter(Boolean),
    disabled: login === "old-account",
  }));
  await page.route("**/user/?*", (route) => route.fulfill({ json: { users, total: 1_066, next: "next" } }));
  await page.getByRole("link", { name: say("Users") }).click();
  await page.getByRole("button", { name: say("Show more") }).waitFor();
}

async function seeBusyStatus({ page, say }: Visit): Promise<void> {
  await routeBusyStatus(page);
  await page.getByRole("link", { name: say("Status"), exact: true }).click();
  await seeFigures(page);
  await seeBusyMinutes(page);
}

async function findNobody({ page, say }: Visit): Promise<void> {
  await page.getByLabel(say("Login contains")).fill("nobody");
  await page.locator("tbody tr").first().waitFor({ state: "detached" });
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
  await page.getByRole("link", { name: say("Users") }).click();
  await page.getByText(say("The service failed with an internal error.")).waitFor();
}
