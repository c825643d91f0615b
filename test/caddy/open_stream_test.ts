/** Websockets and downloads that are open when the session ends, behind real Caddy and nginx: what ends them. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { setTimeout as delay } from "node:timers/promises";
import { app, type Guarded, startGuarded, testProxies } from "../support/caddy/guarded.ts";
import { serveUpstream } from "../support/upstream.ts";

await testProxies(
  "lets open websockets and downloads go on after the end of the session, and no new ones",
  async (proxy) => {
    await using upstream = serveStreams();
    await using site = await startGuarded({ proxy, env: { APP: upstream.address } });
    const { socket, download, cookie } = await openBoth(site);
    const headers = { cookie, "sec-fetch-site": "same-origin" };
    assertEquals(await site.statusOf("/auth/session/", { method: "DELETE", headers }), 204);
    for (let count = 0; count < 3; count++) {
      assertEquals(await echoOf(socket), "hello");
      assert(!(await download.read()).done);
    }
    await assertRejects(() => openSocket(site, cookie), Error, "refused");
    assertEquals(await site.statusOf("/download", { headers: { cookie } }), 401);
    socket.close();
    await download.cancel();
  },
);

await testProxies("ends downloads at the time limit of a response, but no websockets", async () => {
  await using upstream = serveStreams();
  const edits = [app, ["idle 2m", "idle 2m\n\t\t\twrite 2s"]] as const;
  await using site = await startGuarded({ edits, env: { APP: upstream.address } });
  const { socket, download } = await openBoth(site);
  await assertRejects(async () => {
    while (!(await download.read()).done);
  });
  await delay(1_000);
  assertEquals(await echoOf(socket), "hello");
  socket.close();
}, { proxies: ["caddy"] });

/** An app that echoes, and whose download never ends. */
function serveStreams() {
  return serveUpstream((request) => {
    if (request.headers.has("sec-websocket-key")) {
      const { socket, response } = Deno.upgradeWebSocket(request);
      socket.onmessage = ({ data }) => socket.send(data);
      return response;
    }
    const ticking: { timer?: ReturnType<typeof setInterval> } = {};
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => void (ticking.timer = setInterval(() => controller.enqueue(new Uint8Array(8)), 100)),
      cancel: () => clearInterval(ticking.timer),
    });
    return new Response(body);
  });
}

async function openBoth(site: Guarded) {
  const cookie = await site.enter("alice");
  const socket = await openSocket(site, cookie);
  const { body } = await site.ask("/download", { headers: { cookie } });
  assert(body !== null);
  return { socket, download: body.getReader(), cookie };
}

function openSocket({ caddy }: Guarded, cookie: string): Promise<WebSocket> {
  const url = `${caddy.url.replace("https:", "wss:")}/socket`;
  const socket = new WebSocket(url, { headers: { cookie }, client: caddy.client });
  const { promise, resolve, reject } = Promise.withResolvers<WebSocket>();
  socket.onopen = () => resolve(socket);
  socket.onerror = () => reject(new Error("The websocket is refused"));
  return promise;
}

function echoOf(socket: WebSocket): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  socket.onmessage = ({ data }) => resolve(data);
  socket.send("hello");
  return promise;
}
