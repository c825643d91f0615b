/** The texts of the page: each has a Russian one, and no Russian one is left over. */
import { assert, assertEquals } from "@std/assert";
import { settings } from "../../../lib/config/settings.ts";
import { texts } from "../../../routes/page/russian.js";
import { texts as adminTexts } from "../../../routes/page/russian_admin.js";
import { texts as factorTexts } from "../../../routes/page/russian_factors.js";
import { texts as settingTexts } from "../../../routes/page/russian_settings.js";
import { pageFiles } from "../../../routes/page_file.ts";

const html = await Deno.readTextFile(new URL("../../../routes/page/index.html", import.meta.url));
const scripts = [...pageFiles].filter(([name]) =>
  name.endsWith(".js") && !/^(russian\w*|uplot|uqr|zxcvbn)\.js$/.test(name)
);
const translations: Readonly<Record<string, string | Readonly<Record<string, string>>>> = {
  ...texts,
  ...factorTexts,
  ...adminTexts,
};

/** What is the same in every language: names, and what other texts are put in the place of. */
const nameless = /^((Log in · )?\{\{ title \}\}|English|Русский|API|127\.0\.0\.1|(\{\w+\})+)$/;
/** What browsers, systems and Deno call themselves. */
const brand = new RegExp(
  "^(Edge|Yandex Browser|Opera|Samsung Internet|Vivaldi|Firefox|Chrome|Safari|" +
    "iPhone|iPad|Android|ChromeOS|Windows|Linux|Deno)$",
);

function textsOfHtml(): string[] {
  // What is shown when no script runs is there in both languages.
  const body = html.replaceAll(/<!--.*?-->|<div class="late">.*?<\/div>/gs, "");
  const between = body.split(/<[^>]*>/).map((text) => text.trim().replaceAll(/\s+/g, " "));
  const attributes = body.matchAll(/\s(?:aria-label|data-label)="([^"]*)"/g).map(([, text = ""]) => text);
  return [...between, ...attributes].filter((text) => text !== "" && !nameless.test(text));
}

/** What is in quotes and reads like a text for people. */
function textsOfScripts(): string[] {
  const code = scripts.map(([, text]) => text.replaceAll(/\/\*.*?\*\//gs, "").replaceAll(/^\s*\/\/ .*$/gm, "")).join(
    "\n",
  );
  const isProse = (text: string) => /^(\{\w+\} )?[A-Z][a-z]/.test(text) || /^it .* /.test(text);
  return quotedIn(code, /"([^"\n]*)"/g).filter((text) => isProse(text) && !brand.test(text));
}

/** What each match of the pattern has in its group. */
function quotedIn(text: string, pattern: RegExp): string[] {
  return text.matchAll(pattern).map(([, found = ""]) => found).toArray();
}

Deno.test("every text of the page has a Russian one", () => {
  const texts = [...textsOfHtml(), ...textsOfScripts()];
  assert(texts.length > 150, `${texts.length}`);
  // What is said of one thing is known by what is said of several.
  const singular = scripts.flatMap(([, text]) => quotedIn(text, /\bone: "([^"]*)"/g));
  assertEquals(texts.filter((text) => !(text in translations) && !singular.includes(text)), []);
});

Deno.test("every text about a number has a Russian one, in all forms", () => {
  const forms = scripts.flatMap(([, text]) => quotedIn(text, /\bother: "([^"]*)"/g));
  assertEquals(forms.length, 4);
  for (const form of forms) {
    const known = translations[form];
    assert(typeof known === "object", form);
    assertEquals(Object.keys(known), ["one", "few", "many", "other"]);
    for (const text of Object.values(known)) assert(text.includes("{count}"), text);
  }
});

Deno.test("no text has two Russian ones", () => {
  const all = [texts, factorTexts, adminTexts].flatMap((part) => Object.keys(part));
  assertEquals(all.filter((text, index) => all.indexOf(text) < index), []);
});

Deno.test("no Russian text is left over", () => {
  const code = scripts.map(([, text]) => text).join("\n");
  const said = new Set(textsOfHtml());
  assertEquals(Object.keys(translations).filter((text) => !said.has(text) && !code.includes(`"${text}"`)), []);
});

Deno.test("the meaning of every setting has a Russian text, with the same code and the same numbers", () => {
  const marks = (text: string) => (text.match(/`[^`]*`|\d+/g) ?? []).sort();
  const meanings = Object.values(settings).map(({ name, meaning }) => [name, marks(meaning)]);
  assertEquals(Object.entries(settingTexts).map(([name, text]) => [name, marks(text)]), meanings);
});

Deno.test("a Russian text has the same places for values as the English one", () => {
  const places = (text: string) => (text.match(/\{\w+\}/g) ?? []).sort();
  for (const [english, russian] of Object.entries(translations)) {
    if (typeof russian === "string") assertEquals(places(russian), places(english), english);
  }
});
