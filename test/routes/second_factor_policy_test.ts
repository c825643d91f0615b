/** What a session may do without the second factor that its user must have. */
import { assertEquals } from "@std/assert";
import { routes } from "../../routes/mod.ts";
import { openWithAlice, outcomeOf } from "../support/accounts.ts";
import { prove } from "../support/factors/credentials.ts";
import { setUpTotp } from "../support/factors/set_up.ts";
import type { Factor } from "../../lib/store.ts";

type Policy = "optional" | "admins" | "all";

const required = "401 second-factor-required";
/** What such a session may do. */
const open = ["GET /session/", "DELETE /session/", "DELETE /user/:login"];
/** Which operations ask for a session, by the words of their access. */
const ofSessions = routes.filter(({ access, path }) => access !== "anyone" && !path.startsWith("/guard"));

function openWithPolicy(policy: Policy) {
  return openWithAlice({ settings: { GATEHOUSE_SECOND_FACTOR: policy } });
}

for (const { method, path } of ofSessions) {
  const isOfSetup = ["GET", "POST"].includes(method) && /\/(credential|passkey|totp|recovery-code|auth)/.test(path);
  const isOpen = open.includes(`${method} ${path}`) || isOfSetup;
  Deno.test(`${method} ${path} ${isOpen ? "serves" : "refuses"} a session without a required factor`, async () => {
    const opened = await openWithPolicy("all");
    const target = path.replace(":login", "alice").replace(/:\w+\*?/g, "x");
    const json = path.endsWith("password") ? { json: { current_password: "a", password: "b" } } : { json: {} };
    const options = { token: opened.token, ...method === "GET" || method === "DELETE" ? {} : json };
    const second = await opened.logIn();
    await prove(opened, second, "alice", "totp");
    assertEquals(outcomeOf(await opened.send(method, target, options)) === required, !isOpen);
    const reply = await opened.send(method, target, { ...options, token: second });
    assertEquals(outcomeOf(reply) === required, false);
  });
}

const rows: readonly [policy: Policy, login: string, factor: Factor | undefined, isRefused: boolean][] = [
  ["optional", "root", undefined, false],
  ["optional", "alice", undefined, false],
  ["admins", "root", undefined, true],
  ["admins", "alice", undefined, false],
  ["all", "root", undefined, true],
  ["all", "alice", undefined, true],
  ["all", "alice", "passkey", false],
  ["all", "alice", "totp", false],
  ["all", "alice", "recovery", false],
  ["admins", "root", "passkey", false],
];

for (const [policy, login, factor, isRefused] of rows) {
  const proof = factor === undefined ? "the password alone" : `password and ${factor}`;
  Deno.test(`${isRefused ? "refuses" : "serves"} ${login} with ${proof} where the policy is ${policy}`, async () => {
    const opened = await openWithPolicy(policy);
    const token = login === "root" ? opened.admin : opened.token;
    if (factor !== undefined) await prove(opened, token, login, factor);
    const reply = await opened.send("GET", `/user/${login}`, { token });
    assertEquals(outcomeOf(reply), isRefused ? required : "200");
    if (isRefused) assertEquals(reply.headers.get("www-authenticate"), 'Bearer realm="gatehouse"');
    // Another user is not shown to an administrator who lacks one either.
    const other = await opened.send("GET", `/user/${login === "root" ? "alice" : "root"}`, { token });
    assertEquals(outcomeOf(other), isRefused ? required : login === "root" ? "200" : "403 forbidden");
  });
}

Deno.test("a user who becomes an administrator needs a second factor from the next request", async () => {
  const opened = await openWithPolicy("admins");
  await prove(opened, opened.admin, "root", "passkey");
  assertEquals(outcomeOf(await opened.send("GET", "/user/alice", { token: opened.token })), "200");
  const promotion = { token: opened.admin, json: { groups: ["admin"] } };
  assertEquals(outcomeOf(await opened.send("PATCH", "/user/alice", promotion)), "200");
  assertEquals(outcomeOf(await opened.send("GET", "/user/alice", { token: opened.token })), required);
});

Deno.test("recovery codes of a user without a second factor are none, and end with the first one", async () => {
  const opened = await openWithPolicy("all");
  const { token } = opened;
  const made = await opened.send("POST", "/user/alice/recovery-code/", { token });
  const [recovery_code, another] = made.json.recovery_codes as string[];
  const stepUp = (json: unknown) => opened.send("POST", "/session/authentication/", { token, json });
  assertEquals(outcomeOf(await stepUp({ recovery_code })), "403 wrong-factor");
  assertEquals(outcomeOf(await opened.send("GET", "/user/alice", { token })), required);
  const { codes } = await setUpTotp(opened, { token });
  assertEquals(codes.length, 10);
  assertEquals(outcomeOf(await stepUp({ recovery_code: another })), "403 wrong-factor");
  assertEquals(outcomeOf(await stepUp({ recovery_code: codes[0] })), "200");
});

Deno.test("showPage() leads on to a page that needs a second factor only once the session has one", async () => {
  const opened = await openWithAlice();
  const headers = { cookie: `__Host-gatehouse=${opened.token}` };
  const locationOf = async (path: string) => (await opened.send("GET", path, { headers })).headers.get("location");
  assertEquals(await locationOf("/?next=/a"), "/a");
  assertEquals(await locationOf("/?need=second-factor&next=/a"), null);
  assertEquals(await locationOf("/?next=/a&need=third-factor"), "/a");
  await prove(opened, opened.token, "alice", "totp");
  assertEquals(await locationOf("/?need=second-factor&next=/a"), "/a");
});
