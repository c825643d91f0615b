/** An app with a service worker behind real nginx, in real Chromium, after its session has ended. */
import { startGuarded } from "../support/caddy/guarded.ts";
import { endAndLogIn, serveWorkerApp } from "../support/caddy/worker_app.ts";
import { ensureProgram } from "../support/packages.ts";
import { accountsOf, type Site } from "../support/page/site.ts";
import { pageSuite } from "../support/page/suite.ts";

const { test } = pageSuite(startSite);

async function startSite(): Promise<Site> {
  await ensureProgram("nginx", "nginx-light");
  await using cleanup = new AsyncDisposableStack();
  const upstream = cleanup.use(serveWorkerApp());
  const { caddy, service } = cleanup.use(await startGuarded({ proxy: "nginx", env: { APP: upstream.address } }));
  const owned = cleanup.move();
  return {
    url: `${caddy.url}/`,
    rootCertificate: caddy.rootCertificate,
    ...accountsOf(service),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

test("nginx leads an app that works offline to the login when the session has ended", (scene) => {
  return endAndLogIn(scene, { login: "alice", folder: "/" });
});
