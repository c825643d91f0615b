/** The units as systemd reads them. */
import project from "../../../deno.json" with { type: "json" };
import { dirname } from "node:path";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { addressOf, rawPost, sendRaw } from "../../support/raw_request.ts";
import { TestProcess } from "../../support/process.ts";
import { ensureProgram } from "../../support/packages.ts";

const folder = new URL("../../../lib/deploy/", import.meta.url);
const hasSystemd = await ensureProgram("systemd-analyze", "systemd");
const services = ["gatehouse.service", "gatehouse-backup.service"];
const sandbox = /^(Cap|Lock|NoNew|Private|Proc|Protect|Remove|Restrict|System|UMask).*\n/gm;
/** Tenths: the most that `systemd-analyze security` may find, of 10.0. */
const threshold = 20;

async function analyze(...args: string[]): Promise<{ success: boolean; output: string }> {
  const command = new Deno.Command("systemd-analyze", { args: ["--no-pager", ...args], stdin: "null" });
  const { success, stdout, stderr } = await command.output();
  return { success, output: new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr) };
}

/** Copies the units, changed by `change`, with the Deno of this machine. @returns their folder */
async function copyUnits(change = (text: string) => text): Promise<string> {
  const copy = await Deno.makeTempDir();
  for (const name of [...services, "gatehouse-backup.timer"]) {
    const text = await Deno.readTextFile(new URL(name, folder));
    await Deno.writeTextFile(`${copy}/${name}`, change(text.replaceAll("/usr/local/bin/deno", Deno.execPath())));
  }
  return copy;
}

Deno.test({
  name: "systemd reads the units without a warning, and would warn of a wrong line",
  ignore: !hasSystemd,
  async fn() {
    const units = await copyUnits();
    const names = [...services, "gatehouse-backup.timer"].map((name) => `${units}/${name}`);
    const { success, output } = await analyze("--man=no", "verify", ...names);
    // What the machine's own units are warned of is not ours.
    assertEquals([success, output.split("\n").filter((line) => line.includes("gatehouse"))], [true, []], output);
    const wrong = await copyUnits((text) => text.replace("ProtectHome=", "ProtectHouse="));
    assertStringIncludes((await analyze("--man=no", "verify", `${wrong}/gatehouse.service`)).output, "ProtectHouse");
  },
});

for (const name of services) {
  Deno.test({
    name: `${name} has an exposure of at most 2.0, and a higher one without a sandbox`,
    ignore: !hasSystemd,
    async fn() {
      const args = ["security", "--offline=true", `--threshold=${threshold}`];
      const { success, output } = await analyze(...args, `${await copyUnits()}/${name}`);
      assert(success, output);
      const open = await copyUnits((text) => text.replaceAll(sandbox, ""));
      assert(!(await analyze(...args, `${open}/${name}`)).success);
    },
  });
}

Deno.test("the backup has the sandbox of the service, and no network", async () => {
  const texts = await Promise.all(services.map((name) => Deno.readTextFile(new URL(name, folder))));
  const [service = new Set(), backup = new Set()] = texts.map((text) => new Set(text.match(sandbox)));
  assertEquals([...service.difference(backup)], ["RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX\n"]);
  assertEquals([...backup.difference(service)], ["PrivateNetwork=yes\n", "RestrictAddressFamilies=AF_UNIX\n"]);
});

Deno.test("serve.sh becomes the service, with the flags of deno task start, and drains on SIGTERM", async () => {
  const store = `${await Deno.makeTempDir()}/data`;
  // The `deno` that npx puts there passes no signals on.
  const PATH = `${dirname(Deno.execPath())}:${Deno.env.get("PATH")}`;
  const env = { PATH, GATEHOUSE_STORE: store, GATEHOUSE_LISTEN: "127.0.0.1:0", GATEHOUSE_PASSWORD_HASH: "argon2id" };
  await using service = new TestProcess("sh", { args: ["lib/deploy/serve.sh"], env });
  const pattern = /"event":"listening","at":"([^"]+)"/;
  const at = await service.until(() => pattern.exec(service.output)?.[1], { what: "the service to listen" });
  assertEquals(Number(await Deno.readTextFile(`${store}/lock`)), service.pid);
  const alice = JSON.stringify({ login: "alice", password: "seven purple wombats sing" });
  assertEquals((await sendRaw(addressOf(at), [rawPost("/user/", alice)])).status, 201);
  assertEquals((await service.stop("SIGTERM")).code, 0, service.output);
  assert(!service.output.includes("freed-memory-kept"), service.output);
  const script = await Deno.readTextFile(new URL("serve.sh", folder));
  const [, flags = "without flags"] = /run="deno (run .*)"/.exec(script) ?? [];
  assertStringIncludes(project.tasks.start.command, `deno ${flags} $(`);
});

Deno.test("install.sh and the Dockerfile install the Deno that CI tests with", async () => {
  const texts = ["lib/deploy/install.sh", "lib/deploy/Dockerfile", "lib/deploy/README.md", ".ci/run"].map(
    (path) => Deno.readTextFile(new URL(`../../../${path}`, import.meta.url)),
  );
  const versions = (await Promise.all(texts)).map((text) => new Set(text.match(/deno@[\d.]+/g)));
  assertEquals(versions, versions.map(() => new Set(["deno@2.9.6"])));
});
