/**
 * The documents say what happens. The tours are run as a reader would run them, in one shell, and the output of each
 * block is compared with the block below it; ids, dates, tokens and hashes differ in each run.
 */

import { assert, assertEquals } from "@std/assert";
import { globSync } from "node:fs";
import { settings } from "../lib/config/settings.ts";
import { startCaddy } from "./support/caddy/caddy.ts";
import { ensureProgram } from "./support/packages.ts";
import { startService } from "./support/service.ts";

const root = new URL("../", import.meta.url);
const documents = [
  "README.md",
  "lib/README.md",
  "lib/deploy/README.md",
  "lib/factors/README.md",
  "lib/import/README.md",
  "lib/passwords/README.md",
  "lib/store/README.md",
  "routes/README.md",
  "caddy/README.md",
  "test/README.md",
  ".github/SECURITY.md",
  ".github/CONTRIBUTING.md",
  ".github/CHANGELOG.md",
];
const readme = await readDocument("README.md");
const hasCaddy = await ensureProgram("caddy", "caddy");
const hasCurl = await ensureProgram("curl", "curl");
const hasPython = await ensureProgram("python3", "python3");

/** A block of commands, and the block of what they print, if there is one. */
interface Step {
  readonly commands: string;
  readonly prints: string | undefined;
}

Deno.test({
  name: "the tours of the documents print what they say",
  ignore: !hasCaddy || !hasCurl || !hasPython,
  async fn(t) {
    await using tour = await Tour.begin();
    const [short = "", lesson = ""] = sectionOf("Tour").split("### The lesson in one start");
    const longer = sectionOf("A longer tour", await readDocument("routes/README.md"));
    for (const { commands, prints } of [short, longer, lesson].flatMap(stepsOf)) {
      await t.step(commands.split("\n", 1)[0] ?? "", async () => {
        const start = /^(?:(\w+)=(\w+) )?npx --yes deno@2\.9\.6 task (start|https)$/.exec(commands);
        if (start !== null) {
          return await tour.restart(start[1] === undefined ? {} : { [start[1]]: start[2] ?? "" });
        }
        const printed = await tour.run(commands);
        if (prints !== undefined) assertEquals(lasting(printed), lasting(prints));
      });
    }
  },
});

Deno.test("README shows the events that a start logs", async () => {
  await using service = await startService();
  const eventOf = (line: string) => Object.keys(JSON.parse(line)).join() + JSON.parse(line).event;
  const shown = stepsOf(sectionOf("Start"))[0]?.prints?.split("\n").map(eventOf);
  const logged = service.log().split("\n").filter((line) => line.includes('"level":"info"')).map(eventOf);
  assertEquals(shown, logged.slice(0, 5));
});

Deno.test("README's table of settings is that of lib/config/settings.ts", () => {
  const rows = sectionOf("Settings").split("\n").filter((line) => line.startsWith("| `GATEHOUSE_"));
  const cells = rows.map((row) => row.split("|").slice(1, -1).map((cell) => cell.trim()));
  const expected = Object.values(settings).map((setting) => [
    `\`${setting.name}\``,
    setting.default === "" ? "(none)" : `\`${setting.default}\``,
    setting.meaning,
  ]);
  assertEquals(cells, expected);
});

Deno.test("routes/README.md explains every warning and error of the log", async () => {
  const paths = ["main.ts", ...globSync("{lib,routes}/**/*.ts", { cwd: root.pathname })];
  const code = (await Promise.all(paths.map(readDocument))).join("");
  const calls = code.matchAll(/(?:log\.(?:warn|error)|\.report)\("([a-z-]+)"|\["([a-z-]+-failed)"/gi);
  const events = new Set(Array.from(calls, ([, event, background]) => event ?? background));
  assert(events.size > 20);
  const section = sectionOf("The log", await readDocument("routes/README.md"));
  const names = section.split("\n").filter((line) => line.startsWith("| `")).flatMap((line) => {
    return Array.from((line.split("|")[1] ?? "").matchAll(/`([^`]+)`/g), ([, name]) => name);
  });
  assertEquals(names.toSorted(), [...events].toSorted());
});

Deno.test("README has at most 300 lines", () => {
  assert(readme.trimEnd().split("\n").length <= 300);
});

for (const path of documents) {
  Deno.test(`every link of ${path} leads to a file, and to a heading in it`, async () => {
    const text = await readDocument(path);
    const links = Array.from(text.matchAll(/\]\((?!https?:)([^)#]*)(?:#([^)]*))?\)/g));
    for (const [, target = "", heading] of links) {
      const url = new URL(target, new URL(path, root));
      const there = target === "" ? text : await Deno.readTextFile(url);
      if (heading !== undefined) assert(anchorsOf(there).includes(heading), `${target}#${heading}`);
    }
  });
}

Deno.test("the way of a registration has at most 30 files and 4,400 lines", async () => {
  const section = sectionOf("One registration, file by file", await readDocument("lib/README.md"));
  const paths = Array.from(section.matchAll(/^\| `([^`]+\.ts)`/gm), ([, path = ""]) => path);
  const texts = await Promise.all(paths.map(readDocument));
  const lineCount = texts.join("").split("\n").length - 1;
  assert(paths.length > 20 && paths.length <= 30 && lineCount <= 4_400, `${paths.length} files, ${lineCount} lines`);
});

Deno.test("SECURITY.md names tests that exist", async () => {
  const rows = (await readDocument(".github/SECURITY.md")).matchAll(/^\|[^|]*\|[^|]*\|([^|]*)\|[^|]*\|$/gm);
  const names = Array.from(rows, ([, cell = ""]) => Array.from(cell.matchAll(/(?<!bench )`([a-z][^`]*)`/g))).flat();
  assert(names.length > 100);
  for (const [, name] of names) await Deno.stat(new URL(`test/${name}_test.ts`, root));
});

/** One shell, as the reader's second terminal, with the service and Caddy beside it. */
class Tour implements AsyncDisposable {
  readonly #folder: string;
  readonly #shell = new Shell();
  #service: Awaited<ReturnType<typeof startService>>;
  #caddy: Awaited<ReturnType<typeof startCaddy>>;
  #rootPath = "";

  static async begin(): Promise<Tour> {
    const folder = await Deno.makeTempDir({ prefix: "gatehouse-tour-" });
    const service = await startService({ env: settingsOf(folder) });
    return new Tour(folder, service, await startCaddy({ upstream: new URL(service.url).host }));
  }

  private constructor(
    folder: string,
    service: Awaited<ReturnType<typeof startService>>,
    caddy: Awaited<ReturnType<typeof startCaddy>>,
  ) {
    this.#folder = folder;
    this.#service = service;
    this.#caddy = caddy;
  }

  /** Stops the service and starts it again, on the same data. */
  async restart(env: Readonly<Record<string, string>>): Promise<void> {
    assert((await this.#service.stop("SIGINT")).success);
    await this.#caddy[Symbol.asyncDispose]();
    this.#service = await startService({ env: { ...settingsOf(this.#folder), ...env } });
    this.#caddy = await startCaddy({ upstream: new URL(this.#service.url).host });
    this.#rootPath = `${this.#folder}/root.crt`;
    await Deno.writeTextFile(this.#rootPath, this.#caddy.rootCertificate);
  }

  /** Runs the commands where the earlier ones have left their functions and variables. @returns what they print */
  async run(commands: string): Promise<string> {
    const here = commands
      .replaceAll("http://127.0.0.1:8000", this.#service.url)
      .replaceAll("https://localhost:8443", this.#caddy.url)
      .replaceAll("localhost:8443", new URL(this.#caddy.url).host)
      .replaceAll("~/.local/share/caddy/pki/authorities/local/root.crt", this.#rootPath)
      .replaceAll("npx --yes deno@2.9.6", `GATEHOUSE_STORE="${this.#folder}/data" "${Deno.execPath()}"`)
      // What the reader pastes: the ticket that the start has printed.
      .replace("=...", () => `=${/become the administrator: (\S+)/.exec(this.#service.log())?.[1]}`);
    return await this.#shell.run(here);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#shell[Symbol.asyncDispose]();
    await this.#caddy[Symbol.asyncDispose]();
    await this.#service[Symbol.asyncDispose]();
    await Deno.remove(this.#folder, { recursive: true });
  }
}

/** A shell that stays: what one block defines is there for the next. */
class Shell implements AsyncDisposable {
  readonly #process = new Deno.Command("bash", { stdin: "piped", stdout: "piped", stderr: "inherit" }).spawn();
  readonly #input = this.#process.stdin.getWriter();
  readonly #output = this.#process.stdout.pipeThrough(new TextDecoderStream()).getReader();

  /** Runs the commands. @returns what they print */
  async run(commands: string): Promise<string> {
    const end = `end of ${crypto.randomUUID()}`;
    await this.#input.write(new TextEncoder().encode(`${commands}\necho "${end}"\n`));
    let printed = "";
    while (!printed.endsWith(`${end}\n`)) {
      const { value, done } = await this.#output.read();
      if (done) throw new Error(`The shell ended at: ${commands}`);
      printed += value;
    }
    return printed.slice(0, -end.length - 1);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#input.close();
    await this.#output.cancel();
    await this.#process.status;
  }
}

/** The cost is the default, as it is shown in the hash that is printed. */
function settingsOf(folder: string): Record<string, string> {
  return { GATEHOUSE_STORE: `${folder}/data`, GATEHOUSE_PBKDF2_ITERATIONS: "600000" };
}

function readDocument(path: string): Promise<string> {
  return Deno.readTextFile(new URL(path, root));
}

function sectionOf(title: string, document = readme): string {
  const section = document.split(/^## /m).find((text) => text.startsWith(`${title}\n`));
  assert(section !== undefined, `There is no section "${title}"`);
  return section;
}

/** The anchors of the headings, as GitHub makes them. */
function anchorsOf(document: string): readonly string[] {
  return Array.from(
    document.matchAll(/^#+ (.+)$/gm),
    ([, heading = ""]) => heading.toLowerCase().replaceAll(/[^\p{L}\d -]/gu, "").replaceAll(" ", "-"),
  );
}

function stepsOf(section: string): Step[] {
  const blocks = section.matchAll(/^```(sh|text)\n(.*?)\n```$/gms).toArray();
  return blocks.flatMap(([, kind, text = ""], index) => {
    const next = blocks[index + 1];
    return kind === "sh" ? [{ commands: text, prints: next?.[1] === "text" ? next[2] : undefined }] : [];
  });
}

/** What is the same in every run. */
function lasting(text: string): string {
  return text.trim()
    .replaceAll(/[0-9A-HJKMNP-TV-Z]{26}\.[\w-]{43}/g, "<token>")
    .replaceAll(/[0-9A-HJKMNP-TV-Z]{26}/g, "<id>")
    .replaceAll(/"(ticket|login_token)":"[\w-]{43}"/g, '"$1":"<code>"')
    .replaceAll(/curl\/[\d.]+/g, "<curl>")
    .replaceAll(/\bCN ?= ?/g, "CN=")
    .replaceAll(/\d{4} ECC Root/g, "<year> ECC Root")
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, "<date>")
    .replaceAll(/(\$i=600000)\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}/g, "$1$<salt>$<hash>");
}
