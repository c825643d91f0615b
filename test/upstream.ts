/**
 * What can stand in for the service behind Caddy, where a test must see or break what Caddy sends.
 */

/** A server on loopback. */
export interface Upstream extends AsyncDisposable {
  /** As Caddy is told. */
  readonly address: string;
}

/** An upstream that answers everything, also whether it is ready, by `handler`. */
export function serveUpstream(handler: (request: Request) => Response | Promise<Response>): Upstream {
  // A body that Caddy breaks off is no news to a test.
  const onError = () => new Response(null, { status: 500 });
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {}, onError }, handler);
  return { address: `127.0.0.1:${server.addr.port}`, [Symbol.asyncDispose]: () => server.shutdown() };
}

/** An upstream that is ready, and that ends the connection of other requests `times` times where the reply belongs. */
export function breakConnections({ times }: { times: number }): Upstream & { readonly requests: string[] } {
  const requests: string[] = [];
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const answering = answerEach(listener, (head) => {
    const request = head.split(" ", 2).join(" ");
    if (request === "GET /health/ready") return true;
    requests.push(request);
    return requests.length > times;
  });
  const close = async () => {
    listener.close();
    await answering;
  };
  return { address: `127.0.0.1:${listener.addr.port}`, requests, [Symbol.asyncDispose]: close };
}

/** Answers one request a connection with 200 and `{}`, or with nothing when `decide` says so. */
async function answerEach(listener: Deno.Listener, decide: (head: string) => boolean): Promise<void> {
  const reply = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}";
  for await (const connection of listener) {
    using _ = connection;
    const buffer = new Uint8Array(16 * 1024);
    const count = await connection.read(buffer) ?? 0;
    const head = new TextDecoder().decode(buffer.subarray(0, count));
    if (decide(head)) await connection.write(new TextEncoder().encode(reply));
  }
}
