/** The language buttons in the footer. */

import { Problem } from "./api.js";
import { keepLanguage, setLanguage, translate } from "./language.js";
import { problemText } from "./problem.js";

const group = document.getElementById("languages");

/** Makes the buttons work. @param options `showAgain` makes the view again; `tell` shows an error */
export function wireLanguages({ showAgain, tell }) {
  for (const button of group.children) {
    button.addEventListener("click", () => change(button.lang, { showAgain, tell }));
  }
  mark();
}

/** Changes the language, and keeps what was typed. */
async function change(code, { showAgain, tell }) {
  try {
    await setLanguage(code);
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    return tell(problemText(error));
  }
  keepLanguage(code);
  const typed = fields().map(({ form, name, value }) => ({ form: form?.name, name, value }));
  await showAgain();
  for (const field of fields()) {
    const known = typed.find(({ form, name }) => name === field.name && form === field.form?.name);
    if (known !== undefined) field.value = known.value;
  }
  mark();
}

function fields() {
  return [...document.querySelectorAll("main input[name]")];
}

function mark() {
  group.ariaLabel = translate("Language");
  for (const button of group.children) button.ariaPressed = String(button.lang === document.documentElement.lang);
}
