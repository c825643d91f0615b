/** One operation of the page: how to ask, and every answer with what it means. */

import { type Html, html } from "../../lib/http/html.ts";
import { sharedProblems } from "../openapi/operation.ts";
import {
  type DocumentedOperation,
  type DocumentedReply,
  type Example,
  type MediaType,
  type OpenApiDocument,
  resolveReply,
} from "../openapi/document.ts";
import { isProblemCode, type ProblemCode } from "../../lib/http/problem.ts";
import { problemList, prose } from "./prose.ts";
import { constraints, schemaLink } from "./schema.ts";

const unlisted: readonly string[] = Object.values(sharedProblems).flat();

/** An operation, and where it is. */
export interface PlacedOperation {
  /** In capitals. */
  readonly method: string;
  readonly path: string;
  readonly operation: DocumentedOperation;
}

export function operationArticle(placed: PlacedOperation, document: OpenApiDocument): Html {
  const { method, path, operation } = placed;
  return html`
    <article>
    <h3 id="${operation.operationId}">${operation.summary}</h3>
    <p class="address"><b class="${method}">${method}</b> <code>${breakable(path)}</code></p>
    ${prose(operation.description)}
    ${parameters(operation)}
    ${request(placed)}
    <h4>Replies</h4>
    <dl class="replies">${replies(operation, document)}</dl>
    </article>
  `;
}

function parameters({ parameters }: DocumentedOperation): Html | undefined {
  if (parameters.length === 0) return undefined;
  const rows = parameters.map((one) =>
    html`<dt><code>${one.name}</code> <small>${one.in}${!one.required && ", optional"}</small></dt>
<dd>${prose(one.description)}${constraints(one.schema)}</dd>`
  );
  return html`<h4>Parameters</h4>
<dl>${rows}</dl>`;
}

function request(placed: PlacedOperation): Html {
  const media = placed.operation.requestBody?.content["application/json"];
  if (media === undefined) return html`<h4>Request</h4>${command(placed)}`;
  const examples = Object.values(media.examples).map((example) =>
    html`<p>${example.summary}:</p>${command(placed, example)}`
  );
  return html`<h4>Request</h4>
<p>Body: ${schemaLink(media.schema)}. ${placed.operation.requestBody?.description}</p>
${examples}`;
}

/** The request as a command of curl. */
function command({ method, path, operation }: PlacedOperation, example?: Example): Html {
  const target = operation.parameters.filter((one) => one.in === "path")
    .reduce((all, { name, example }) => all.replace(`{${name}}`, String(example)), path);
  const needsToken = operation.security.length > 0 && !usesTicket(example);
  const lines = [
    `curl ${method === "GET" ? "" : `--request ${method} `}"$gatehouse${target}"`,
    ...needsToken ? ['  --header "Authorization: Bearer $token"'] : [],
    ...example === undefined ? [] : [
      "  --header 'Content-Type: application/json'",
      // In single quotes of the shell nothing is special but the quote itself.
      `  --data '${JSON.stringify(example.value).replaceAll("'", `'\\''`)}'`,
    ],
  ];
  return html`<pre tabindex="0"><code>${lines.join(" \\\n")}</code></pre>`;
}

function usesTicket(example: Example | undefined): boolean {
  return typeof example?.value === "object" && example.value !== null && "ticket" in example.value;
}

function replies({ responses }: DocumentedOperation, document: OpenApiDocument): (Html | undefined)[] {
  return Object.entries(responses).map(([status, reference]) => {
    const reply = resolveReply(reference, document);
    const problem = reply.content?.["application/problem+json"];
    return problem === undefined ? success(status, reply) : failure(status, problem);
  });
}

function success(status: string, { description, headers, content = {} }: DocumentedReply): Html {
  const own = Object.entries(headers).filter(([name]) => !/^(X-|Cache-Control$)/.test(name)).map(([name, header]) =>
    html`<li><code>${name}</code>: ${header.description}${!header.required && " Not always."}</li>`
  );
  const bodies = Object.entries(content).map(([type, media]) => body(type, media));
  return html`<dt>${status}</dt>
<dd>${prose(description)}${own.length > 0 && html`<ul>${own}</ul>`}${bodies}</dd>`;
}

function body(type: string, { schema, examples }: MediaType): Html {
  const isJson = type === "application/json";
  const shown = Object.values(examples).map(({ value }) =>
    html`<pre tabindex="0"><code>${isJson ? JSON.stringify(value, undefined, 2) : String(value)}</code></pre>`
  );
  return html`<p>Body: ${schemaLink(schema) ?? html`<code>${type}</code>`}</p>${shown}`;
}

/** The problems of one status, but those that are told of once for all. */
function failure(status: string, { examples }: MediaType): Html | undefined {
  const codes = Object.keys(examples).filter((code): code is ProblemCode => isProblemCode(code))
    .filter((code) => !unlisted.includes(code));
  return codes.length === 0 ? undefined : html`
    <dt class="failure">${status}</dt>
    <dd>${problemList(codes)}</dd>
  `;
}

/** A path that may be broken before each slash. */
function breakable(path: string): Html[] {
  return path.split("/").slice(1).map((segment) => html`<wbr>/${segment}`);
}
