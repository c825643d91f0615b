/** Two uses at once of what is good for one: one succeeds, also on two instances. */
import { assertEquals } from "@std/assert";
import type { Store } from "../../lib/store.ts";
import { TableStore } from "../../lib/store/memory/table_store.ts";
import { countOutcomes } from "../support/accounts.ts";
import { alice, openAppOfAlice, openTestApp, type Reply, type TestApp } from "../support/app.ts";
import { Authenticator } from "../support/factors/authenticator.ts";
import {
  assertion,
  beginLogin,
  beginTotp,
  page,
  setUpPasskey,
  setUpTotp,
  type TotpApp,
} from "../support/factors/set_up.ts";
import { Instances } from "../support/store/postgres_instances.ts";
import { ensurePostgres } from "../support/postgres.ts";

interface Scene {
  readonly apps: readonly [TestApp, TestApp];
  readonly token: string;
  readonly totp: TotpApp;
  readonly authenticator: Authenticator;
}

interface Row {
  readonly what: string;
  /** Prepares a request. @returns what sends it */
  readonly prepare: (scene: Scene) => Promise<(opened: TestApp, index: number) => Promise<Reply>>;
  readonly lost: string;
}

const proof = "/session/second-factor/";
const rows: readonly Row[] = [
  {
    what: "login token",
    prepare: async ({ apps: [opened], totp }) => {
      const login_token = await beginLogin(opened, alice);
      const { codes } = totp;
      return ({ send }, index) => send("POST", proof, { json: { login_token, recovery_code: codes[index] } });
    },
    lost: "403 login-token-invalid",
  },
  {
    what: "step of TOTP",
    prepare: async ({ apps: [opened], totp }) => {
      const tokens = [await beginLogin(opened, alice), await beginLogin(opened, alice)];
      return ({ send }, index) => send("POST", proof, { json: { login_token: tokens[index], totp: totp.code() } });
    },
    lost: "403 wrong-factor",
  },
  {
    what: "recovery code",
    prepare: async ({ apps: [opened], totp }) => {
      const tokens = [await beginLogin(opened, alice), await beginLogin(opened, alice)];
      const recovery_code = totp.codes[5];
      return ({ send }, index) => send("POST", proof, { json: { login_token: tokens[index], recovery_code } });
    },
    lost: "403 wrong-factor",
  },
  {
    what: "challenge of a login by a passkey",
    prepare: async ({ apps: [opened], authenticator }) => {
      const { passkey, headers } = await assertion(opened, authenticator);
      return ({ send }) => send("POST", "/session/passkey/", { json: { passkey }, headers });
    },
    lost: "403 wrong-factor",
  },
  {
    what: "challenge of a step-up",
    prepare: async ({ apps: [opened], authenticator, token }) => {
      const { passkey, headers } = await assertion(opened, authenticator);
      return ({ send }) => send("POST", "/session/authentication/", { json: { passkey }, token, headers });
    },
    lost: "403 wrong-factor",
  },
  {
    what: "recovery code for a step-up",
    prepare: ({ token, totp }) => {
      const json = { recovery_code: totp.codes[6] };
      return Promise.resolve(({ send }) => send("POST", "/session/authentication/", { json, token }));
    },
    lost: "403 wrong-factor",
  },
  {
    what: "registration of a passkey",
    prepare: async ({ apps: [opened], token }) => {
      const key = await Authenticator.create();
      const { json } = await opened.send("POST", "/user/alice/passkey/options/", { token, headers: page });
      // deno-lint-ignore no-explicit-any -- options come as JSON.
      const passkey = key.register(json.publicKey as any, { origin: page.origin });
      const body = { name: "key", passkey };
      return ({ send }) => send("POST", "/user/alice/passkey/", { json: body, token, headers: page });
    },
    lost: "403 wrong-factor",
  },
  {
    what: "challenge for two passkeys",
    prepare: async ({ apps: [opened], token }) => {
      const keys = [await Authenticator.create(), await Authenticator.create()];
      const { json } = await opened.send("POST", "/user/alice/passkey/options/", { token, headers: page });
      return ({ send }, index) => {
        // deno-lint-ignore no-explicit-any -- options come as JSON.
        const passkey = keys[index]?.register(json.publicKey as any, { origin: page.origin });
        return send("POST", "/user/alice/passkey/", { json: { name: "key", passkey }, token, headers: page });
      };
    },
    lost: "403 wrong-factor",
  },
  {
    what: "setup token of TOTP",
    prepare: async ({ apps: [opened], token }) => {
      const { setup_token, code } = await beginTotp(opened, { token });
      return ({ send }, index) =>
        send("POST", "/user/alice/totp/", { json: { setup_token, code: code(index) }, token });
    },
    lost: "403 wrong-factor",
  },
];

async function openScene(stores: readonly [Store, Store]): Promise<Scene> {
  const [store, other] = stores;
  const first = await openAppOfAlice({ store });
  const second = store === other ? first : await openTestApp({ store: other });
  const authenticator = await setUpPasskey(first, first);
  const totp = await setUpTotp(first, first);
  // The first codes came with the passkey.
  const { json } = await first.send("POST", "/user/alice/recovery-code/", { token: first.token });
  return {
    apps: [first, second],
    token: first.token,
    totp: { ...totp, codes: json.recovery_codes as string[] },
    authenticator,
  };
}

async function checkAll(scene: Scene): Promise<void> {
  for (const { what, prepare, lost } of rows) {
    // For the next step of TOTP, and a later challenge.
    for (const { clock } of new Set(scene.apps)) clock.now += 30_000;
    const send = await prepare(scene);
    const counts = countOutcomes(await Promise.all(scene.apps.map(send)));
    const won = Object.keys(counts).filter((outcome) => /^20[01]$/.test(outcome));
    assertEquals([won.length, won[0] && counts[won[0]], counts[lost]], [1, 1, 1], `${what}: ${JSON.stringify(counts)}`);
  }
}

Deno.test("two uses at once of one token, code, step or challenge: one succeeds", async () => {
  const store = new TableStore();
  await checkAll(await openScene([store, store]));
});

Deno.test({
  name: "two uses at once on two instances of one token, code, step or challenge: one succeeds",
  ignore: !await ensurePostgres(),
  async fn() {
    await using instances = await Instances.open({ count: 2 });
    await checkAll(await openScene([instances.of(0), instances.of(1)]));
  },
});

Deno.test("the first TOTP that is confirmed twice at once comes with recovery codes that work", async () => {
  const opened = await openAppOfAlice();
  const { setup_token, code } = await beginTotp(opened, opened);
  const confirm = (offset: number) => {
    const json = { setup_token, code: code(offset) };
    return opened.send("POST", "/user/alice/totp/", { token: opened.token, json });
  };
  const replies = await Promise.all([0, 1, 0, -1].map(confirm));
  assertEquals(countOutcomes(replies), { "201": 1, "403 wrong-factor": 3 });
  const [recovery_code] = replies.find(({ status }) => status === 201)?.json.recovery_codes as string[];
  const reply = await opened.send("POST", proof, {
    json: { login_token: await beginLogin(opened, alice), recovery_code },
  });
  assertEquals([reply.status, reply.json.recovery_codes_left], [201, 9]);
});
