/** Texts of the document as HTML: of Markdown they use paragraphs and `code` only. */

import { type Html, html } from "../../lib/http/html.ts";
import { type ProblemCode, problems } from "../../lib/http/problem.ts";

/** A text as paragraphs. */
export function prose(text: string): Html[] {
  return text.split("\n\n").map((paragraph) => html`<p>${withCode(paragraph)}</p>`);
}

/** Problems by their codes, each with what it means. */
export function problemList(codes: readonly ProblemCode[]): Html {
  const items = codes.map((code) => {
    const { status, title, meaning } = problems[code];
    return html`
      <li><a href="../problem/${code}"><code>${code}</code></a> <small>${status}</small> <b>${title}.</b>
      ${withCode(meaning)}</li>
    `;
  });
  return html`<ul class="problems">${items}</ul>`;
}

/** What stands between backticks is code: every second part. */
function withCode(text: string): (Html | string)[] {
  return text.split("`").map((part, index) => index % 2 === 1 ? html`<code>${part}</code>` : part);
}
