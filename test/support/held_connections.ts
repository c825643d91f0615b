/** Connections that a test holds open: idle, slow, or with a reply that nobody reads. */

/** What is to be held. */
export interface HoldOptions {
  readonly count: number;
  /** What each sends when it is open. */
  readonly sent?: string | Uint8Array<ArrayBuffer>;
  /** Whether what comes is read, so that the end of a connection is seen. */
  readonly isRead?: boolean;
}

/** So many are opened side by side: what waits to be accepted has a limit of its own. */
const openAtOnce = 50;

/** Connections to one address. Disposing of them closes those that are still open. */
export class HeldConnections implements Disposable {
  readonly #connections = new Set<Deno.Conn>();
  #replies: string[] = [];
  #drip: ReturnType<typeof setInterval> | undefined;

  /** Opens as many of `count` as are taken. */
  static async open(connect: () => Promise<Deno.Conn>, options: HoldOptions): Promise<HeldConnections> {
    const held = new HeldConnections();
    let left = options.count;
    const opening = Array.from({ length: openAtOnce }, async () => {
      while (left-- > 0) await held.#open(connect, options);
    });
    await Promise.all(opening);
    return held;
  }

  /** Those that the other side has not ended. */
  get openCount(): number {
    return this.#connections.size;
  }

  /** What has come before the end of each that has ended. */
  get replies(): readonly string[] {
    return this.#replies;
  }

  /** Sends `text` on each again and again. */
  drip(text: string, everyMs: number): void {
    const bytes = new TextEncoder().encode(text);
    this.#drip = setInterval(() => {
      for (const connection of this.#connections) connection.write(bytes).catch(() => {});
    }, everyMs);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#drip);
    for (const connection of this.#connections) connection.close();
    this.#connections.clear();
  }

  async #open(connect: () => Promise<Deno.Conn>, { sent = "", isRead = true }: HoldOptions): Promise<void> {
    try {
      const connection = await connect();
      this.#connections.add(connection);
      if (isRead) this.#readToEnd(connection);
      const bytes = typeof sent === "string" ? new TextEncoder().encode(sent) : sent;
      if (bytes.length > 0) await connection.write(bytes);
    } catch {
      // It was refused, or ended at once: a server that defends itself may do so.
    }
  }

  async #readToEnd(connection: Deno.Conn): Promise<void> {
    const buffer = new Uint8Array(4_096);
    let text = "";
    try {
      for (let count = await connection.read(buffer); count !== null; count = await connection.read(buffer)) {
        text += new TextDecoder().decode(buffer.subarray(0, count));
      }
    } catch {
      // Broken off by the other side, or closed by this one.
    }
    if (!this.#connections.delete(connection)) return;
    connection.close();
    this.#replies.push(text);
  }
}
