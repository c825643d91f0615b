/**
 * `deno task bench import`: 100,000 users of other programs into a folder, and whether an import that is killed
 * continues to the same users.
 *
 * The task runs as a process. No hash is computed: the hashes are native ones and those of Django, Werkzeug and LDAP
 * that are slow enough to stay as they came.
 */

import { setTimeout as delay } from "node:timers/promises";
import { TestProcess } from "../support/process.ts";
import type { Row } from "./table.ts";
import { userOf } from "./users.ts";

const userCount = 100_000;
const target = 20;
const formats = ["jsonl", "csv"] as const;
type Format = typeof formats[number];

/** Every row, as it is measured. */
export async function* benchImport(): AsyncGenerator<Row> {
  const folder = await Deno.makeTempDir({ prefix: "gatehouse-bench-" });
  try {
    const records = Array.from({ length: userCount }, (_, number) => recordOf(number));
    for (const format of formats) {
      const file = `${folder}/users.${format}`;
      await Deno.writeTextFile(file, textOf(format, records));
      const whole = await importInto(`${folder}/whole-${format}`, { format, file });
      yield {
        what: `import of ${userCount} users from ${format} into a folder`,
        target: `≤ ${target} s`,
        measured: `${whole.seconds.toFixed(1)} s`,
        isHeld: whole.seconds <= target,
      };
      yield await killedRow(`${folder}/killed-${format}`, { format, file, whole });
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

interface Imported {
  readonly seconds: number;
  readonly digest: string;
  /** Added, and already there. */
  readonly counts: readonly number[];
}

/** Kills an import after half of the time, and runs it again. */
async function killedRow(
  folder: string,
  { format, file, whole }: { readonly format: Format; readonly file: string; readonly whole: Imported },
): Promise<Row> {
  {
    await using killed = start(folder, { format, file });
    await delay(whole.seconds * 1_000 / 2);
    await killed.stop("SIGKILL");
  }
  const { digest, counts: [added = 0, present = 0] } = await importInto(folder, { format, file });
  const isSame = digest === whole.digest;
  return {
    what: `the same, killed half-way and run again: users of the first run, and the digest`,
    target: "the same",
    measured: `${present} of the first run, ${added} added, ${isSame ? "the same digest" : "another digest"}`,
    isHeld: isSame && present > 0 && added > 0,
  };
}

function start(folder: string, { format, file }: { readonly format: Format; readonly file: string }): TestProcess {
  const flags = ["--lock=deno.lock", "--frozen", "--allow-env", "--allow-read", "--allow-write"];
  const args = ["run", ...flags, "lib/tasks/import.ts", format, file];
  return new TestProcess(Deno.execPath(), { args, env: { GATEHOUSE_STORE: folder } });
}

/** @throws {Error} with its output, if it fails */
async function importInto(
  folder: string,
  options: { readonly format: Format; readonly file: string },
): Promise<Imported> {
  const startedAt = performance.now();
  await using process = start(folder, options);
  const { success } = await process.status;
  const seconds = (performance.now() - startedAt) / 1_000;
  const [, ...texts] = /Imported (\d+) users from [^]*: (\d+) already there, 0 refused[^]*digest (\w+)/.exec(
    process.output,
  ) ?? [];
  const [added, present, digest] = texts;
  if (!success || digest === undefined) throw new Error(`The import failed: ${process.output}`);
  return { seconds, digest, counts: [Number(added), Number(present)] };
}

function recordOf(number: number) {
  const { login, passwordHash, registeredAt } = userOf(number);
  const hash = foreignHashes[number % foreignHashes.length]?.() ?? passwordHash;
  return { login, password_hash: hash, registered_at: new Date(registeredAt).toISOString(), groups: ["staff"] };
}

function textOf(format: Format, records: readonly ReturnType<typeof recordOf>[]): string {
  if (format === "jsonl") return records.map((record) => `${JSON.stringify(record)}\n`).join("");
  const lines = records.map((record) => Object.values(record).map((value) => `"${value}"`).join());
  return ["login,password_hash,registered_at,groups", ...lines, ""].join("\n");
}

/** Hashes that no password matches; `undefined` is a native one. */
const foreignHashes: readonly ((() => string) | undefined)[] = [
  undefined,
  () => `scrypt:32768:8:1$${base64(12)}$${bytes(64).toHex()}`,
  () => `pbkdf2_sha256$1000000$${base64(15)}$${bytes(32).toBase64()}`,
  () => `$argon2id$v=19$m=102400,t=2,p=8$${base64(16)}$${base64(32)}`,
];

function bytes(length: number): Uint8Array<ArrayBuffer> {
  return crypto.getRandomValues(new Uint8Array(length));
}

/** Without padding, and without characters that are not in every salt. */
function base64(length: number): string {
  return bytes(length).toBase64({ omitPadding: true }).replaceAll("+", "a").replaceAll("/", "b");
}
