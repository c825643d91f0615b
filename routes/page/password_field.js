/**
 * A field for a password: a button that shows what is typed and, for a new password, how strong it is.
 *
 * The judge and its list of common passwords come when a new password is first thought of, as they are 250 KB.
 */

import { loadPart, Problem } from "./api.js";
import { translate, translateCount } from "./language.js";
import { guessableText } from "./problem.js";
import { textElement } from "./template.js";

/** Long enough that a screen reader is not told of each letter. */
const pauseMs = 300;

/** Adds the button, and the strength when the password is a new one. */
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
  // Browsers offer to save what is a password when it is sent.
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

  const judge = async () => {
    const strength = await openJudge();
    if (strength === undefined) return;
    const login = input.form.elements.namedItem("login")?.value ?? "";
    const minLength = Number(document.body.dataset.passwordMinLength);
    const verdict = input.value === "" ? undefined : strength.judge(input.value, login, minLength);
    bar.dataset.level = verdict?.level ?? 0;
    text.textContent = verdict === undefined ? "" : verdictText(verdict);
  };
  const judgeSoon = () => {
    clearTimeout(state.timer);
    state.timer = setTimeout(judge, pauseMs);
  };
  input.addEventListener("focus", openJudge);
  input.addEventListener("input", judgeSoon);
  input.form.elements.namedItem("login")?.addEventListener("change", judgeSoon);
}

/** @returns `undefined` when it cannot be had now: the service judges anyway */
async function openJudge() {
  try {
    const { openStrength } = await loadPart(() => import("./strength.js"));
    return await openStrength();
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    return undefined;
  }
}

function verdictText({ level, missing, reason }) {
  if (missing > 0) {
    return translateCount(missing, { one: "{count} more character", other: "{count} more characters" });
  }
  if (reason !== undefined) return guessableText(reason);
  return translate(level > 3 ? "Strong" : "Good");
}
