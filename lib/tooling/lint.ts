/**
 * The project's own lint rules: they keep what a reader relies on from eroding one import at a time.
 *
 * `imports-point-down`: a request's way is main.ts → lib/router.ts → routes/ → lib/ → lib/store/, and no file
 * imports from above it. A type counts as much as a value: it is knowledge too.
 *
 * `one-owner`: the console and the environment have their owners, so that each log line and setting has one.
 */

const root = new URL("../../", import.meta.url);

/** Files (paths from the root, or names of packages) that others must not import. */
interface Boundary {
  readonly from: RegExp;
  readonly to: RegExp;
  /** What to do instead. */
  readonly hint: string;
}

const boundaries: readonly Boundary[] = [
  {
    from: /^lib\/store\.ts$/,
    to: /^/,
    hint: "lib/store.ts imports nothing: move what needs the import to the file that implements the store",
  },
  {
    from: /^lib\//,
    to: /^(routes\/|main\.ts$|test\/)/,
    hint: "lib/ is below routes/ and main.ts: let them pass in what is needed, or move it down to lib/",
  },
  {
    from: /^routes\//,
    to: /^(main\.ts$|test\/)/,
    hint: "routes/ is below main.ts: take what is needed from the context, or move it down to lib/",
  },
  {
    from: /^lib\/(store|passwords)\//,
    to: /^(lib\/http\/(?!client_address\.ts$).*|lib\/router\.ts|@std\/http\/.*)$/,
    hint: "the store and the passwords know nothing of HTTP: return a value or throw an error of their own, " +
      "and let the handler make a reply of it",
  },
  {
    from: /^(?!main\.ts$|lib\/(store|limits|tasks)\/|test\/)/,
    to: /^lib\/store\//,
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
  owners: /^lib\/log\.ts$/,
  hint: "take a Log as an argument, or in a command use printLine() of lib/log.ts",
};

const environmentOwnership: Ownership = {
  use: /^(Deno|process)(\.env|\["env"\])$/,
  owners: /^(lib\/config\/environment\.ts|lib\/tasks\/[^/]+\.ts|caddy\/[^/]+\.ts|test\/.*)$/,
  hint: "add a setting to lib/config/config.ts, and take its value as an argument",
};

const plugin: Deno.lint.Plugin = {
  name: "gatehouse",
  rules: {
    "imports-point-down": { create: importsPointDown },
    "one-owner": { create: oneOwner },
  },
};

/** The plugin, as `deno.json` names it. */
export default plugin;

function importsPointDown(context: Deno.lint.RuleContext): Deno.lint.LintVisitor {
  const file = new URL(context.filename, root);
  const from = pathFromRoot(file);

  const check = (source: Deno.lint.Node | null) => {
    if (source?.type !== "Literal" || typeof source.value !== "string") return;
    const isPath = /^(\.{0,2}\/|file:)/.test(source.value);
    const to = isPath ? pathFromRoot(new URL(source.value, file)) : source.value;
    const crossed = boundaries.find((boundary) => boundary.from.test(from) && boundary.to.test(to));
    if (crossed === undefined) return;
    context.report({ node: source, message: `${from} must not import ${to}`, hint: crossed.hint });
  };

  return {
    ImportDeclaration: (node) => check(node.source),
    ImportExpression: (node) => check(node.source),
    ExportNamedDeclaration: (node) => check(node.source),
    ExportAllDeclaration: (node) => check(node.source),
    "TSImportType Literal": check,
  };
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

/** The path below the project's root, or the whole URL of a file that is elsewhere. */
function pathFromRoot(url: URL): string {
  return url.href.startsWith(root.href) ? url.href.slice(root.href.length) : url.href;
}
