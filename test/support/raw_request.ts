/** Requests over a socket, as they are written: what `fetch` would refuse to send, or mend. */

/** Where to send it. */
export type Address = Deno.ConnectOptions | Deno.UnixConnectOptions;

/** What the service said, as far as it got. */
export interface RawReply {
  /** 0 when there was none. */
  readonly status: number;
  /** In lower case. */
  readonly head: string;
  readonly body: string;
}

/** The address behind a URL. */
export function addressOf(url: string): Deno.ConnectOptions {
  const { hostname, port } = new URL(url);
  return { hostname, port: Number(port) };
}

/** A request with a body, and the headers that it needs. */
export function rawPost(path: string, body: string, headers: readonly string[] = []): string {
  const length = new TextEncoder().encode(body).length;
  const lines = [
    `POST ${path} HTTP/1.1`,
    "Host: gatehouse.test",
    "Content-Type: application/json",
    `Content-Length: ${length}`,
    ...headers,
  ];
  return `${lines.join("\r\n")}\r\n\r\n${body}`;
}

/** Sends the parts, each as soon as it is there, until the reply has come, or until it hangs up. */
export async function sendRaw(
  address: Address,
  parts: Iterable<string | Uint8Array<ArrayBuffer>> | AsyncIterable<string>,
  hangUp?: AbortSignal,
): Promise<RawReply> {
  const connection = "path" in address ? await Deno.connect(address) : await Deno.connect(address);
  const close = () => connection.close();
  hangUp?.addEventListener("abort", close);
  const writing = writeAll(connection, parts);
  const reply = await readReply(connection);
  hangUp?.removeEventListener("abort", close);
  if (!hangUp?.aborted) close();
  await writing;
  return reply;
}

async function writeAll(connection: Deno.Conn, parts: Parameters<typeof sendRaw>[1]): Promise<void> {
  const encoder = new TextEncoder();
  try {
    for await (const part of parts) {
      const bytes = typeof part === "string" ? encoder.encode(part) : part;
      for (let written = 0; written < bytes.length;) written += await connection.write(bytes.subarray(written));
    }
  } catch {
    // The connection has ended: whether with a reply is what the test looks at.
  }
}

async function readReply(connection: Deno.Conn): Promise<RawReply> {
  const decoder = new TextDecoder();
  const buffer = new Uint8Array(64 * 1024);
  let text = "";
  while (true) {
    const [head = "", body] = text.split("\r\n\r\n", 2);
    const length = Number(/\r\ncontent-length: (\d+)/i.exec(head)?.[1] ?? 0);
    const count = body !== undefined && body.length >= length ? null : await readSome(connection, buffer);
    if (count === null) {
      const status = Number(/^HTTP\/1\.1 (\d+)/.exec(head)?.[1] ?? 0);
      return { status, head: head.toLowerCase(), body: body ?? "" };
    }
    text += decoder.decode(buffer.subarray(0, count), { stream: true });
  }
}

/** @returns `null` at the end of the connection, however it ended */
async function readSome(connection: Deno.Conn, buffer: Uint8Array<ArrayBuffer>): Promise<number | null> {
  try {
    return await connection.read(buffer);
  } catch {
    return null;
  }
}
