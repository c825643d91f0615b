/** A WSGI app in real Python: it responds with its environment, in which X-Real-IP and X_Real_IP are one name. */
import { TestProcess } from "../process.ts";
import type { Upstream } from "../upstream.ts";

const program = `
import hashlib, json, wsgiref.simple_server as simple
class Handler(simple.WSGIRequestHandler):
    def log_message(self, *arguments): pass
def app(environ, start_response):
    digest, left = hashlib.sha256(), int(environ.get("CONTENT_LENGTH") or 0)
    while left > 0 and (part := environ["wsgi.input"].read(min(left, 65536))):
        digest.update(part)
        left -= len(part)
    seen = {name: value for name, value in environ.items() if name.startswith("HTTP_") or name == "PATH_INFO"}
    body = json.dumps({"sha256": digest.hexdigest(), **seen}).encode()
    headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
    if environ["REQUEST_METHOD"] == "OPTIONS":
        headers += [("Access-Control-Allow-Origin", "https://shop.example"), ("Access-Control-Allow-Methods", "PUT")]
    start_response("200 OK", headers)
    return [b"" if environ["REQUEST_METHOD"] == "HEAD" else body]
server = simple.make_server("127.0.0.1", 0, app, handler_class=Handler)
print("port", server.server_port, flush=True)
server.serve_forever()
`;

/** Starts it. */
export async function startWsgiApp(): Promise<Upstream> {
  await using cleanup = new AsyncDisposableStack();
  const process = cleanup.use(new TestProcess("python3", { args: ["-c", program], env: {} }));
  const port = await process.until(() => /port (\d+)/.exec(process.output)?.[1], { what: "the WSGI app to listen" });
  const owned = cleanup.move();
  return { address: `127.0.0.1:${port}`, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}
