/**
 * HTML as text in which nothing that was put in can become markup.
 *
 * A template of `html` escapes each value for text and for quoted attributes alike; what another template made is taken
 * as it is. Attributes must be quoted, and nothing is put into script or style but what `trustedStyle` was given.
 */

/** A piece of HTML that is safe. Only the functions of this file make it. */
export class Html {
  readonly #text: string;

  constructor(parts: readonly string[], values: readonly HtmlValue[]) {
    this.#text = parts.map((part, index) => part + toText(values[index])).join("");
  }

  toString(): string {
    return this.#text;
  }
}

/** What may stand in a template; `undefined` and `false` are nothing. */
export type HtmlValue = Html | string | number | false | undefined | readonly HtmlValue[];

/** A piece of HTML: the template as it stands, its values escaped. */
export function html(parts: TemplateStringsArray, ...values: readonly HtmlValue[]): Html {
  return new Html(parts, values);
}

/** A style sheet that was written here, as it is. @throws {TypeError} when it could end its element */
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
