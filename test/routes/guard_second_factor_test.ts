/** The demand `second-factor` of the guard, the policy there, and the way through the page. */
import { assertEquals, assertStringIncludes } from "@std/assert";
import type { Factor } from "../../lib/store.ts";
import { TableStore } from "../../lib/store/memory/table_store.ts";
import { ask, byBasic, byBearer, byCookie, dead, type Headers, openScene, told } from "../support/caddy/guard_scene.ts";
import { addTotp, makeAppPassword, prove } from "../support/factors/credentials.ts";

const required = "401 second-factor-required";
const navigation = { "sec-fetch-mode": "navigate", "x-forwarded-uri": "/ledger?page=2" };

const sessions: readonly [factors: readonly Factor[], isEnough: boolean][] = [
  [[], false],
  [["totp"], true],
  [["recovery"], true],
  [["passkey"], true],
];

for (const [factors, isEnough] of sessions) {
  const what = ["password", ...factors].join();
  Deno.test(`guard() ${isEnough ? "admits" : "stops"} a session of ${what} by the demand second-factor`, async () => {
    const scene = await openScene();
    for (const factor of factors) await prove(scene, scene.ofAlice, "alice", factor);
    for (const headers of [byCookie(scene.ofAlice), byBearer(scene.ofAlice)]) {
      for (const demands of ["second-factor", "users/second-factor", "second-factor/users"]) {
        assertEquals(told(await ask(scene, headers, demands)), isEnough ? "200 alice" : required);
      }
      assertEquals(told(await ask(scene, headers)), "200 alice");
      // A group comes first: nobody proves a factor for a page that stays closed.
      assertEquals(told(await ask(scene, headers, "staff/second-factor")), "403 not-in-group");
    }
  });
}

const policies: readonly [policy: string, login: string, isRequired: boolean][] = [
  ["optional", "root", false],
  ["admins", "root", true],
  ["admins", "alice", false],
  ["all", "alice", true],
];

for (const [policy, login, isRequired] of policies) {
  Deno.test(`guard() ${isRequired ? "requires" : "does not require"} a factor of ${login} by ${policy}`, async () => {
    const scene = await openScene({ settings: { GATEHOUSE_SECOND_FACTOR: policy } });
    const token = login === "root" ? scene.admin : scene.ofAlice;
    assertEquals(told(await ask(scene, byCookie(token))), isRequired ? required : `200 ${login}`);
    assertEquals(told(await ask(scene, byBasic(login))), isRequired ? required : `200 ${login}`);
    await prove(scene, token, login, "passkey");
    assertEquals(told(await ask(scene, byCookie(token))), `200 ${login}`);
  });
}

/** Requests without the factor: the answer, and where it leads. */
const ways: readonly [what: string, headers: Headers, status: number, location: string | null][] = [
  ["a page", navigation, 302, "/auth/?need=second-factor&next=%2Fledger%3Fpage%3D2"],
  ["a page of an old browser", { accept: "text/html" }, 302, "/auth/?need=second-factor"],
  ["a page of no known path", { ...navigation, "x-forwarded-uri": "//evil" }, 302, "/auth/?need=second-factor"],
  ["a script's request", { "sec-fetch-mode": "cors" }, 401, null],
  ["a program's request", {}, 401, null],
];

for (const [what, headers, status, location] of ways) {
  Deno.test(`guard() answers ${status} to ${what} that lacks the second factor`, async () => {
    const scene = await openScene();
    const reply = await ask(scene, { ...headers, ...byCookie(scene.ofAlice) }, "second-factor");
    assertEquals([reply.status, reply.headers.get("location")], [status, location]);
    assertEquals(reply.headers.get("cache-control"), "no-store");
    if (status !== 401) return;
    assertEquals([told(reply), reply.headers.get("www-authenticate")], [required, 'Bearer realm="gatehouse"']);
  });
}

Deno.test("guard() asks those without a session to log in, not for a factor", async () => {
  const scene = await openScene();
  for (const [headers, why] of [[{}, ""], [byCookie(dead), "why=ended&"]] as const) {
    const page = await ask(scene, { ...navigation, ...headers }, "second-factor");
    assertEquals([page.status, page.headers.get("location")], [302, `/auth/?${why}next=%2Fledger%3Fpage%3D2`]);
    assertEquals(told(await ask(scene, headers, "second-factor")), "401 not-authenticated");
  }
});

for (const [language, title, action] of [["en", "not sent", "Log in in"], ["ru", "не отправлена", "Войти в"]]) {
  Deno.test(`guard() keeps a form that lacks the second factor: ${language}`, async () => {
    const scene = await openScene();
    const form = { ...navigation, "x-forwarded-method": "POST", "accept-language": language ?? "" };
    const { status, text } = await ask(scene, { ...form, ...byCookie(scene.ofAlice) }, "second-factor");
    assertEquals(status, 401);
    for (const part of [title, action, "/auth/?need=second-factor&amp;next=%2F"]) {
      assertStringIncludes(text, part ?? "");
    }
  });
}

Deno.test("guard() stops HTTP Basic where a second factor is demanded, and leads a browser to the login", async () => {
  const scene = await openScene();
  const { password } = await makeAppPassword(scene, "alice", { token: scene.ofAlice });
  for (const secret of [undefined, password]) {
    const headers = byBasic("alice", secret);
    assertEquals(told(await ask(scene, headers)), "200 alice");
    const reply = await ask(scene, headers, "second-factor");
    // Basic is not offered, as no password helps.
    assertEquals([told(reply), reply.headers.get("www-authenticate")], [required, 'Bearer realm="gatehouse"']);
    const page = await ask(scene, { ...headers, ...navigation }, "second-factor");
    assertEquals(page.headers.get("location"), "/auth/?need=second-factor&next=%2Fledger%3Fpage%3D2");
  }
});

/** Counts the look-ups of the guard. */
class CountingStore extends TableStore {
  readonly calls: string[] = [];

  override findSession(id: string) {
    this.calls.push("findSession");
    return super.findSession(id);
  }

  override findUser(login: string) {
    this.calls.push("findUser");
    return super.findUser(login);
  }

  override listCredentials(login: string) {
    this.calls.push("listCredentials");
    return super.listCredentials(login);
  }

  override findCredential(kind: Parameters<TableStore["findCredential"]>[0], key: string) {
    this.calls.push("findCredential");
    return super.findCredential(kind, key);
  }
}

for (const policy of ["optional", "all"]) {
  Deno.test(`guard() reads the session alone, with the demand or without it, by ${policy}`, async () => {
    const store = new CountingStore();
    const scene = await openScene({ store, settings: { GATEHOUSE_SECOND_FACTOR: policy } });
    await addTotp(scene, "alice");
    for (const demands of ["", "second-factor"]) {
      store.calls.length = 0;
      await ask(scene, byCookie(scene.ofAlice), demands);
      assertEquals(store.calls, ["findSession"]);
    }
  });
}
