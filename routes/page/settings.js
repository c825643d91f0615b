/** The settings in effect for administrators: name, value and default of each, and what it means. */

import { send } from "./api.js";
import { addTexts, translate } from "./language.js";
import { fromTemplate, textElement } from "./template.js";

/** The table of settings. */
export async function settingsView() {
  const [{ value }] = await Promise.all([send("GET", "setting/"), addTexts("settings")]);
  const view = fromTemplate("settings");
  view.querySelector("table").append(...value.settings.map((setting) => {
    const group = fromTemplate("setting-rows", setting);
    if (setting.value !== setting.default) group.className = "changed";
    group.querySelector(".hint").append(...fromMarkdown(meaningOf(setting)));
    return group;
  }));
  return view;
}

/** Translations of meanings have the name of the setting as their key. */
function meaningOf({ name, meaning }) {
  const translated = translate(name);
  return translated === name ? meaning : translated;
}

/** Makes elements of the code spans, the only Markdown in a meaning. */
function fromMarkdown(text) {
  return text.split("`").map((part, index) => index % 2 === 1 ? textElement("code", part) : part);
}
