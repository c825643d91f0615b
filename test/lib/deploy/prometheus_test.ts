/** The alert rules, the dashboard and the metrics fit together, and `promtool` accepts all of them. */

import { assert, assertEquals } from "@std/assert";
import { openAdminApp } from "../../support/accounts.ts";
import { ensureProgram } from "../../support/packages.ts";
import { alice } from "../../support/app.ts";

const folder = new URL("../../../lib/deploy/", import.meta.url);
const ignore = !await ensureProgram("promtool", "prometheus");

/** All metrics of a service that was used. */
async function metricsText(): Promise<string> {
  const { send, addUser } = await openAdminApp();
  await addUser("alice");
  await send("POST", "/session/", { json: { ...alice, password: "wrong" } });
  return (await send("GET", "/metrics")).text;
}

/** Runs `promtool`. @returns what it prints, if it fails */
async function promtool(args: readonly string[], input = ""): Promise<string> {
  const process = new Deno.Command("promtool", {
    args: [...args],
    cwd: folder,
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = process.stdin.getWriter();
  await writer.write(new TextEncoder().encode(input));
  await writer.close();
  const { success, stdout, stderr } = await process.output();
  return success ? "" : new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
}

Deno.test({
  name: "promtool finds nothing to correct in /metrics",
  ignore,
  async fn() {
    assertEquals(await promtool(["check", "metrics"], await metricsText()), "");
    assert(await promtool(["check", "metrics"], "a 1\na 2\n") !== "");
  },
});

Deno.test({
  name: "promtool accepts the alert rules and their tests, and rejects rules that fire otherwise",
  ignore,
  async fn() {
    assertEquals(await promtool(["check", "rules", "prometheus-rules.yml"]), "");
    assertEquals(await promtool(["test", "rules", "prometheus-rules.test.yml"]), "");
    const copy = await Deno.makeTempDir({ prefix: "gatehouse-rules-" });
    try {
      const rules = await readText("prometheus-rules.yml");
      for (const [was, is] of [['store_up{job="gatehouse"} == 0', 'store_up{job="gatehouse"} == 2'], ["1m", "5m"]]) {
        assert(was !== undefined && is !== undefined && rules.includes(was));
        await Deno.writeTextFile(`${copy}/prometheus-rules.yml`, rules.replaceAll(was, is));
        await Deno.copyFile(new URL("prometheus-rules.test.yml", folder), `${copy}/test.yml`);
        assert(await promtool(["test", "rules", `${copy}/test.yml`]) !== "");
      }
    } finally {
      await Deno.remove(copy, { recursive: true });
    }
  },
});

Deno.test("every metric of the alert rules and the dashboard is in /metrics", async () => {
  const metrics = await metricsText();
  const names = new Set(Array.from(metrics.matchAll(/^([a-z_]+)[ {]/gm), ([, name = ""]) => name));
  assert(names.has("gatehouse_store_up") && names.has("http_request_duration_seconds_bucket"));
  const expressions = [...alertsOf(await readText("prometheus-rules.yml")), ...panelsOf(await dashboard())];
  assert(expressions.length > 25);
  const used = expressions.flatMap((text) => text.match(/\b(gatehouse|http|process)_[a-z_]+(?=[{[\s)])/g) ?? []);
  for (const name of used) assert(names.has(name), `${name} is no metric`);
  const labels = expressions.flatMap((text) =>
    Array.from(text.matchAll(/[{,] *([a-z_]+)(?=[!=])/g), ([, one = ""]) => one)
  );
  const ofPrometheus = ["job", "instance", "alertname", "alertstate"];
  for (const label of labels.filter((one) => !ofPrometheus.includes(one))) {
    assert(metrics.includes(`${label}="`), label);
  }
});

Deno.test("every panel of the dashboard has a query, a place of its own and a title", async () => {
  const { panels } = await dashboard();
  assertEquals(new Set(panels.map(({ id }) => id)).size, panels.length);
  assertEquals(new Set(panels.map(({ title }) => title)).size, panels.length);
  for (const { gridPos: { x, y, w, h }, targets, id } of panels) {
    assert(x + w <= 24 && targets.length > 0);
    const isOver = ({ gridPos }: Panel) =>
      gridPos.x < x + w && x < gridPos.x + gridPos.w && gridPos.y < y + h && y < gridPos.y + gridPos.h;
    assertEquals(panels.filter(isOver).map((panel) => panel.id), [id]);
  }
});

Deno.test("lib/deploy/README.md lists the alerts that there are, and each says what to do", async () => {
  const rules = await readText("prometheus-rules.yml");
  const names = Array.from(rules.matchAll(/- alert: (\w+)/g), ([, name = ""]) => name);
  const readme = await readText("README.md");
  assertEquals(Array.from(readme.matchAll(/^\| `(Gatehouse\w+)`/gm), ([, name]) => name), names);
  for (const field of ["summary:", "description:", "severity:"]) {
    assertEquals(rules.split(field).length - 1, names.length);
  }
});

interface Panel {
  readonly id: number;
  readonly title: string;
  readonly gridPos: Readonly<Record<"x" | "y" | "w" | "h", number>>;
  readonly targets: readonly { readonly expr: string }[];
}

async function dashboard(): Promise<{ readonly panels: readonly Panel[] }> {
  return JSON.parse(await readText("grafana-dashboard.json"));
}

function panelsOf({ panels }: { readonly panels: readonly Panel[] }): string[] {
  return panels.flatMap(({ targets }) => targets.map(({ expr }) => expr));
}

function alertsOf(rules: string): string[] {
  return Array.from(rules.matchAll(/expr: (.+)/g), ([, expression = ""]) => expression);
}

function readText(name: string): Promise<string> {
  return Deno.readTextFile(new URL(name, folder));
}
