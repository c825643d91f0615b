/**
 * Load for the benchmarks: whole requests over kept connections, as cheap as can be for this process, which shares the
 * cores with what it measures.
 */

import { addressOf } from "../support/raw_request.ts";

/** What came of one request. Times are those of `performance.now()`. */
export interface Sample {
  readonly status: number;
  readonly sentAt: number;
  readonly receivedAt: number;
}

/** The request of that number, counted from 0. */
export type NextRequest = (number: number) => Uint8Array<ArrayBuffer>;

/** A request as it is written. */
export function requestOf(
  line: string,
  options: { headers?: Readonly<Record<string, string>>; json?: unknown },
): Uint8Array<ArrayBuffer> {
  const { headers = {}, json } = options;
  const body = json === undefined ? "" : JSON.stringify(json);
  const length = new TextEncoder().encode(body).length;
  const about = json === undefined ? {} : { "Content-Type": "application/json", "Content-Length": String(length) };
  const fields = Object.entries({ Host: "gatehouse.test", ...about, ...headers });
  const head = [`${line} HTTP/1.1`, ...fields.map(([name, value]) => `${name}: ${value}`)].join("\r\n");
  return new TextEncoder().encode(`${head}\r\n\r\n${body}`);
}

/** Connections to one service: as many as are needed at once, each used again when its reply has come. */
export class Load implements Disposable {
  readonly #address: Deno.ConnectOptions;
  readonly #idle: Connection[] = [];
  readonly #all = new Set<Connection>();

  constructor(url: string) {
    this.#address = addressOf(url);
  }

  /** How many wait for a reply. */
  get waiting(): number {
    return this.#all.size - this.#idle.length;
  }

  /** Sends one request and waits for its reply. @throws {Error} the connection ended before it */
  async send(request: Uint8Array<ArrayBuffer>): Promise<Sample> {
    const connection = this.#idle.pop() ?? new Connection(await Deno.connect(this.#address));
    this.#all.add(connection);
    const sample = await connection.send(request);
    this.#idle.push(connection);
    return sample;
  }

  /** Closed loop: keeps so many requests under way until the time is over, and waits for the last replies. */
  async keepBusy(next: NextRequest, options: { connections: number; seconds: number }): Promise<Sample[]> {
    const endAt = performance.now() + options.seconds * 1_000;
    const samples: Sample[] = [];
    let number = 0;
    await Promise.all(Array.from({ length: options.connections }, async () => {
      while (performance.now() < endAt) samples.push(await this.send(next(number++)));
    }));
    return samples;
  }

  /**
   * Open loop: sends requests at a steady rate, however long the responses take, as independent clients do. A stop of
   * one second delays hundreds of requests here; a closed loop would see one delayed request.
   *
   * @returns when all is sent; the samples come with the last response
   */
  async offer(
    next: NextRequest,
    options: { perSecond: number; seconds: number },
  ): Promise<{ samples: Promise<Sample[]> }> {
    const { perSecond, seconds } = options;
    const count = Math.floor(perSecond * seconds);
    const startedAt = performance.now();
    const sent: Promise<Sample>[] = [];
    while (sent.length < count) {
      const due = Math.min(count, (performance.now() - startedAt) / 1_000 * perSecond + 1);
      while (sent.length + 1 <= due) sent.push(this.send(next(sent.length)));
      const nextAt = startedAt + sent.length / perSecond * 1_000;
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, nextAt - performance.now())));
    }
    return { samples: Promise.all(sent) };
  }

  /** Hangs up, also on those that wait: they end with an error. */
  [Symbol.dispose](): void {
    for (const connection of this.#all) connection.close();
    this.#all.clear();
    this.#idle.length = 0;
  }
}

/** One request after another. */
class Connection {
  readonly #tcp: Deno.TcpConn;
  readonly #buffer = new Uint8Array(16 * 1_024);
  readonly #decoder = new TextDecoder("latin1");

  constructor(tcp: Deno.TcpConn) {
    this.#tcp = tcp;
  }

  async send(request: Uint8Array<ArrayBuffer>): Promise<Sample> {
    const sentAt = performance.now();
    for (let written = 0; written < request.length;) {
      written += await this.#tcp.write(request.subarray(written));
    }
    const status = await this.#readReply();
    return { status, sentAt, receivedAt: performance.now() };
  }

  close(): void {
    this.#tcp.close();
  }

  /** Reads a reply to its end. @returns its status */
  async #readReply(): Promise<number> {
    for (let text = "";;) {
      const count = await this.#tcp.read(this.#buffer);
      if (count === null) throw new Error("A connection ended before its reply");
      text += this.#decoder.decode(this.#buffer.subarray(0, count));
      const headEnd = text.indexOf("\r\n\r\n");
      if (headEnd === -1) continue;
      const length = Number(/\r\ncontent-length: (\d+)/i.exec(text)?.[1] ?? 0);
      if (text.length >= headEnd + 4 + length) return Number(text.slice(9, 12));
    }
  }
}

/**
 * How many a second, of the moments at which each was done, when `atOnce` are worked on at a time: those end together,
 * so that whole groups are counted, and none of those that were there before all workers were busy.
 */
export function rateOf(doneAt: readonly number[], atOnce: number): number {
  const times = doneAt.toSorted((a, b) => a - b).slice(2 * atOnce);
  const count = Math.floor((times.length - 1) / atOnce) * atOnce;
  return count * 1_000 / ((times[count] ?? NaN) - (times[0] ?? NaN));
}

/** The value that the share of all values does not exceed: 0.5 is the median. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.ceil(share * sorted.length) - 1] ?? NaN;
}

/** How long each took, in milliseconds. @throws {Error} one was answered with another status */
export function timesOf(samples: readonly Sample[], expectedStatus: number): number[] {
  const other = samples.find(({ status }) => status !== expectedStatus);
  if (other !== undefined) throw new Error(`A request was answered with ${other.status}, not with ${expectedStatus}`);
  return samples.map(({ sentAt, receivedAt }) => receivedAt - sentAt);
}
