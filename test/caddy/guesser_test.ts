/**
 * Who guesses passwords through real Caddy, and the owner at another address: loopback has many, and curl can come from
 * any of them.
 */
import { assertEquals, assertMatch } from "@std/assert";
import { startCaddy } from "../support/caddy/caddy.ts";
import { ensureProgram } from "../support/packages.ts";
import { startService } from "../support/service.ts";

const ignore = !(await ensureProgram("caddy", "caddy") && await ensureProgram("curl", "curl"));
const alice = { login: "alice", password: "mellow-otter-41-lantern" };

Deno.test({
  name: "a guesser behind Caddy is stopped at one address, whatever it forges, and the owner logs in at another",
  // Only Linux takes all of 127.0.0.0/8 for its own.
  ignore: ignore || Deno.build.os !== "linux",
  async fn() {
    await using service = await startService();
    await using caddy = await startCaddy({ upstream: new URL(service.url).host });
    const rootPath = await Deno.makeTempFile();
    try {
      await Deno.writeTextFile(rootPath, caddy.rootCertificate);
      const post = (path: string, from: string, json: unknown, ...more: string[]) =>
        curl(`${caddy.url}${path}`, [
          "--cacert",
          rootPath,
          "--interface",
          from,
          "--json",
          JSON.stringify(json),
          ...more,
        ]);

      assertEquals((await post("/user/", "127.0.0.3", alice)).status, "201");
      const statuses: string[] = [];
      for (let guess = 0; guess < 12; guess++) {
        const forged = `X-Forwarded-For: 192.0.2.${guess}`;
        const json = { ...alice, password: `mellow-otter-${guess}` };
        statuses.push((await post("/session/", "127.0.0.2", json, "--header", forged)).status);
      }
      assertEquals(statuses, [...Array<string>(10).fill("401"), "429", "429"]);
      // The right password would be one guess more.
      const stopped = await post("/session/", "127.0.0.2", alice);
      assertEquals(stopped.status, "429");
      assertMatch(stopped.head, /^retry-after: [1-9]\d*\r$/im);
      assertMatch(stopped.head, /^cache-control: no-store\r$/im);
      assertEquals((await post("/session/", "127.0.0.3", alice)).status, "201");
    } finally {
      await Deno.remove(rootPath);
    }
  },
});

async function curl(url: string, args: readonly string[]): Promise<{ status: string; head: string }> {
  const { stdout } = await new Deno.Command("curl", { args: ["--silent", "--include", "--http1.1", ...args, url] })
    .output();
  const [head = ""] = new TextDecoder().decode(stdout).split("\r\n\r\n", 1);
  return { status: head.split(" ")[1] ?? "", head };
}
