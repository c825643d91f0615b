/** The page of `/docs/`: what holds for all, every operation by its tag, and the data that they are about. */

import { type Html, html, trustedStyle } from "../../lib/http/html.ts";
import { sharedProblems } from "../openapi/operation.ts";
import type { OpenApiDocument } from "../openapi/document.ts";
import { operationArticle } from "./operation.ts";
import { problemList, prose } from "./prose.ts";
import { schemaBody } from "./schema.ts";

/** The whole page. @param style the one style sheet of it */
export function docsPage(document: OpenApiDocument, style: string): Html {
  const { info, tags } = document;
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
          <p>${info.summary} This page is made from <a href="../openapi.json">openapi.json</a> (OpenAPI ${document
            .openapi}).</p>
        </header>
        <div class="columns">
          <nav aria-label="Contents">${contents(document)}</nav>
          <main>
    ${rules(document)}
    ${tags.map((tag) => tagSection(tag, document))}
    ${data(document)}
          </main>
        </div>
      </body>
    </html>
  `;
}

function contents(document: OpenApiDocument): Html {
  const groups = document.tags.map(({ name }) => {
    const items = operationsOf(name, document).map(({ method, path, operation }) =>
      html`<li><a href="#${operation.operationId}"><b class="${method}">${method}</b> <span>${path}</span></a></li>`
    );
    return html`<li><a href="#tag-${name}">${name}</a><ul>${items}</ul></li>`;
  });
  return html`<ul>
<li><a href="#rules">Every request</a></li>
${groups}
<li><a href="#data">Data</a></li>
</ul>`;
}

/** What holds for every operation, so that none needs to say it. */
function rules({ info, components }: OpenApiDocument): Html {
  const { path, body, store, any } = sharedProblems;
  const schemes = Object.entries(components.securitySchemes).map(([name, { description }]) =>
    html`
      <dt id="auth-${name}">${name}</dt>
      <dd>${prose(String(description))}</dd>
    `
  );
  return html`<section aria-labelledby="rules">
<h2 id="rules">Every request</h2>
${prose(info.description)}
<p>The examples below are for a shell in which this was set:</p>
<pre tabindex="0"><code>gatehouse=http://127.0.0.1:8000
token=…   # from POST /session/</code></pre>
<h3 id="auth">Who asks</h3>
<dl>${schemes}</dl>
<h3 id="problems">Problems that no operation lists</h3>
<p>With a body:</p>
${problemList(body)}
<p>With a parameter in the path:</p>
${problemList(path)}
<p>Where the store is asked:</p>
${problemList(store)}
<p>Always possible:</p>
${problemList(any)}
</section>`;
}

function tagSection({ name, description }: OpenApiDocument["tags"][number], document: OpenApiDocument): Html {
  return html`<section aria-labelledby="tag-${name}">
<h2 id="tag-${name}">${name}</h2>
${prose(description)}
${operationsOf(name, document).map((one) => operationArticle(one, document))}
</section>`;
}

function data({ components }: OpenApiDocument): Html {
  const schemas = Object.entries(components.schemas).map(([name, schema]) =>
    html`
      <article>
      <h3 id="schema-${name}">${name}</h3>
      ${schemaBody(schema)}
      </article>
    `
  );
  return html`<section aria-labelledby="data">
<h2 id="data">Data</h2>
<p>What is not marked as optional is always there, and nothing else is.</p>
${schemas}
</section>`;
}

function operationsOf(tag: string, { paths }: OpenApiDocument) {
  return Object.entries(paths).flatMap(([path, operations]) =>
    Object.entries(operations)
      .filter(([, operation]) => operation.tags.includes(tag))
      .map(([method, operation]) => ({ method: method.toUpperCase(), path, operation }))
  );
}
