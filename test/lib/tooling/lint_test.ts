import { assertEquals, assertStringIncludes } from "@std/assert";
import plugin from "../../../lib/tooling/lint.ts";

const root = new URL("../../../", import.meta.url);

type Row = readonly [file: string, source: string, findingCount: number];

const importRows: readonly Row[] = [
  // lib/ is below routes/, main.ts and test/.
  ["lib/passwords/hash_queue.ts", 'import { a } from "../../routes/user.ts";', 1],
  ["lib/passwords/hash_queue.ts", 'import { a } from "../../main.ts";', 1],
  ["lib/passwords/hash_queue.ts", 'import { a } from "../../test/fake.ts";', 1],
  ["lib/passwords/hash_queue.ts", 'import { a } from "./throttle.ts";', 0],
  ["lib/passwords/hash_queue.ts", 'import { a } from "./main.ts";', 0],
  ["lib/passwords/hash_queue.ts", 'import { a } from "@std/ulid";', 0],
  ["lib/store/file/file_store.ts", 'import { a } from "../../../routes/user.ts";', 1],
  // routes/ is below main.ts and test/, and above lib/.
  ["routes/user.ts", 'import { a } from "../main.ts";', 1],
  ["routes/user.ts", 'import { a } from "../test/fake.ts";', 1],
  ["routes/user.ts", 'import { a } from "../lib/http/http_error.ts";', 0],
  ["routes/user.ts", 'import { a } from "./mod.ts";', 0],
  ["main.ts", 'import { a } from "./routes/mod.ts";', 0],
  ["test/main_test.ts", 'import { a } from "../main.ts";', 0],
  // Below lib/ too, each folder has its level.
  ["lib/app.ts", 'import { a } from "./http/html.ts";', 0],
  ["lib/accounts/session.ts", 'import { a } from "../router.ts";', 1],
  ["lib/limits/rate_limiter.ts", 'import { a } from "../accounts/user.ts";', 0],
  ["lib/factors/passkey.ts", 'import { a } from "../accounts/user.ts";', 0],
  ["lib/factors/passkey.ts", 'import { a } from "../app.ts";', 1],
  ["lib/metrics/metrics.ts", 'import type { A } from "../audit.ts";', 1],
  ["lib/store/file/file_store.ts", 'import { a } from "../../tasks/backup.ts";', 1],
  ["lib/passwords/hasher.ts", 'import { a } from "../metrics/metrics.ts";', 1],
  ["lib/http/html.ts", 'import { a } from "../passwords/hasher.ts";', 1],
  ["lib/http/html.ts", 'import { a } from "../log.ts";', 0],
  ["lib/config/config.ts", 'import { a } from "../http/html.ts";', 1],
  ["lib/log.ts", 'import { a } from "./config/config.ts";', 0],
  ["lib/import/import_users.ts", 'import { a } from "../tasks/task.ts";', 1],
  ["lib/tasks/import.ts", 'import { a } from "../import/formats.ts";', 0],
  // The store and the passwords know nothing of HTTP.
  ["lib/passwords/password_hash.ts", 'import { a } from "../http/http_error.ts";', 1],
  ["lib/passwords/password_hash.ts", 'import { a } from "../router.ts";', 1],
  ["lib/passwords/password_hash.ts", 'import { a } from "@std/http/status";', 1],
  ["lib/store/file/file_store.ts", 'import { a } from "../../http/http_error.ts";', 1],
  ["lib/store/file/file_store.ts", 'import { a } from "@std/http/etag";', 1],
  ["lib/passwords/password_hash.ts", 'import { a } from "@std/crypto/timing-safe-equal";', 0],
  ["lib/store/file/file_store.ts", 'import { a } from "../../store.ts";', 0],
  ["lib/accounts/session.ts", 'import { a } from "@std/http/etag";', 0],
  // Only main.ts and the tasks name a store's implementation.
  ["lib/accounts/session.ts", 'import { a } from "../store/memory/table_store.ts";', 1],
  ["routes/user.ts", 'import { a } from "../lib/store/file/file_store.ts";', 1],
  ["caddy/https.ts", 'import { a } from "../lib/store/file/file_store.ts";', 1],
  ["routes/user.ts", 'import { a } from "../lib/store.ts";', 0],
  ["main.ts", 'import { a } from "./lib/store/file/file_store.ts";', 0],
  ["lib/tasks/inspect.ts", 'import { a } from "../store/file/format.ts";', 0],
  ["lib/tasks/copy.ts", 'import { a } from "../store/file/file_store.ts";', 0],
  ["lib/store/file/file_store.ts", 'import { a } from "./frame.ts";', 0],
  ["test/bench/start.ts", 'import { a } from "../../../lib/store/memory/table_store.ts";', 0],
  // The interface of the store imports nothing at all.
  ["lib/store.ts", 'import { a } from "@std/ulid";', 1],
  ["lib/store.ts", 'import { a } from "./store/queries.ts";', 0],
  ["lib/store.ts", 'import { a } from "./store/change.ts";', 1],
  ["lib/store/queries.ts", 'import { a } from "../store.ts";', 1],
  ["routes/user_list.ts", 'import { a } from "../lib/store/queries.ts";', 0],
  ["lib/accounts/session.ts", 'import { a } from "../store/queries.ts";', 0],
  ["lib/store.ts", 'import { a } from "node:fs";', 1],
  ["lib/store.ts", "export const a = 1;", 0],
  // Every way to import counts once.
  ["lib/passwords/hash_queue.ts", 'import type { A } from "../../main.ts";', 1],
  ["lib/passwords/hash_queue.ts", 'import "../../main.ts";', 1],
  ["lib/passwords/hash_queue.ts", 'import * as main from "../../main.ts";', 1],
  ["lib/passwords/hash_queue.ts", 'await import("../../main.ts");', 1],
  ["lib/passwords/hash_queue.ts", 'export { a } from "../../main.ts";', 1],
  ["lib/passwords/hash_queue.ts", 'export * from "../../main.ts";', 1],
  ["lib/passwords/hash_queue.ts", 'let a: typeof import("../../main.ts");', 1],
  ["lib/passwords/hash_queue.ts", `import { a } from "${new URL("main.ts", root)}";`, 1],
  ["lib/passwords/hash_queue.ts", `import { a } from "${new URL("main.ts", root).pathname}";`, 1],
  ["lib/passwords/hash_queue.ts", "await import(name);", 0],
  ["lib/passwords/hash_queue.ts", 'const path = "../../main.ts";', 0],
  ["lib/passwords/hash_queue.ts", 'import "./a.ts"; import "../../main.ts"; import "../../routes/mod.ts";', 2],
];

const ownerRows: readonly Row[] = [
  ["lib/passwords/hash_queue.ts", 'console.log("here");', 1],
  ["main.ts", 'console.error("here");', 1],
  ["test/main_test.ts", "const { log } = console;", 1],
  ["lib/passwords/hash_queue.ts", "globalThis.console.log();", 1],
  ["lib/tasks/task.ts", 'console.log("here");', 0],
  ["lib/passwords/hash_queue.ts", 'log.info("console");', 0],

  ["lib/config/settings.ts", 'Deno.env.get("HOME");', 1],
  ["lib/passwords/hash_queue.ts", "process.env.HOME;", 1],
  ["lib/passwords/hash_queue.ts", 'Deno["env"].toObject();', 1],
  ["routes/user.ts", "Deno.env.toObject();", 1],
  ["caddy/deep/https.ts", "Deno.env.toObject();", 1],
  ["main.ts", "Deno.env.toObject();", 1],
  ["lib/tasks/permissions.ts", "Deno.env.toObject();", 0],
  ["lib/config/config.ts", "Deno.env.toObject();", 0],
  ["lib/tasks/inspect.ts", "Deno.env.toObject();", 0],
  ["lib/tasks/copy.ts", "Deno.env.toObject();", 0],
  ["caddy/https.ts", "Deno.env.toObject();", 0],
  ["test/lib/config/config_test.ts", "Deno.env.toObject();", 0],
  ["lib/config/config.ts", "readConfig({ env: options.env });", 0],
];

const cycleRows: readonly Row[] = [
  // lib/config/config.ts imports lib/config/settings.ts, and routes/mod.ts imports routes/guard.ts.
  ["lib/config/settings.ts", 'import { settings } from "./config.ts";', 1],
  ["lib/config/settings.ts", 'import type { Config } from "./config.ts";', 1],
  ["lib/config/settings.ts", 'import { a } from "./settings.ts";', 1],
  ["routes/guard.ts", 'export * from "./mod.ts";', 1],
  ["routes/guard.ts", 'await import("./mod.ts");', 1],
  ["lib/config/config.ts", 'import { a } from "./settings.ts";', 0],
  ["lib/config/settings.ts", 'import { a } from "./no_such_file.ts"; import "@std/ulid";', 0],
  ["lib/config/new_file.ts", 'import { settings } from "./config.ts";', 0],
];

const sizeRows: readonly Row[] = [
  ["lib/log.ts", "let a;\n".repeat(250), 0],
  ["lib/log.ts", "let a;\n".repeat(251), 1],
  ["lib/log.ts", `// ${"a".repeat(117)}`, 0],
  ["lib/log.ts", `let a;\n// ${"a".repeat(118)}\nlet b;\n// ${"a".repeat(118)}`, 2],
];

const rules = {
  "imports-point-down": importRows,
  "no-import-cycles": cycleRows,
  "one-owner": ownerRows,
  "small-files": sizeRows,
};
for (const [rule, rows] of Object.entries(rules)) {
  Deno.test(`${rule} finds what it should, with a path from the root as with a whole one`, () => {
    for (const [file, source, findingCount] of rows) {
      for (const fileName of [file, new URL(file, root).pathname]) {
        const findings = Deno.lint.runPlugin(plugin, fileName, source).map(({ id }) => id)
          .filter((id) => id === `gatehouse/${rule}`);
        assertEquals(findings, Array<string>(findingCount).fill(`gatehouse/${rule}`), `${file}: ${source}`);
      }
    }
  });
}

Deno.test("every finding of the plugin names the file and the import or use, and says what to do", () => {
  const rows: readonly (readonly [file: string, source: string, message: string, hint: string])[] = [
    [
      "lib/a.ts",
      'import "../main.ts";',
      "lib/a.ts must not import main.ts",
      "main.ts is above it: take what is needed as an argument",
    ],
    [
      "lib/config/settings.ts",
      'import "./config.ts";',
      "lib/config/settings.ts imports itself: lib/config/settings.ts → lib/config/config.ts → lib/config/settings.ts",
      "move what both need to a file below them",
    ],
    ["lib/a.ts", "console.log();", "lib/a.ts must not use console", "take a Log as an argument"],
    ["lib/a.ts", "Deno.env.get();", "lib/a.ts must not use Deno.env", "add a setting to lib/config/settings.ts"],
  ];
  for (const [file, source, message, hint] of rows) {
    const [finding] = Deno.lint.runPlugin(plugin, file, source);
    assertEquals(finding?.message, message);
    assertStringIncludes(finding?.hint ?? "", hint);
  }
});

Deno.test("imports-point-down leaves files outside the project alone", () => {
  assertEquals(Deno.lint.runPlugin(plugin, "/elsewhere/lib/a.ts", 'import "../main.ts";'), []);
});
