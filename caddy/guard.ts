/**
 * The task `guard`: prints the configuration of Caddy or nginx that guards a site, made of the files of this folder, or
 * lets the doctor check the site that runs with it.
 */

import { readConfig } from "../lib/config/config.ts";
import type { Environment } from "../lib/config/settings.ts";
import { runTask, type TaskCall, TaskError } from "../lib/tasks/task.ts";
import { runDoctor } from "./doctor.ts";
import { upstreamOf } from "./https.ts";

/** A site to guard. */
interface Site {
  /** Its name, with a port if it is not 443. */
  readonly host: string;
  /** Where the app listens, or a folder. */
  readonly app: string;
  /** The groups that a user must be in, as a path. */
  readonly demands: string;
  /** Where Gatehouse listens, in the spelling of Caddy. */
  readonly gatehouse: string;
}

const hostPattern = /^[a-z\d](?:[a-z\d.-]{0,250}[a-z\d])?(?::\d{1,5})?$/i;
/** A port, an address with a port, or a folder. */
const appPattern = /^(?:(?:[a-z\d.-]+:|\[[\da-f:]+\]:)?\d{1,5}|\/[\w./-]*)$/i;
const groupsPattern = /^[a-z\d][a-z\d_-]*(?:,[a-z\d][a-z\d_-]*)*$/;

const printers: Readonly<Record<string, (site: Site) => Promise<string>>> = { caddy: caddyfileOf, nginx: nginxConfOf };

if (import.meta.main) {
  await runTask({
    usage: "guard HOST APP [--proxy NAME] [--groups NAMES] [--second-factor] [--check]",
    help: "Prints the configuration that guards APP, a port, an address or a folder, at https://HOST:\n" +
      "  deno task guard wiki.example.org 3000 >/etc/caddy/Caddyfile\n" +
      "  --proxy           caddy (the default) or nginx\n" +
      "  --groups          groups that users must all be in, separated by commas\n" +
      "  --second-factor   demand a session with a second factor\n" +
      "  --check           print nothing, but attack the site that runs with it, as `deno task doctor` does",
    run: runGuard,
  });
}

/** @throws {TaskError} @throws {ConfigError} the settings of Gatehouse cannot be used */
export async function runGuard(call: TaskCall): Promise<string | number> {
  const { proxy = "caddy", check } = call.options;
  const site = siteOf(call);
  if (check !== undefined) return await runDoctor({ ...call, args: [`https://${site.host}`], options: {} });
  const print = Object.hasOwn(printers, proxy) ? printers[proxy] : undefined;
  if (print === undefined) throw new TaskError(`--proxy cannot be "${proxy}": use caddy or nginx`);
  return advice(site, call.env) + await print(site);
}

/** What remains to be done where users log in at a home, as a comment. @throws {TaskError} the site is the home */
function advice({ host }: Site, env: Environment): string {
  const { home, sites } = readConfig(env);
  const { origin } = new URL(`https://${host}`);
  if (home === origin) throw new TaskError(`Cannot guard "${host}" as it is GATEHOUSE_HOME: use another host name`);
  const isListed = home === "" || sites.includes(origin);
  return isListed ? "" : `# Add ${origin} to GATEHOUSE_SITES, and restart Gatehouse: until then this site is closed.\n`;
}

function siteOf({ args: [host = "", app = ""], options, env }: TaskCall): Site {
  const { groups = "users", "second-factor": factor } = options;
  const isHost = hostPattern.test(host) && URL.canParse(`https://${host}`);
  if (!isHost) throw new TaskError(`Cannot guard "${host}": use a name such as wiki.example.org`);
  if (!appPattern.test(app)) throw new TaskError(`Cannot guard "${app}": use a port, an address or a folder`);
  if (!groupsPattern.test(groups)) throw new TaskError(`--groups cannot be "${groups}": use names such as staff,night`);
  const demands = [...groups.split(","), ...factor === undefined ? [] : ["second-factor"]].join("/");
  return { host, app: /^\d+$/.test(app) ? `127.0.0.1:${app}` : app, demands, gatehouse: gatehouseOf(env) };
}

/** UPSTREAM is the address of Gatehouse for Caddy, as in its files. */
function gatehouseOf(env: Environment): string {
  return env["UPSTREAM"] ?? upstreamOf(readConfig(env).listen);
}

async function caddyfileOf({ host, app, demands, gatehouse }: Site): Promise<string> {
  const text = (await readFile("guarded.Caddyfile")).replaceAll("{$UPSTREAM:127.0.0.1:8000}", gatehouse);
  const options = text.slice(text.indexOf("\n{\n") + 1, text.indexOf("\n{$SITE"))
    .replace("\tskip_install_trust\n\tauto_https disable_redirects\n", "");
  const content = app.startsWith("/") ? `root * ${app}\n\t\tfile_server` : `reverse_proxy ${app}`;
  const site = text.slice(text.indexOf("\n{$SITE"))
    .replace(/\{\$SITE.*\{\n\tbind .*\n\ttls .*\n/, `${host} {\n`)
    .replace(/import guard users\n.*?file_server/s, `import guard ${demands}\n\t\t${content}`);
  return options + site.trimEnd();
}

async function nginxConfOf({ host, app, demands, gatehouse }: Site): Promise<string> {
  const [name = "", port = "443"] = host.split(":");
  const text = await readFile("nginx.conf");
  const snippet = (await readFile("nginx_guard.conf")).trimEnd().replace(/^(?=.)/gm, "\t");
  const content = app.startsWith("/") ? `root ${app};` : `proxy_pass http://${app};`;
  const demand = demands === "users" ? "" : `\tset $gatehouse_demands ${demands};\n\t`;
  return text.slice(text.indexOf("# Where Gatehouse listens"))
    .replace("server 127.0.0.1:8000;", `server ${gatehouse.replace("unix/", "unix:")};`)
    .replaceAll("wiki.example.org", name)
    .replace("listen 443", `listen ${port}`)
    .replace(/\tlocation \/ \{\n.*?\n(?=\})/s, `\tlocation / {\n\t${demand}\t${content}\n\t}\n`)
    .replace("\tinclude snippets/gatehouse.conf;", () => snippet)
    .replace("The rest belongs to snippets/gatehouse.conf.", "What the site uses.")
    .trimEnd();
}

function readFile(name: string): Promise<string> {
  return Deno.readTextFile(`${import.meta.dirname}/${name}`);
}
