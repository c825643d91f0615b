/** Pages of other origins in real Chromium: one that `GATEHOUSE_ORIGINS` lists, and one that it does not. */
import { assertEquals } from "@std/assert";
import { createRouter } from "../../lib/router.ts";
import { routes } from "../../routes/mod.ts";
import { insertSetupTicket } from "../support/accounts.ts";
import { openTestApp } from "../support/app.ts";
import { hasBrowser, startBrowser } from "../support/page/browser.ts";

const loopback = { hostname: "127.0.0.1", port: 0, onListen() {} };

/** What a page can find out: the statuses of three requests and the number of users, or the name of the error. */
async function useApi({ api, ticket, credentials }: { api: string; ticket: string; credentials: RequestCredentials }) {
  const account = { login: "alice", password: "seven purple wombats sing" };
  const send = async (method: string, path: string, { token = "", json }: { token?: string; json?: unknown }) => {
    const headers = { "Content-Type": "application/json", ...token !== "" && { Authorization: `Bearer ${token}` } };
    const body = json === undefined ? null : JSON.stringify(json);
    const response = await fetch(api + path, { method, headers, body, credentials });
    return { status: response.status, headers: response.headers, json: await response.json() };
  };
  try {
    const registered = await send("POST", "/user/", { json: { ...account, ticket } });
    const session = await send("POST", "/session/", { json: account });
    const { token } = session.json;
    const list = await send("GET", "/user/", { token });
    const one = await send("GET", "/user/alice", { token });
    const statuses = [registered, session, list, one].map(({ status }) => status);
    const seen = [registered.headers.get("Location"), one.headers.has("ETag"), list.headers.has("X-Request-Id")];
    return [...statuses, ...seen, list.json.total];
  } catch (error) {
    return [error instanceof TypeError ? error.message : String(error)];
  }
}

Deno.test({
  name: "a page of a listed origin registers, logs in and lists with a token; others and cookies get nowhere",
  ignore: !await hasBrowser(),
  async fn() {
    await using pages = Deno.serve(loopback, () => {
      return new Response("<!DOCTYPE html><title>App</title>", { headers: { "content-type": "text/html" } });
    });
    const { port } = pages.addr;
    const opened = await openTestApp({ settings: { GATEHOUSE_ORIGINS: `http://localhost:${port}` } });
    const router = createRouter(routes, opened.app);
    await using service = Deno.serve(loopback, (request, info) => router(request, info));
    const ticket = await insertSetupTicket(opened);
    await using running = await startBrowser([]);
    const page = await running.browser.newPage();
    const useFrom = async (host: string, credentials: RequestCredentials) => {
      await page.goto(`http://${host}:${port}/`);
      return await page.evaluate(useApi, { api: `http://127.0.0.1:${service.addr.port}`, ticket, credentials });
    };
    // The same page at another name: that is another origin.
    assertEquals(await useFrom("127.0.0.1", "same-origin"), ["Failed to fetch"]);
    assertEquals(await useFrom("localhost", "include"), ["Failed to fetch"]);
    assertEquals((await opened.app.store.size()).users, 0);
    assertEquals(await useFrom("localhost", "same-origin"), [201, 201, 200, 200, "./alice", true, true, 1]);
  },
});
