/** The users of the example files log in with the password that their programs hashed. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { authelia } from "../../../lib/import/authelia.ts";
import { django } from "../../../lib/import/django.ts";
import type { ForeignFormat } from "../../../lib/import/foreign_format.ts";
import { keycloak } from "../../../lib/import/keycloak.ts";
import { werkzeugPickle } from "../../../lib/import/werkzeug_pickle.ts";
import { foreignFile, readForeign } from "../../support/foreign_users.ts";
import { password, runTask } from "../../support/import.ts";
import { isHashOf } from "../../support/passwords/verify.ts";
import { startService } from "../../support/service.ts";

const rows: readonly [format: ForeignFormat, file: string, logins: readonly string[]][] = [
  [django, "django-auth.json", ["alice", "Bob", "carol@example.org", "root2"]],
  [keycloak, "keycloak-realm.json", ["alice", "bob", "carol@example.org", "dave"]],
  [authelia, "authelia-users.yml", ["Alice", "bob", "carol", "1e3", "dave@example.org"]],
  [werkzeugPickle, "pickles/users-protocol-4.pkl", ["alice", "Боб"]],
];

for (const [format, file, logins] of rows) {
  Deno.test(`each hash of ${file} is one of the password`, async () => {
    const verified: string[] = [];
    for (const record of await readForeign(format, { path: foreignFile(file) })) {
      // A user without a password, and raw bytes.
      if ("reason" in record || record.passwordHash.startsWith("\x01")) continue;
      if (await isHashOf(password, record.passwordHash)) verified.push(record.login);
      if (verified.length === 1) assert(!await isHashOf(`${password}?`, record.passwordHash));
    }
    assertEquals(verified, logins);
  });
}

Deno.test("a user of a pickle logs in, and a hostile pickle runs nothing and adds no user", async () => {
  const folder = await Deno.makeTempDir();
  const store = `${folder}/data`;
  await Deno.writeTextFile(`${folder}/renames.csv`, "Боб,bob\n");
  const pickle = (name: string) => foreignFile(`pickles/${name}.pkl`);
  const shell = `cd "${folder}"`;
  const hostile = await runTask(["import", "werkzeug-pickle", pickle("hostile-system")], { store, shell });
  assertEquals(hostile.code, 1);
  assertStringIncludes(hostile.stderr, "at byte 57: it calls posix.system, which plain data does not. Gatehouse runs ");
  const args = ["import", "werkzeug-pickle", pickle("users-stream"), "--rename", `${folder}/renames.csv`];
  const imported = await runTask(args, { store, shell });
  assertStringIncludes(imported.stdout, "Imported 2 users ");
  assertStringIncludes(imported.stdout, `"${store}" holds 2 users, digest `);
  assertStringIncludes(imported.stderr, 'Refused record 3, "eve": the password hash cannot be verified');
  assertEquals([...Deno.readDirSync(folder)].map(({ name }) => name).sort(), ["data", "renames.csv"]);
  await using service = await startService({ env: { GATEHOUSE_STORE: store } });
  for (
    const [login, tried, status] of [["alice", `${password}?`, 401], ["alice", password, 201], ["bob", password, 201]]
  ) {
    const response = await fetch(`${service.url}/session/`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ login, password: tried }),
    });
    assertEquals(response.status, status, await response.text());
  }
});
