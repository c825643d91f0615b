/**
 * nginx as it is run, for tests over real HTTPS: one process, with a certificate of a new authority, on a free port of
 * loopback. All of it is gone when the test is over.
 */
import { createCertificates } from "../certificates.ts";
import { freePort, TestProcess } from "../process.ts";
import type { CaddyOptions, RunningCaddy } from "./caddy.ts";
import type { Edit } from "./edited_caddyfile.ts";

/** What nginx is to do. */
export interface NginxOptions extends Omit<CaddyOptions, "config" | "hostname"> {
  /** The text of a file for the `http` block; by default the project's. */
  readonly config: string;
  /** The text of `snippets/gatehouse.conf`. */
  readonly snippet: string;
  /** The names of the certificate; by default `localhost`. */
  readonly hostnames?: readonly string[];
}

const folderOf = (name: string) => new URL(`../../../caddy/${name}`, import.meta.url);

/** The project's files with other texts in them. @throws {Error} both lack a text */
export async function editNginx(edits: readonly Edit[]): Promise<Pick<NginxOptions, "config" | "snippet">> {
  let config = await Deno.readTextFile(folderOf("nginx.conf"));
  let snippet = await Deno.readTextFile(folderOf("nginx_guard.conf"));
  for (const [from, to] of edits) {
    if (!config.includes(from) && !snippet.includes(from)) throw new Error(`The files of nginx lack ${from}`);
    config = config.replaceAll(from, () => to);
    snippet = snippet.replaceAll(from, () => to);
  }
  return { config, snippet };
}

/** Starts nginx and waits until it accepts connections. @throws {Error} with its log, when it does not */
export async function startNginx(options: NginxOptions): Promise<RunningCaddy> {
  const { upstream, config, snippet, hostnames = ["localhost"], port = freePort(), env = {} } = options;
  await using cleanup = new AsyncDisposableStack();
  const folder = await Deno.makeTempDir({ prefix: "gatehouse-nginx-" });
  cleanup.defer(() => Deno.remove(folder, { recursive: true }));
  const { authority, certificate, key } = await createCertificates(...hostnames);
  const site = config.replaceAll("listen 443", `listen 127.0.0.1:${port}`)
    .replaceAll("wiki.example.org;", "localhost;")
    .replaceAll("/etc/ssl/wiki.example.org.crt", `${folder}/site.crt`)
    .replaceAll("/etc/ssl/private/wiki.example.org.key", `${folder}/site.key`)
    .replaceAll("127.0.0.1:8000", env["UPSTREAM"] ?? upstream)
    .replaceAll("127.0.0.1:3000", env["APP"] ?? "");
  const files = {
    "nginx.conf": mainOf(folder),
    "site.conf": site,
    "snippets/gatehouse.conf": snippet,
    "site.crt": certificate,
    "site.key": key,
  };
  await Deno.mkdir(`${folder}/snippets`);
  for (const [name, text] of Object.entries(files)) await Deno.writeTextFile(`${folder}/${name}`, text);
  const process = cleanup.use(
    new TestProcess("nginx", { args: ["-e", "stderr", "-p", folder, "-c", `${folder}/nginx.conf`], env: {} }),
  );
  await process.until(() => isListening(port), { what: "nginx to listen" });
  const client = cleanup.use(Deno.createHttpClient({ caCerts: [authority] }));
  const owned = cleanup.move();
  return {
    url: `https://localhost:${port}`,
    port,
    pid: process.pid,
    rootCertificate: authority,
    client,
    log: () => process.output,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

function mainOf(folder: string): string {
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((name) =>
    `\t${name}_temp_path ${folder}/${name};`
  );
  return `daemon off;\nmaster_process off;\npid ${folder}/pid;\nerror_log stderr warn;\nevents {}\nhttp {\n` +
    `${temporary.join("\n")}\n\taccess_log off;\n\tinclude site.conf;\n}\n`;
}

async function isListening(port: number): Promise<true | undefined> {
  try {
    using _ = await Deno.connect({ hostname: "127.0.0.1", port });
    return true;
  } catch {
    return undefined;
  }
}
