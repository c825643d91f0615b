/**
 * The project's own lint rules: they keep the layout from eroding one import at a time. A type counts as much as a
 * value, as it is knowledge too.
 *
 * - `imports-point-down`: a file imports from its own level or from one below, see `levels`.
 * - `no-import-cycles`: no file imports itself through others.
 * - `small-files`: no file has more than 250 lines, and no line more than 120 columns.
 * - `one-owner`: only the log uses the console, and only `lib/config/` and the command lines read the environment.
 */

const root = new URL("../../", import.meta.url);
const importPattern = /\b(?:from|import)\s*\(?\s*"(\.{1,2}\/[^"]+)"/g;
const importsOfFile = new Map<string, readonly string[]>();

const maxLines = 250;
const maxColumns = 120;

/** From top to bottom: a request takes this way down. */
const levels: readonly RegExp[] = [
  /^test\//,
  /^(main\.ts$|caddy\/)/,
  /^routes\//,
  /^lib\/(app|router|server|audit)\.ts$/,
  /^lib\/(tasks|deploy)\//,
  /^lib\/(import|accounts|factors|limits)\//,
  /^lib\/(metrics|store)\/(?!(queries|records)\.ts$)/,
  /^lib\/passwords\//,
  /^lib\/http\//,
  /^lib\/(?!store\.ts$|store\/(queries|records)\.ts$)/,
  /^lib\/store(\/(queries|records))?\.ts$/,
];

/** Imports (paths from the root, or names of packages) that are wrong although they point down. */
interface Boundary {
  readonly from: RegExp;
  readonly to: RegExp;
  /** What to do instead. */
  readonly hint: string;
}

const boundaries: readonly Boundary[] = [
  {
    from: /^lib\/store(\/(queries|records))?\.ts$/,
    to: /^(?!lib\/store\/(queries|records)\.ts$)/,
    hint:
      "lib/store.ts imports only its queries and records: move what needs more to the file that implements the store",
  },
  {
    from: /^lib\/(store|passwords)\//,
    to: /^(lib\/http\/(?!client_address\.ts$)|@std\/http\/)/,
    hint:
      "the stores and the passwords do not know HTTP: return a value or throw an error, and let the handler respond",
  },
  {
    from: /^(routes\/|lib\/(?!store\/|limits\/|tasks\/)|caddy\/)/,
    to: /^lib\/store\/(?!(queries|records)\.ts$)/,
    hint:
      "only main.ts and the tasks choose a store: import the interface from lib/store.ts, and take a store as argument",
  },
];

/** A global, the files that may use it, and what the others do instead. */
interface Ownership {
  /** The source text of its use. */
  readonly use: RegExp;
  readonly owners: RegExp;
  readonly hint: string;
}

const consoleOwnership: Ownership = {
  use: /^console$/,
  owners: /^lib\/tasks\/task\.ts$/,
  hint: "take a Log as an argument, or in a command use printLine() of lib/tasks/task.ts",
};

const environmentOwnership: Ownership = {
  use: /^(Deno|process)(\.env|\["env"\])$/,
  owners: /^(lib\/config\/config\.ts|lib\/(tasks|deploy)\/[^/]+\.[jt]s|caddy\/[^/]+\.ts|test\/.*)$/,
  hint: "add a setting to lib/config/settings.ts, and take its value as an argument",
};

const plugin: Deno.lint.Plugin = {
  name: "gatehouse",
  rules: {
    "imports-point-down": { create: importsPointDown },
    "no-import-cycles": { create: noImportCycles },
    "one-owner": { create: oneOwner },
    "small-files": { create: smallFiles },
  },
};

/** The plugin, as `deno.json` names it. */
export default plugin;

function importsPointDown(context: Deno.lint.RuleContext): Deno.lint.LintVisitor {
  return visitImports(context, (from, to) => {
    const [above, below] = [levelOf(from), levelOf(to)];
    if (above !== undefined && below !== undefined && below < above) {
      return {
        message: `${from} must not import ${to}`,
        hint: `${to} is above it: take what is needed as an argument, or move it down`,
      };
    }
    const crossed = boundaries.find((boundary) => boundary.from.test(from) && boundary.to.test(to));
    return crossed && { message: `${from} must not import ${to}`, hint: crossed.hint };
  });
}

function noImportCycles(context: Deno.lint.RuleContext): Deno.lint.LintVisitor {
  return visitImports(context, (from, to) => {
    const way = wayBack(from, to);
    return way && {
      message: `${from} imports itself: ${[from, ...way].join(" → ")}`,
      hint: "move what both need to a file below them, or pass it as an argument",
    };
  });
}

/** Calls `check` for each import of the file, with the paths of both from the root, and reports what it returns. */
function visitImports(
  context: Deno.lint.RuleContext,
  check: (from: string, to: string) => { message: string; hint: string } | undefined,
): Deno.lint.LintVisitor {
  const file = new URL(context.filename, root);
  const from = pathFromRoot(file);
  const visit = (source: Deno.lint.Node | null) => {
    if (source?.type !== "Literal" || typeof source.value !== "string") return;
    const isPath = /^(\.{0,2}\/|file:)/.test(source.value);
    const found = check(from, isPath ? pathFromRoot(new URL(source.value, file)) : source.value);
    if (found !== undefined) context.report({ node: source, ...found });
  };
  return {
    ImportDeclaration: (node) => visit(node.source),
    ImportExpression: (node) => visit(node.source),
    ExportNamedDeclaration: (node) => visit(node.source),
    ExportAllDeclaration: (node) => visit(node.source),
    "TSImportType Literal": visit,
  };
}

function levelOf(path: string): number | undefined {
  const level = levels.findIndex((pattern) => pattern.test(path));
  return level === -1 ? undefined : level;
}

/** The shortest way by imports from `to` to `from`, both included; `undefined` if there is none. */
function wayBack(from: string, to: string): readonly string[] | undefined {
  const seen = new Set<string>();
  const ways: string[][] = [[to]];
  for (const way of ways) {
    const last = way.at(-1) ?? to;
    if (last === from) return way;
    if (seen.has(last)) continue;
    seen.add(last);
    ways.push(...importsOf(last).map((next) => [...way, next]));
  }
  return undefined;
}

/** The project's files that a file imports, by its text: the plugin gets the syntax tree of one file at a time. */
function importsOf(path: string): readonly string[] {
  if (!/^(main\.ts|(lib|routes|caddy|test)\/.+\.ts)$/.test(path)) return [];
  const file = new URL(path, root);
  const known = importsOfFile.get(path);
  if (known !== undefined) return known;
  const text = readText(file);
  const found = Array.from(text.matchAll(importPattern), ([, to = ""]) => pathFromRoot(new URL(to, file)));
  importsOfFile.set(path, found);
  return found;
}

function oneOwner(context: Deno.lint.RuleContext): Deno.lint.LintVisitor {
  const file = pathFromRoot(new URL(context.filename, root));

  const check = (node: Deno.lint.Node, { use, owners, hint }: Ownership) => {
    const text = context.sourceCode.getText(node);
    if (!use.test(text) || owners.test(file)) return;
    context.report({ node, message: `${file} must not use ${text}`, hint });
  };

  return {
    Identifier: (node) => check(node, consoleOwnership),
    MemberExpression: (node) => check(node, environmentOwnership),
  };
}

function smallFiles(context: Deno.lint.RuleContext): Deno.lint.LintVisitor {
  return {
    Program(node) {
      const lines = context.sourceCode.text.trimEnd().split("\n");
      if (lines.length > maxLines) {
        const message = `${pathFromRoot(new URL(context.filename, root))} has ${lines.length} lines`;
        context.report({
          node,
          message,
          hint: `move a part with a purpose of its own to a file: ${maxLines} is the most`,
        });
      }
      let start = 0;
      for (const line of lines) {
        if (line.length > maxColumns) {
          const message = `a line has ${line.length} columns`;
          context.report({ range: [start, start + line.length], message, hint: `break it at ${maxColumns}` });
        }
        start += line.length + 1;
      }
    },
  };
}

/** The path below the project's root, or the whole URL of a file that is elsewhere. */
function pathFromRoot(url: URL): string {
  return url.href.startsWith(root.href) ? url.href.slice(root.href.length) : url.href;
}

/** An import that leads nowhere is found by `deno check`. */
function readText(file: URL): string {
  try {
    return Deno.readTextFileSync(file);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "";
    throw error;
  }
}
