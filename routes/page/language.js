/**
 * The language of the page. English is in the HTML and in the code; another language is a list by the English text.
 *
 * The choice is kept in the browser, as it is no secret; without one, the languages of the browser decide.
 */

import { loadPart } from "./api.js";

const loaders = { ru: () => import("./russian.js") };
const storageKey = "gatehouse-language";
const current = { code: "en", texts: {} };

/** The language that was chosen, or the first of the browser's that there is. */
export function preferredLanguage() {
  const wanted = [chosenLanguage() ?? "", ...navigator.languages];
  const codes = wanted.map((tag) => tag.toLowerCase().split("-", 1)[0]);
  return codes.find((code) => code === "en" || code in loaders) ?? "en";
}

/** Keeps the choice. */
export function keepLanguage(code) {
  try {
    localStorage.setItem(storageKey, code);
  } catch {
    // A browser that keeps nothing asks its own languages next time.
  }
}

/** All that is made from now on is in this language. @throws {Problem} when its texts cannot be had now */
export async function setLanguage(code) {
  current.texts = code in loaders ? (await loadPart(loaders[code])).texts : {};
  current.code = code;
  document.documentElement.lang = code;
}

/** A text in the language of the page, with `values` in the place of their names in braces. */
export function translate(text, values = {}) {
  const translated = current.texts[text] ?? text;
  return translated.replaceAll(/\{(\w+)\}/g, (name, key) => values[key] ?? name);
}

/** A text about a number of things. @param forms English, by the categories `one` and `other`; `other` is the key */
export function translateCount(count, forms) {
  const byCategory = current.texts[forms.other] ?? forms;
  const text = byCategory[new Intl.PluralRules(current.code).select(count)] ?? byCategory.other;
  return text.replaceAll("{count}", new Intl.NumberFormat(current.code).format(count));
}

/** A day: 22 Nov 2026. @param text RFC 3339 */
export function formatDay(text) {
  return new Intl.DateTimeFormat(regional(), { dateStyle: "medium" }).format(new Date(text));
}

/** A moment: 22 Nov 2026, 13:31, all on one line. @param text RFC 3339 */
export function formatMoment(text) {
  const format = new Intl.DateTimeFormat(regional(), { dateStyle: "medium", timeStyle: "short" });
  return format.format(new Date(text)).replaceAll(" ", "\u00a0");
}

/** A wait: in 5 minutes. */
export function formatWait(seconds) {
  const format = new Intl.RelativeTimeFormat(current.code);
  if (seconds < 90) return format.format(Math.ceil(seconds), "second");
  if (seconds < 90 * 60) return format.format(Math.ceil(seconds / 60), "minute");
  return format.format(Math.ceil(seconds / 3600), "hour");
}

/** The browser's own kind of English or Russian, which writes dates as its user does. */
export function regional() {
  return navigator.languages.find((tag) => tag.toLowerCase().startsWith(current.code)) ?? current.code;
}

function chosenLanguage() {
  try {
    return localStorage.getItem(storageKey);
  } catch {
    // A browser that keeps nothing throws here.
    return null;
  }
}
