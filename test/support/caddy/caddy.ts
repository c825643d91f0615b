/**
 * Caddy as it is run, for tests over real HTTPS.
 *
 * It has a data folder of its own, so its root certificate is new and nobody else trusts it, and it listens on a
 * free port of loopback. All of it is gone when the test is over.
 */
import { freePort, TestProcess } from "../process.ts";

/** What Caddy is to do. */
export interface CaddyOptions {
  /** Where the service listens, in Caddy's spelling. */
  readonly upstream: string;
  /** A Caddyfile; by default the project's. */
  readonly config?: string;
  /** By default any free one. */
  readonly port?: number;
  /** A name that the Caddyfile serves; by default `localhost`. */
  readonly hostname?: string;
  /** Further settings of the Caddyfile. */
  readonly env?: Readonly<Record<string, string>>;
}

/** A Caddy that answers. */
export interface RunningCaddy extends AsyncDisposable {
  /** Without a slash at the end. */
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  /** PEM. */
  readonly rootCertificate: string;
  /** Trusts the root certificate, beside those of the system. */
  readonly client: Deno.HttpClient;
  /** All it has said so far. */
  log(): string;
}

/**
 * Starts Caddy and waits until it accepts connections; the upstream need not be there.
 * @throws {Error} with all it said, when it does not
 */
export async function startCaddy(options: CaddyOptions): Promise<RunningCaddy> {
  const { upstream, config = "caddy/Caddyfile", port = freePort(), hostname = "localhost", env = {} } = options;
  await using cleanup = new AsyncDisposableStack();
  const folder = await Deno.makeTempDir({ prefix: "gatehouse-caddy-" });
  cleanup.defer(() => Deno.remove(folder, { recursive: true }));
  const url = `https://${hostname}:${port}`;
  const process = new TestProcess("caddy", {
    args: ["run", "--config", config, "--adapter", "caddyfile"],
    env: { XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder, SITE: url, UPSTREAM: upstream, ...env },
  });
  cleanup.use(process);
  const rootPath = `${folder}/caddy/pki/authorities/local/root.crt`;
  const rootCertificate = await process.until(() => trustedRoot(rootPath, { hostname, port }), {
    what: "Caddy to answer",
  });
  const client = Deno.createHttpClient({ caCerts: [rootCertificate] });
  cleanup.use(client);
  const owned = cleanup.move();
  return {
    url,
    port,
    pid: process.pid,
    rootCertificate,
    client,
    log: () => process.output,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** The root certificate, once Caddy shows a certificate that it vouches for. */
async function trustedRoot(
  path: string,
  { hostname, port }: { readonly hostname: string; readonly port: number },
): Promise<string | undefined> {
  try {
    const pem = await Deno.readTextFile(path);
    const connection = await Deno.connect({ hostname: "127.0.0.1", port });
    using secured = await Deno.startTls(connection, { hostname, caCerts: [pem] });
    await secured.handshake();
    return pem;
  } catch {
    // The file, the listener and the certificate come one after the other.
    return undefined;
  }
}
