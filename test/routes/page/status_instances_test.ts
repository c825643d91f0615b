/** The status of three instances on one PostgreSQL, in real Chromium through real Caddy. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { startCaddy } from "../../support/caddy/caddy.ts";
import { figure, seeFigures } from "../../support/page/figure.ts";
import { type Site, siteAt } from "../../support/page/site.ts";
import { pageSuite } from "../../support/page/suite.ts";
import { visit } from "../../support/page/visit.ts";
import { ensurePostgres, startPostgres } from "../../support/postgres.ts";
import { type RunningService, startService } from "../../support/service.ts";

const hasPostgres = await ensurePostgres();
const { test } = pageSuite(startInstances);

/** Three instances behind Caddy. Each start replaces the ticket for the first administrator: the last one is valid. */
async function startInstances(): Promise<Site> {
  await using cleanup = new AsyncDisposableStack();
  const server = cleanup.use(await startPostgres({ tcp: true }));
  const env = { GATEHOUSE_STORE: await server.createDatabase() };
  const services: RunningService[] = [];
  for (let count = 0; count < 3; count++) services.push(cleanup.use(await startService({ env })));
  const upstream = services.map(({ url }) => new URL(url).host).join(" ");
  const caddy = cleanup.use(await startCaddy({ upstream }));
  const service = services.at(-1);
  assert(service !== undefined);
  return siteAt("/", { caddy, service, owned: cleanup.move() });
}

if (hasPostgres) {
  test("the page keeps to one instance, names it, and has no syncs", async ({ site, browser }) => {
    const token = await site.admin();
    await visit(browser, { url: site.url, path: "#account", token }, async ({ page }) => {
      const responded = new Set<string>();
      page.on("response", async (response) => {
        if (response.url().endsWith("/status/")) responded.add((await response.json()).instance);
      });
      await page.clock.install();
      await page.getByRole("link", { name: "Status", exact: true }).click();
      await seeFigures(page);
      const [first] = (await figure(page, "instance")).split(", ");
      assertMatch(first ?? "", /^127\.0\.0\.1:\d+ [0-9a-f]{4}$/);
      for (let turn = 0; turn < 30 && responded.size < 3; turn++) {
        await Promise.all([page.waitForResponse("**/status/"), page.clock.fastForward(3_000)]);
        assertEquals((await figure(page, "instance")).split(", ")[0], first);
      }
      assertEquals(responded.size, 3);
      assertEquals(await page.getByText("Sync").count(), 0);
      assertEquals(Number(await figure(page, "users")), 1);
    });
  });
}
