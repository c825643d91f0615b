/** A hash that the Worker computes, verified by the service as `deno task start` runs it: with its permissions only. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { inspect } from "../../lib/tasks/inspect.ts";
import { TestProcess } from "../support/process.ts";
import { addressOf, rawPost, sendRaw } from "../support/raw_request.ts";
import { makeForeignFolder } from "../support/store/foreign_folder.ts";

/** mkpasswd of whois 5.5 */
const hash = "$2b$05$dAZz.MEhFq.TQeZHCmh/k.UEFfvvCLDG6mBwxMWCzH.BJWzht8rzy";
const password = "secret of mkpasswd";

Deno.test("deno task start verifies a slow hash, and replaces it", async () => {
  const folder = await Deno.makeTempDir();
  await makeForeignFolder(folder, { alice: hash });
  const env = { GATEHOUSE_STORE: folder, GATEHOUSE_LISTEN: "127.0.0.1:0", GATEHOUSE_PBKDF2_ITERATIONS: "1000" };
  await using process = new TestProcess(Deno.execPath(), { args: ["task", "start"], env });
  const pattern = /"event":"listening","at":"(http:[^"]+)"/;
  const url = await process.until(() => pattern.exec(process.output)?.[1], { what: "the service" });
  try {
    const logIn = async (password: string) => {
      const request = rawPost("/session/", JSON.stringify({ login: "alice", password }));
      return (await sendRaw(addressOf(url), [request])).status;
    };
    assertEquals([await logIn(`!${password}`), await logIn(password), await logIn(password)], [401, 201, 201]);
  } finally {
    // The task passes on no signal that kills.
    await process.stop("SIGTERM");
  }
  assert(!/hash-worker-failed|NotCapable/.test(process.output), process.output);
  const lines = await Array.fromAsync(inspect(folder));
  assertMatch(lines.find((line) => line.includes('"kind":"user"')) ?? "", /"password_hash":"\$pbkdf2-sha256\$i=1000\$/);
});
