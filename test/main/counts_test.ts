/** Several services on one database count together what they throttle. */
import { assertEquals } from "@std/assert";
import { ensurePostgres, startPostgres } from "../support/postgres.ts";
import { addressOf, rawPost, sendRaw } from "../support/raw_request.ts";
import { type RunningService, startService } from "../support/service.ts";

const ignore = !await ensurePostgres();
const password = "seven purple wombats sing";

interface Attempt {
  readonly login: string;
  readonly password?: string;
  readonly client?: string;
}

/** @returns the status */
async function post({ url }: RunningService, path: string, attempt: Attempt): Promise<number> {
  const { client = "198.51.100.7", ...credentials } = attempt;
  const body = JSON.stringify({ password, ...credentials });
  return (await sendRaw(addressOf(url), [rawPost(path, body, [`X-Forwarded-For: ${client}`])])).status;
}

Deno.test({
  name: "two services on one database stop a guesser, and one that registers, as one would",
  ignore,
  async fn() {
    await using server = await startPostgres();
    const env = { GATEHOUSE_STORE: await server.createDatabase(), GATEHOUSE_REGISTRATIONS_PER_HOUR: "3" };
    await using one = await startService({ env });
    await using other = await startService({ env });
    const services = Array.from({ length: 12 }, (_, index) => index % 2 === 0 ? one : other);

    const registered: number[] = [];
    for (const [index, service] of services.slice(0, 5).entries()) {
      registered.push(await post(service, "/user/", { login: `user${index}` }));
    }
    assertEquals(registered, [201, 201, 201, 429, 429]);
    assertEquals(await post(other, "/user/", { login: "bob", client: "203.0.113.9" }), 201);

    const guesses = services.map((service, index) => {
      return post(service, "/session/", { login: "user0", password: `wrong ${index}` });
    });
    assertEquals((await Promise.all(guesses)).toSorted(), [...Array(10).fill(401), 429, 429]);
    for (const service of [one, other]) {
      assertEquals(await post(service, "/session/", { login: "user0" }), 429);
      assertEquals(await post(service, "/session/", { login: "user0", client: "203.0.113.9" }), 201);
    }
  },
});
