/** Texts and schemas of the OpenAPI document as HTML. Of Markdown the texts use paragraphs and `code` only. */

import { type Html, html } from "../../lib/http/html.ts";
import type { Schema } from "../../lib/http/schema.ts";

/** A text as paragraphs. */
export function prose(text: unknown): Html[] {
  return String(text ?? "").split("\n\n").filter(Boolean).map((part) => html`<p>${inline(part)}</p>`);
}

/** A text in which every second part, between backticks, is code. */
export function inline(text: string): (Html | string)[] {
  return text.split("`").map((part, index) => index % 2 === 1 ? html`<code>${part}</code>` : part);
}

/** The constraints of a value, in one line. */
export function constraints(schema: Schema): Html {
  return html`<p class="facts">${joined(factsOf(schema))}</p>`;
}

/** A schema in full: description, constraints, members, and an example. */
export function schemaBody(schema: Schema): Html {
  const { description, examples, type } = schema;
  const example = Array.isArray(examples) && type === "object" && JSON.stringify(examples[0], undefined, 2);
  return html`${prose(description)}${type !== "object" && constraints(schema)}${members(schema)}${
    example && html`<pre tabindex="0"><code>${example}</code></pre>`
  }`;
}

function members({ properties, required }: Schema): Html | undefined {
  if (!isSchema(properties)) return undefined;
  const always = Array.isArray(required) ? required : [];
  const rows = Object.entries(properties).map(([name, value]) => {
    const schema: Schema = isSchema(value) ? value : {};
    const inner = isSchema(schema.items) ? schema.items : schema;
    return html`<dt><code>${name}</code>${
      !always.includes(name) && html`
        <small>optional</small>
      `
    }</dt>
<dd>${constraints(schema)}${prose(schema.description)}${members(inner)}</dd>`;
  });
  return html`<dl>${rows}</dl>`;
}

/** Keywords whose value is a number, as text. */
const numbers: Readonly<Record<string, string>> = {
  minLength: "characters or more",
  maxLength: "characters or fewer",
  minItems: "items or more",
  maxItems: "items or fewer",
  minimum: "or more",
  maximum: "or less",
};

function factsOf(schema: Schema): (Html | string)[] {
  const { $ref, type, format, items, pattern, uniqueItems, default: fallback } = schema;
  const name = typeof $ref === "string" ? $ref.slice($ref.lastIndexOf("/") + 1) : undefined;
  const values = Array.isArray(schema.enum) ? schema.enum.map((value) => html`<code>${value}</code>`) : [];
  return [
    ...name === undefined ? [] : [html`<a href="#schema-${name}">${name}</a>`],
    ...type === undefined ? [] : [[type].flat().join(" or ") + (format === undefined ? "" : ` (${format})`)],
    ...values.length === 0 ? [] : [joined(values, " or ")],
    ...isSchema(items) ? [html`of ${joined(factsOf(items))}`] : [],
    ...Object.entries(numbers).filter(([name]) => name in schema).map(([name, text]) => `${schema[name]} ${text}`),
    ...uniqueItems === true ? ["all different"] : [],
    ...pattern === undefined ? [] : [html`pattern <code>${String(pattern)}</code>`],
    ...fallback === undefined ? [] : [html`by default <code>${JSON.stringify(fallback)}</code>`],
  ];
}

function joined(parts: readonly (Html | string)[], separator = ", "): Html {
  return html`${parts.map((part, index) => [index > 0 && separator, part])}`;
}

function isSchema(value: unknown): value is Schema {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
