/**
 * The language of the page. English stands in the HTML and in the code; another language maps the English text.
 *
 * The choice is kept in the browser; without one, the languages of the browser decide.
 */

import { loadPart } from "./api.js";

/** The texts of a language are in parts, which are loaded with the first view that needs them. */
const loaders = {
  ru: {
    page: () => import("./russian.js"),
    factors: () => import("./russian_factors.js"),
    admin: () => import("./russian_admin.js"),
    settings: () => import("./russian_settings.js"),
  },
};
const storageKey = "gatehouse-language";
const current = { code: "en", texts: {}, parts: ["page"] };

/** Returns the chosen language, or else the first language of the browser that the page has. */
export function preferredLanguage() {
  const wanted = [chosenLanguage() ?? "", ...navigator.languages];
  const codes = wanted.map((tag) => tag.toLowerCase().split("-", 1)[0]);
  return codes.find((code) => code === "en" || code in loaders) ?? "en";
}

/** Stores the choice in the browser. */
export function keepLanguage(code) {
  try {
    localStorage.setItem(storageKey, code);
  } catch {
    // Without storage, the languages of the browser decide at the next visit.
  }
}

/** Sets the language of everything that is made from now on. @throws {Problem} if its texts cannot be loaded */
export async function setLanguage(code) {
  current.texts = await loadTexts(code, current.parts);
  current.code = code;
  document.documentElement.lang = code;
}

/** Adds a part of the texts, in this and every later language. @throws {Problem} if it cannot be loaded */
export async function addTexts(part) {
  if (current.parts.includes(part)) return;
  Object.assign(current.texts, await loadTexts(current.code, [part]));
  current.parts.push(part);
}

async function loadTexts(code, parts) {
  if (!(code in loaders)) return {};
  const modules = await loadPart(() => Promise.all(parts.map((part) => loaders[code][part]())));
  return Object.assign({}, ...modules.map(({ texts }) => texts));
}

/** Translates a text, and puts `values` in the place of their names in braces. */
export function translate(text, values = {}) {
  const translated = current.texts[text] ?? text;
  return translated.replaceAll(/\{(\w+)\}/g, (name, key) => values[key] ?? name);
}

/** Translates a text about a number. @param forms English, by the categories `one` and `other`; `other` is the key */
export function translateCount(count, forms) {
  const byCategory = current.texts[forms.other] ?? forms;
  const text = byCategory[new Intl.PluralRules(current.code).select(count)] ?? byCategory.other;
  return text.replaceAll("{count}", new Intl.NumberFormat(current.code).format(count));
}

/** Formats a day: 22 Nov 2026. @param text RFC 3339 */
export function formatDay(text) {
  return new Intl.DateTimeFormat(regional(), { dateStyle: "medium" }).format(new Date(text));
}

/** Formats a moment, without a place to break the line: 22 Nov 2026, 13:31. @param text RFC 3339 */
export function formatMoment(text) {
  const format = new Intl.DateTimeFormat(regional(), { dateStyle: "medium", timeStyle: "short" });
  return format.format(new Date(text)).replaceAll(" ", "\u00a0");
}

/** Formats a wait: in 5 minutes. It is rounded up, so that a retry at that time succeeds. */
export function formatWait(seconds) {
  const format = new Intl.RelativeTimeFormat(current.code);
  if (seconds < 90) return format.format(Math.ceil(seconds), "second");
  if (seconds < 90 * 60) return format.format(Math.ceil(seconds / 60), "minute");
  return format.format(Math.ceil(seconds / 3600), "hour");
}

/** Returns the browser's own variant of the language, such as en-GB, for the format of dates. */
export function regional() {
  return navigator.languages.find((tag) => tag.toLowerCase().startsWith(current.code)) ?? current.code;
}

function chosenLanguage() {
  try {
    return localStorage.getItem(storageKey);
  } catch {
    // Reading throws where the browser blocks storage.
    return null;
  }
}
