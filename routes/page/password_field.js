/**
 * A password field: a button that shows the password and, for a new one, a strength meter.
 *
 * The meter and its lists of common passwords have 250 KB, so they are loaded when a new password is first typed.
 */

import { loadPart, Problem } from "./api.js";
import { translate, translateCount } from "./language.js";
import { guessableText } from "./problem.js";
import { textElement } from "./template.js";

/** Time without typing before the meter speaks: screen readers would read it after each letter. */
const pauseMs = 300;

const opened = { strength: undefined };

/** Adds the button, and the meter to a field for a new password. */
export function wirePassword(input) {
  const box = document.createElement("div");
  box.className = "password";
  const button = document.createElement("button");
  button.type = "button";
  const show = (isShown) => {
    input.type = isShown ? "text" : "password";
    button.textContent = translate(isShown ? "Hide" : "Show");
    button.setAttribute("aria-label", translate(isShown ? "Hide password" : "Show password"));
  };
  show(false);
  button.addEventListener("click", () => show(input.type === "password"));
  // Browsers offer to save the password only if its type is "password" when the form is sent.
  input.form.addEventListener("submit", () => show(false));
  input.spellcheck = false;
  input.autocapitalize = "none";
  input.before(box);
  box.append(input, button);
  if (input.autocomplete === "new-password") wireStrength(input, box);
}

function wireStrength(input, box) {
  const bar = document.createElement("div");
  bar.className = "strength";
  const text = textElement("p", "", "hint");
  text.setAttribute("role", "status");
  box.after(bar, text);
  const state = { timer: 0 };

  const rate = async () => {
    const strength = await openStrength();
    if (strength === undefined) return;
    const login = input.form.elements.namedItem("login")?.value ?? "";
    const minLength = Number(document.body.dataset.passwordMinLength);
    const rating = input.value === "" ? undefined : strength.rate(input.value, { login, minLength });
    bar.dataset.level = rating?.level ?? 0;
    text.textContent = rating === undefined ? "" : ratingText(rating);
  };
  const rateSoon = () => {
    clearTimeout(state.timer);
    state.timer = setTimeout(rate, pauseMs);
  };
  input.addEventListener("focus", openStrength);
  input.addEventListener("input", rateSoon);
  input.form.elements.namedItem("login")?.addEventListener("change", rateSoon);
}

/** Loads the check of the service, once. @returns `undefined` if that fails: the service checks the password anyway */
async function openStrength() {
  try {
    const [{ PasswordStrength }, zxcvbn] = await Promise.all(["password_strength.js", "zxcvbn.js"].map(loadFile));
    opened.strength ??= new PasswordStrength(zxcvbn.default);
    return opened.strength;
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    return undefined;
  }
}

/** Loads a module that is not in this folder: the service adds it to the files of the page. */
function loadFile(name) {
  return loadPart(() => import(new URL(name, import.meta.url).href));
}

function ratingText({ level, missing, weakness }) {
  if (missing > 0) {
    return translateCount(missing, { one: "{count} more character", other: "{count} more characters" });
  }
  if (weakness !== undefined) return guessableText(weakness);
  return translate(level > 3 ? "Strong" : "Good");
}
