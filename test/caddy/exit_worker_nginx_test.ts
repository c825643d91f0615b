/** An app with a service worker behind real nginx, in real Chromium, after its session has ended. */
import { assertRejects } from "@std/assert";
import type { Edit } from "../support/caddy/edited_caddyfile.ts";
import { endAndLogIn, startWorkerSite } from "../support/caddy/worker_app.ts";
import { ensureProgram } from "../support/packages.ts";
import type { Site } from "../support/page/site.ts";
import { pageSuite } from "../support/page/suite.ts";

const { test } = pageSuite(startSite);
/** `/stuck/` lacks the exit worker. */
const edits: readonly Edit[] = [
  ['map "$gatehouse_method $http_service_worker"', 'map "$gatehouse_method $http_service_worker $request_uri"'],
  ['"GET script" exit-worker.js;', '"~^GET script /(?!stuck/)" exit-worker.js;'],
];

async function startSite(): Promise<Site> {
  await ensureProgram("nginx", "nginx-light");
  return await startWorkerSite({ proxy: "nginx", edits });
}

test("nginx leads an app that works offline to the login when the session has ended", (scene) => {
  return endAndLogIn(scene, { login: "alice", folder: "/" });
});

test("the same app behind nginx stays as it is without the exit worker", async (scene) => {
  const isStuck = () => endAndLogIn(scene, { login: "bob", folder: "/stuck/", timeout: 5_000 });
  await assertRejects(isStuck, Error, "Timeout 5000ms exceeded");
});
