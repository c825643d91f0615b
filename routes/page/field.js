/** One field of a form: label, hint, input and error, connected by ids. */

import { wirePassword } from "./password_field.js";
import { textElement } from "./template.js";

/** Connects the parts of a field. @param id the prefix of their ids, unique on the page */
export function wireField(field, id) {
  const [label, input, hint] = ["label", "input, select", ".hint"].map((selector) => field.querySelector(selector));
  const error = textElement("p", "", "error");
  // Read out also where the field has the focus already.
  error.setAttribute("aria-live", "polite");
  input.id = `${id}-${input.name}`;
  label.htmlFor = input.id;
  error.id = `${input.id}-error`;
  if (hint !== null) hint.id = `${input.id}-hint`;
  input.setAttribute("aria-describedby", [hint?.id, error.id].filter(Boolean).join(" "));
  field.append(error);
  // The rule is read before the field is filled in.
  if (hint !== null) label.after(hint);
  if (input.type === "password") wirePassword(input);
  input.addEventListener("input", () => showError(input, ""));
}

/** Shows the error of a field; "" removes it. */
export function showError(input, text) {
  const error = document.getElementById(`${input.id}-error`);
  if (error === null) return;
  error.textContent = text;
  if (text === "") input.removeAttribute("aria-invalid");
  else input.setAttribute("aria-invalid", "true");
}
