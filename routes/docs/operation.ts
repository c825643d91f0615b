/** One operation of the page: the request, and every response with its meaning. */

import { type Html, html } from "../../lib/http/html.ts";
import { isProblemCode, problems } from "../../lib/http/problem.ts";
import { type DocumentedOperation, type DocumentedResponse, sharedProblems } from "../openapi/document.ts";
import { constraints, inline, prose } from "./schema.ts";

const shared: readonly string[] = Object.values(sharedProblems).flat();

/** An operation, and where it is. */
export interface PlacedOperation {
  /** In capitals. */
  readonly method: string;
  readonly path: string;
  readonly operation: DocumentedOperation;
}

export function operationArticle(placed: PlacedOperation): Html {
  const { method, path, operation } = placed;
  // The path may break before each slash.
  const address = path.split("/").slice(1).map((segment) => html`<wbr>/${segment}`);
  return html`
    <article>
    <h3 id="${operation.operationId}">${operation.summary}</h3>
    <p class="address"><b class="${method}">${method}</b> <code>${address}</code></p>
    ${prose(operation.description)}
    ${parameters(operation)}
    <h4>Request</h4>
    ${request(placed)}
    <h4>Responses</h4>
    <dl class="replies">${responses(operation)}</dl>
    </article>
  `;
}

/** Problems by their codes, each with its meaning. */
export function problemList(codes: readonly string[]): Html {
  const items = codes.filter(isProblemCode).map((code) => {
    const { status, title, meaning } = problems[code];
    return html`
      <li><a href="../problem/${code}"><code>${code}</code></a> <small>${status}</small> <b>${title}.</b>
      ${inline(meaning)}</li>
    `;
  });
  return html`<ul class="problems">${items}</ul>`;
}

function parameters({ parameters }: DocumentedOperation): Html | undefined {
  const rows = parameters.map(({ name, in: place, required, description, schema }) =>
    html`<dt><code>${name}</code> <small>${place}${!required && ", optional"}</small></dt>
<dd>${prose(description)}${constraints(schema)}</dd>`
  );
  return rows.length === 0 ? undefined : html`
    <h4>Parameters</h4>
    <dl>${rows}</dl>
  `;
}

function request(placed: PlacedOperation): (Html | undefined)[] {
  const { requestBody } = placed.operation;
  if (requestBody === undefined) return [command(placed)];
  const { schema, examples } = requestBody.content["application/json"];
  const commands = Object.entries(examples).map(([name, { value }]) => html`<p>${name}:</p>${command(placed, value)}`);
  return [constraints(schema), ...commands];
}

/** The request as a command of curl. */
function command({ method, path, operation }: PlacedOperation, body?: unknown): Html {
  const target = operation.parameters.filter((one) => one.in === "path")
    .reduce((all, { name, example }) => all.replace(`{${name}}`, String(example)), path);
  const text = JSON.stringify(body) ?? "";
  const needsToken = operation.security.length > 0 && !text.includes('"ticket":');
  const lines = [
    `curl ${method === "GET" ? "" : `--request ${method} `}"$gatehouse${target}"`,
    ...needsToken ? ['  --header "Authorization: Bearer $token"'] : [],
    // Within single quotes of the shell only the quote itself is special.
    ...text === ""
      ? []
      : ["  --header 'Content-Type: application/json'", `  --data '${text.replaceAll("'", `'\\''`)}'`],
  ];
  return html`<pre tabindex="0"><code>${lines.join(" \\\n")}</code></pre>`;
}

function responses({ responses }: DocumentedOperation): (Html | undefined)[] {
  return Object.entries(responses).map(([status, response]) => {
    if (!("$ref" in response)) return success(status, response);
    const name = response.$ref.slice(response.$ref.lastIndexOf("/") + 1);
    // The names of problem responses are their codes.
    const codes = name.split(".").filter((code) => !shared.includes(code));
    return codes.length === 0 ? undefined : html`
      <dt class="failure">${status}</dt>
      <dd>${problemList(codes)}</dd>
    `;
  });
}

function success(status: string, { description, headers, content = {} }: DocumentedResponse): Html {
  const fields = Object.entries(headers).filter(([name]) => !/^(X-|Cache-Control$)/.test(name));
  const items = fields.map(([name, { description, required }]) =>
    html`<li><code>${name}</code>: ${description}${!required && " Not always."}</li>`
  );
  const bodies = Object.entries(content).map(([type, { schema }]) =>
    html`<p><code>${type}</code></p>${type === "application/json" && constraints(schema)}`
  );
  return html`<dt>${status}</dt>
<dd>${prose(description)}${items.length > 0 && html`<ul>${items}</ul>`}${bodies}</dd>`;
}
