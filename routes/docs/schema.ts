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

/** A schema in full: description, constraints and members. */
export function schemaBody(schema: Schema): Html {
  return html`${prose(schema.description)}${schema.type !== "object" && constraints(schema)}${members(schema)}`;
}

function members({ properties, required }: Schema): Html | undefined {
  if (!isSchema(properties)) return undefined;
  const always = Array.isArray(required) ? required : [];
  const rows = Object.entries(properties).map(([name, value]) => {
    const schema: Schema = isSchema(value) ? value : {};
    const inner = isSchema(schema.items) ? schema.items : schema;
    return html`<dt><code>${name}</code>${!always.includes(name) && html`<small>optional</small>`}</dt>
<dd>${constraints(schema)}${prose(schema.description)}${members(inner)}</dd>`;
  });
  return html`<dl>${rows}</dl>`;
}

/** Keywords that limit a value, in the order in which they are shown. */
const limits = ["minLength", "maxLength", "minItems", "maxItems", "minimum", "maximum", "pattern", "default"];

function factsOf(schema: Schema): (Html | string)[] {
  const { $ref, type, format, items, uniqueItems, description } = schema;
  const name = typeof $ref === "string" ? $ref.slice($ref.lastIndexOf("/") + 1) : undefined;
  const values: readonly unknown[] = Array.isArray(schema.enum) ? schema.enum : [];
  // A description may list the values with their meanings.
  const isListed = values.length === 0 || String(description).startsWith(`\`${values[0]}\`: `);
  return [
    ...name === undefined ? [] : [html`<a href="#schema-${name}">${name}</a>`],
    ...type === undefined ? [] : [[type].flat().join(" or ") + (format === undefined ? "" : ` (${format})`)],
    ...isListed ? [] : [joined(values.map(code), " or ")],
    ...isSchema(items) ? [html`of ${joined(factsOf(items))}`] : [],
    ...limits.filter((keyword) => keyword in schema).map((keyword) => html`${keyword} ${code(schema[keyword])}`),
    ...uniqueItems === true ? ["all different"] : [],
  ];
}

function code(value: unknown): Html {
  return html`<code>${String(value)}</code>`;
}

function joined(parts: readonly (Html | string)[], separator = ", "): Html {
  return html`${parts.map((part, index) => [index > 0 && separator, part])}`;
}

function isSchema(value: unknown): value is Schema {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
