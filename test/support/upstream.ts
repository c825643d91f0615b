/**
 * What can stand in for the service behind Caddy, where a test must see or break what Caddy sends.
 */

const ok = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}";

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
  const upstream = answerEach((head) => {
    const request = head.split(" ", 2).join(" ");
    if (request === "GET /health/ready") return ok;
    requests.push(request);
    return requests.length > times ? ok : undefined;
  });
  return { ...upstream, requests };
}

/** An upstream that switches to whatever protocol it is asked for. `heads` are those of its requests. */
export function switchProtocols(): Upstream & { readonly heads: string[] } {
  const heads: string[] = [];
  const upstream = answerEach((head) => {
    heads.push(head);
    const [upgrade] = /^upgrade: \S+/im.exec(head) ?? [];
    return upgrade === undefined ? ok : `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n${upgrade}\r\n\r\n`;
  });
  return { ...upstream, heads };
}

/** Answers one request a connection, or ends the connection where `replyTo` says nothing. */
function answerEach(replyTo: (head: string) => string | undefined): Upstream {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const answering = (async () => {
    for await (const connection of listener) {
      using _ = connection;
      const buffer = new Uint8Array(16 * 1024);
      const count = await connection.read(buffer) ?? 0;
      const reply = replyTo(new TextDecoder().decode(buffer.subarray(0, count)));
      if (reply !== undefined) await connection.write(new TextEncoder().encode(reply));
    }
  })();
  const close = async () => {
    listener.close();
    await answering;
  };
  return { address: `127.0.0.1:${listener.addr.port}`, [Symbol.asyncDispose]: close };
}
