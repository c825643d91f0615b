/**
 * HTML templates that escape their values.
 *
 * Values are escaped for text and quoted attributes; the result of another template is inserted as it is. Attributes
 * must be quoted. Only `trustedStyle` makes a style element, and nothing makes a script.
 */

/** Escaped HTML. Only the functions of this file make it. */
export class Html {
  readonly #text: string;

  constructor(parts: readonly string[], values: readonly HtmlValue[]) {
    this.#text = parts.map((part, index) => part + toText(values[index])).join("");
  }

  toString(): string {
    return this.#text;
  }
}

/** A value in a template; `undefined` and `false` insert nothing. */
export type HtmlValue = Html | string | number | false | undefined | readonly HtmlValue[];

/** Makes HTML of a template, with its values escaped. */
export function html(parts: TemplateStringsArray, ...values: readonly HtmlValue[]): Html {
  return new Html(parts, values);
}

/** Makes a style element of a constant style sheet. @throws {TypeError} it could end its element */
export function trustedStyle(css: string): Html {
  if (css.includes("<")) throw new TypeError('Cannot make a style element: the style contains "<"');
  return new Html([`<style>${css}</style>`], []);
}

function toText(value: HtmlValue): string {
  if (value === undefined || value === false) return "";
  if (value instanceof Html) return value.toString();
  if (typeof value === "string" || typeof value === "number") return escape(String(value));
  return value.map(toText).join("");
}

function escape(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
    .replaceAll("'", "&#39;");
}
