/**
 * A password field: a button that shows the password and, for a new one, a strength meter.
 *
 * The meter and its lists of common passwords have 250 KB, so they are loaded when a new password is first typed.
 */

import { loadPart, Problem } from "./api.js";
import { translate } from "./language.js";
import { textElement } from "./template.js";

/** Time without typing before the meter speaks: screen readers would read it after each letter. */
const pauseMs = 300;

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
    try {
      const { showStrength } = await loadPart(() => import("./strength_meter.js"));
      await showStrength(input, { bar, text });
    } catch (error) {
      // Without the meter the service checks the password anyway.
      if (!(error instanceof Problem)) throw error;
    }
  };
  const rateSoon = () => {
    clearTimeout(state.timer);
    state.timer = setTimeout(rate, pauseMs);
  };
  input.addEventListener("focus", rate);
  input.addEventListener("input", rateSoon);
  input.form.elements.namedItem("login")?.addEventListener("change", rateSoon);
}
