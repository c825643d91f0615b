/**
 * A proxy between a client and PostgreSQL that cuts a connection at the worst moment: after the client has sent a
 * change, either before the server gets it or after the server has answered. The client cannot tell which.
 */

/** When to cut, and at which message of the client. */
export interface Cut {
  readonly when: "before" | "after";
  /** A transaction is committed, or a prepared statement executed. */
  readonly message: "commit" | "execute";
  /** What happens when the server knows of the cut, and the client not yet. */
  readonly meanwhile?: () => Promise<unknown>;
}

const messages = {
  commit: new TextEncoder().encode("COMMIT\0"),
  // "E", its length 9, the unnamed portal, all rows.
  execute: new Uint8Array([0x45, 0, 0, 0, 9, 0, 0, 0, 0, 0]),
};

/** A proxy on a unix socket in a folder of its own. Disposing of it ends every connection. */
export class CuttingProxy implements AsyncDisposable {
  /** Where the socket is, for the `host` of a URL. */
  readonly folder: string;
  readonly #listener: Deno.UnixListener;
  readonly #target: string;
  readonly #conns = new Set<Deno.UnixConn>();
  readonly #serving: Promise<void>;
  #cuts: Cut[] = [];
  /** Goes up with `cutOld`. */
  #generation = 0;

  private constructor(folder: string, target: string) {
    this.folder = folder;
    this.#target = target;
    this.#listener = Deno.listen({ transport: "unix", path: `${folder}/.s.PGSQL.5432` });
    this.#serving = this.#serve();
  }

  /** @param target the path of the server's socket */
  static async open(target: string): Promise<CuttingProxy> {
    return new CuttingProxy(await Deno.makeTempDir({ prefix: "gatehouse-proxy-" }), target);
  }

  /** Cuts, once each, at the next such message, and then at the one behind it. */
  cutNext(...cuts: readonly Cut[]): void {
    this.#cuts = [...cuts];
  }

  /** Cuts every connection that is open now, when it is used again: nobody notices before. */
  cutOld(): void {
    this.#generation++;
  }

  /** How many cuts have not been made. */
  get leftCount(): number {
    return this.#cuts.length;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    for (const conn of this.#conns) close(conn);
    await this.#serving;
    await Deno.remove(this.folder, { recursive: true });
  }

  async #serve(): Promise<void> {
    const served: Promise<void>[] = [];
    for await (const client of this.#listener) served.push(this.#forward(client));
    await Promise.all(served);
  }

  async #forward(client: Deno.UnixConn): Promise<void> {
    const server = await Deno.connect({ transport: "unix", path: this.#target });
    const ends = [server, client];
    for (const end of ends) this.#conns.add(end);
    const generation = this.#generation;
    let cut: Cut | undefined;
    const finish = async () => {
      close(server);
      await cut?.meanwhile?.();
      close(client);
    };
    const requests = pump(client, server, (bytes) => {
      if (generation !== this.#generation) return "end";
      const [first] = this.#cuts;
      if (cut !== undefined || first === undefined || !includes(bytes, messages[first.message])) return "pass";
      cut = this.#cuts.shift();
      return first.when === "before" ? "end" : "pass";
    });
    const answers = pump(server, client, () => cut === undefined ? "pass" : "end");
    await Promise.race([requests, answers]).then(finish);
    await Promise.all([requests, answers]);
    for (const end of ends) this.#conns.delete(end);
  }
}

/** Writes what is read, until either side ends or `look` says so. */
async function pump(from: Deno.Conn, to: Deno.Conn, look: (bytes: Uint8Array) => "pass" | "end"): Promise<void> {
  try {
    // Leaving the loop must not close the connection: `#forward` decides when the client learns of the cut.
    for await (const bytes of from.readable.values({ preventCancel: true })) {
      if (look(bytes) === "end") return;
      for (let rest: Uint8Array = bytes; rest.length > 0;) rest = rest.subarray(await to.write(rest));
    }
  } catch (error) {
    // The other direction has ended it.
    if (!isEnd(error)) throw error;
  }
}

function isEnd(error: unknown): boolean {
  const ends = [
    Deno.errors.BadResource,
    Deno.errors.BrokenPipe,
    Deno.errors.ConnectionReset,
    Deno.errors.Interrupted,
    Deno.errors.NotConnected,
  ];
  return ends.some((end) => error instanceof end);
}

function includes(bytes: Uint8Array, part: Uint8Array): boolean {
  const toText = (some: Uint8Array) => String.fromCharCode(...some);
  return toText(bytes).includes(toText(part));
}

function close(conn: Deno.Conn): void {
  try {
    conn.close();
  } catch (error) {
    if (!isEnd(error)) throw error;
  }
}
