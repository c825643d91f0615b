/** One operation of the page: the request, and every response with its meaning. */

import { type Html, html } from "../../lib/http/html.ts";
import { isProblemCode, problems } from "../../lib/http/problem.ts";
import { type DocumentedOperation, sharedProblems } from "../openapi/document.ts";
import type { DocumentedResponse } from "../openapi/response.ts";
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
  const parameters = operation.parameters.map(({ name, in: place, required, description, schema }) =>
    html`<dt><code>${name}</code> <small>${place}${!required && ", optional"}</small></dt>
<dd>${prose(description)}${constraints(schema)}</dd>`
  );
  return html`
    <article>
    <h3 id="${operation.operationId}">${operation.summary}</h3>
    <p class="address"><b class="${method}">${method}</b> <code>${address}</code></p>
    ${prose(operation.description)}
    ${parameters.length > 0 && html`
      <h4>Parameters</h4>
      <dl>${parameters}</dl>
    `}
    <h4>Request</h4>
    ${request(placed)}
    <h4>Responses</h4>
    <dl class="replies">${Object.entries(operation.responses).map(response)}</dl>
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

function request(placed: PlacedOperation): Html[] {
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
  const lines = [`curl ${method === "GET" ? "" : `--request ${method} `}"$gatehouse${target}"`];
  const text = JSON.stringify(body) ?? "";
  const needsToken = operation.security.length > 0 && !text.includes('"ticket":');
  if (needsToken) lines.push('  --header "Authorization: Bearer $token"');
  // Within single quotes of the shell only the quote itself is special.
  const quoted = text.replaceAll("'", `'\\''`);
  if (text !== "") lines.push("  --header 'Content-Type: application/json'", `  --data '${quoted}'`);
  return html`<pre tabindex="0"><code>${lines.join(" \\\n")}</code></pre>`;
}

function response([status, response]: [string, DocumentedResponse | { readonly $ref: string }]): Html | undefined {
  if ("$ref" in response) {
    // The names of problem responses are their codes.
    const codes = response.$ref.slice(response.$ref.lastIndexOf("/") + 1).split(".");
    const own = codes.filter((code) => !shared.includes(code));
    return own.length === 0 ? undefined : html`
      <dt class="failure">${status}</dt>
      <dd>${problemList(own)}</dd>
    `;
  }
  const { description, headers, content = {} } = response;
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
