/**
 * Ten thousand requests that nobody thinks of, in sequences, each to an app of its own, without a socket.
 *
 * fast-check shrinks a sequence that fails, and prints it with its seed and path. To repeat it alone, put both into the
 * options below: `{ seed: …, path: "12:3:…" }`. `deno task bench fuzz` sends a million.
 */
import { assert, assertEquals } from "@std/assert";
import { openApiDocument } from "../../routes/openapi/document.ts";
import { operations } from "../../routes/mod.ts";
import { Coverage } from "../support/fuzz.ts";
import { fuzzApps } from "../support/fuzz/app.ts";

Deno.test("ten thousand valid and invalid requests get documented responses, without errors or secrets", async () => {
  const coverage = new Coverage(openApiDocument(operations, { passwordMinLength: 15 }));
  await fuzzApps(coverage, { seed: 20_261_122, numRuns: 220 });
  assert(coverage.count >= 10_000, `only ${coverage.count} requests`);
  assert(coverage.longestHeader > 60_000, `no header of more than ${coverage.longestHeader}`);
  // Every operation was reached to its end, but what takes an authenticator or a home, and nearly every problem, but
  // what takes one of them, a policy, 10 seconds, or a socket.
  const isOfFactor = (outcome: string) => {
    return /^(logIn 202|(proveSecondFactor|showPasskeyOptions|logInByPasskey|registerPasskey|confirmTotp) |\w+Again )/
      .test(outcome) || /^(openSiteSession|showPage) 303$|^show(Authentication|Registration)Options /.test(outcome);
  };
  assertEquals(coverage.missing((status) => status < 400).filter((outcome) => !isOfFactor(outcome)), []);
  const isOfSocket = / (slow-body|malformed-host|(last-)?second-factor(-required)?|too-many-credentials)$/;
  const isOfHome = / (unknown-site|only-at-home|site-login-invalid)$/;
  const missing = coverage.missing((status) => status < 500).filter((outcome) =>
    !isOfSocket.test(outcome) && !isOfHome.test(outcome) && !isOfFactor(outcome)
  );
  assert(missing.length <= 10, missing.join(", "));
});
