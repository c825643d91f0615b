/** Schemas of the document as HTML: the members of objects, and what a value must be. */

import { type Html, html } from "../../lib/http/html.ts";
import type { Schema } from "../openapi/document.ts";
import { prose } from "./prose.ts";

/** What a schema says, in full. */
export function schemaBody(schema: Schema): Html {
  const { description, oneOf, type } = schema;
  return html`${typeof description === "string" && prose(description)}
${type !== "object" && !isSchemas(oneOf) && constraints(schema)}
${members(schema)}
${
    isSchemas(oneOf) && html`
      <p>One of:</p>
      <ol>${oneOf.map((one) => html`<li>${schemaBody(one)}</li>`)}</ol>
    `
  }`;
}

/** A link to the schema of that name, if it has one. */
export function schemaLink({ $ref }: Schema): Html | undefined {
  const name = typeof $ref === "string" ? nameOf($ref) : undefined;
  return name === undefined ? undefined : html`<a href="#schema-${name}">${name}</a>`;
}

/** What a value must be, as a line of its own. */
export function constraints(schema: Schema): Html | undefined {
  const facts = factsOf(schema);
  return facts.length === 0
    ? undefined
    : html`<p class="facts">${facts.map((fact, index) => [index > 0 && ", ", fact])}</p>`;
}

function members({ properties, required }: Schema): Html | undefined {
  if (!isSchema(properties)) return undefined;
  const always = Array.isArray(required) ? required : [];
  const rows = Object.entries(properties).map(([name, schema]) =>
    isSchema(schema) && html`<dt><code>${name}</code>${
      !always.includes(name) && html`
        <small>optional</small>
      `
    }</dt>
<dd>${constraints(schema)}${typeof schema.description === "string" && prose(schema.description)}
${isSchema(schema.items) && members(schema.items)}</dd>`
  );
  return html`<dl>${rows}</dl>`;
}

/** The values of one's own that a keyword can have are told by their number. */
const numbers: Readonly<Record<string, string>> = {
  minLength: "characters at least",
  maxLength: "characters at most",
  minItems: "items at least",
  maxItems: "items at most",
  minProperties: "members at least",
};

function factsOf(schema: Schema): (Html | string)[] {
  const { type, format, items, pattern, minimum, maximum, uniqueItems } = schema;
  const link = schemaLink(schema);
  const types = (Array.isArray(type) ? type : [type]).filter((one) => typeof one === "string");
  return [
    ...link === undefined ? [] : [link],
    ...types.length === 0 ? [] : [types.join(" or ") + (typeof format === "string" ? ` (${format})` : "")],
    ...values(schema),
    ...isSchema(items) && factsOf(items).length > 0 ? [html`of ${factsOf(items).map((fact) => [fact, " "])}`] : [],
    ...minimum === undefined ? [] : [`${minimum} or more`],
    ...maximum === undefined ? [] : [`at most ${maximum}`],
    ...Object.entries(numbers).filter(([name]) => name in schema).map(([name, text]) => `${schema[name]} ${text}`),
    ...uniqueItems === true ? ["all different"] : [],
    ...typeof pattern === "string" ? [html`as <code>${pattern}</code>`] : [],
    ...schema.default === undefined ? [] : [html`by default <code>${JSON.stringify(schema.default)}</code>`],
  ];
}

function values(schema: Schema): Html[] {
  const all = "const" in schema ? [schema.const] : Array.isArray(schema.enum) ? schema.enum : [];
  if (all.length === 0) return [];
  return [html`${all.map((value, index) => [index > 0 && " or ", html`<code>${String(value)}</code>`])}`];
}

function nameOf($ref: string): string {
  return $ref.slice($ref.lastIndexOf("/") + 1);
}

function isSchema(value: unknown): value is Schema {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isSchemas(value: unknown): value is Schema[] {
  return Array.isArray(value) && value.every(isSchema);
}
