/** The page of `/docs/`: what all operations have in common, the operations by tag, and the schemas of their data. */

import { type Html, html, trustedStyle } from "../../lib/http/html.ts";
import { type OpenApiDocument, sharedProblems } from "../openapi/document.ts";
import { operationArticle, type PlacedOperation, problemList } from "./operation.ts";
import { prose, schemaBody } from "./schema.ts";

/** The whole page. @param style its only style sheet */
export function docsPage(document: OpenApiDocument, style: string): Html {
  const { info, openapi } = document;
  const groups = document.tags.map((tag) => ({ ...tag, operations: operationsOf(tag.name, document) }));
  return html`
    <!DOCTYPE html>
    <html lang="en">
      <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
    <title>${info.title}: the API</title>
    ${trustedStyle(style)}
      </head>
      <body>
        <header>
          <h1>${info.title}: the API</h1>
          <p>${info.summary} This page is made from <a href="../openapi.json">openapi.json</a> (OpenAPI ${openapi}).</p>
        </header>
        <div class="columns">
          <nav aria-label="Contents">${contents(groups)}</nav>
          <main>
    ${rules(document)}
    ${groups.map(section)}
    ${data(document)}
          </main>
        </div>
      </body>
    </html>
  `;
}

interface Group {
  readonly name: string;
  readonly description: string;
  readonly operations: readonly PlacedOperation[];
}

function contents(groups: readonly Group[]): Html {
  const items = groups.map(({ name, operations }) => {
    const links = operations.map(({ method, path, operation }) =>
      html`<li><a href="#${operation.operationId}"><b class="${method}">${method}</b> <span>${path}</span></a></li>`
    );
    return html`<li><a href="#tag-${name}">${name}</a><ul>${links}</ul></li>`;
  });
  return html`<ul>
<li><a href="#rules">Every request</a></li>
${items}
<li><a href="#data">Data</a></li>
</ul>`;
}

function rules({ info, components }: OpenApiDocument): Html {
  const { path, body, store, any } = sharedProblems;
  const schemes = Object.entries(components.securitySchemes).map(([name, { description }]) =>
    html`
      <dt id="auth-${name}">${name}</dt>
      <dd>${prose(description)}</dd>
    `
  );
  return html`<section aria-labelledby="rules">
<h2 id="rules">Every request</h2>
${prose(info.description)}
<p>The examples use these variables of the shell:</p>
<pre tabindex="0"><code>gatehouse=http://127.0.0.1:8000
token=…   # from POST /session/</code></pre>
<h3 id="auth">Authentication</h3>
<dl>${schemes}</dl>
<h3 id="problems">Common problems</h3>
<p>Of requests with a body:</p>
${problemList(body)}
<p>Of paths with a parameter:</p>
${problemList(path)}
<p>Of operations that use the store:</p>
${problemList(store)}
<p>Of all requests:</p>
${problemList(any)}
</section>`;
}

function section({ name, description, operations }: Group): Html {
  return html`<section aria-labelledby="tag-${name}">
<h2 id="tag-${name}">${name}</h2>
${prose(description)}
${operations.map(operationArticle)}
</section>`;
}

function data({ components }: OpenApiDocument): Html {
  const schemas = Object.entries(components.schemas).map(([name, schema]) =>
    html`<article><h3 id="schema-${name}">${name}</h3>${schemaBody(schema)}</article>`
  );
  return html`<section aria-labelledby="data">
<h2 id="data">Data</h2>
<p>Members that are not optional are always present. There are no other members.</p>
${schemas}
</section>`;
}

function operationsOf(tag: string, { paths }: OpenApiDocument): PlacedOperation[] {
  return Object.entries(paths).flatMap(([path, operations]) =>
    Object.entries(operations)
      .filter(([, operation]) => operation.tags.includes(tag))
      .map(([method, operation]) => ({ method: method.toUpperCase(), path, operation }))
  );
}
