/** The page of `/docs/`: what all operations have in common, the operations by tag, and the schemas of their data. */

import { type Html, html, trustedStyle } from "../../lib/http/html.ts";
import { type OpenApiDocument, sharedProblems } from "../openapi/document.ts";
import { operationArticle, problemList } from "./operation.ts";
import { prose, schemaBody } from "./schema.ts";

/** The whole page. @param style its only style sheet */
export function docsPage(document: OpenApiDocument, style: string): Html {
  const { info, openapi, components, paths, tags } = document;
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ method: method.toUpperCase(), path, operation }))
  );
  const groups = tags.map(({ name, description }) => {
    const placed = operations.filter(({ operation }) => operation.tags.includes(name));
    const links = placed.map(({ method, path, operation }) =>
      html`<li><a href="#${operation.operationId}"><b class="${method}">${method}</b> <span>${path}</span></a></li>`
    );
    return {
      links: html`<li><a href="#tag-${name}">${name}</a><ul>${links}</ul></li>`,
      section: html`<section aria-labelledby="tag-${name}">
<h2 id="tag-${name}">${name}</h2>
${prose(description)}
${placed.map(operationArticle)}
</section>`,
    };
  });
  const schemas = Object.entries(components.schemas).map(([name, schema]) =>
    html`<article><h3 id="schema-${name}">${name}</h3>${schemaBody(schema)}</article>`
  );
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
          <nav aria-label="Contents">
            <ul>
              <li><a href="#rules">Every request</a></li>
              ${groups.map(({ links }) => links)}
              <li><a href="#data">Data</a></li>
            </ul>
          </nav>
          <main>
            ${rules(document)}
            ${groups.map(({ section }) => section)}
            <section aria-labelledby="data">
              <h2 id="data">Data</h2>
              <p>Members that are not optional are always present. There are no other members.</p>
              ${schemas}
            </section>
          </main>
        </div>
      </body>
    </html>
  `;
}

function rules({ info, components }: OpenApiDocument): Html {
  const { path, body, store, site, any } = sharedProblems;
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
<p>Of requests with a body, paths with a parameter, operations that use the store, requests to guarded sites that have a
home, and all requests:</p>
${[body, path, store, site, any].map(problemList)}
</section>`;
}
