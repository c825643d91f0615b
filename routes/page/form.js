/**
 * Forms and buttons: one request at a time, and each error at its field or at the end of the form, where screen readers
 * find it.
 */

import { Problem } from "./api.js";
import { showError, wireField } from "./field.js";
import { fieldErrors, fieldText, problemText } from "./problem.js";
import { textElement } from "./template.js";

const notice = document.getElementById("notice");

/**
 * Makes a form send.
 *
 * A button with `formnovalidate`, such as that of a passkey, sends it without its fields. The values include that of
 * the button.
 *
 * @param options `id`: prefix of the ids of the fields; `act` gets the values by name, and may throw a Problem;
 * `onEnded` runs if the session has ended
 */
export function wireForm(form, { id, act, onEnded }) {
  form.noValidate = true;
  for (const field of form.querySelectorAll(".field")) wireField(field, id);
  const message = textElement("p", "", "error");
  message.setAttribute("role", "alert");
  form.append(message);
  const state = { isBusy: false };

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (state.isBusy) return;
    clear(form, message);
    // A message about the past, such as "You are logged out.", would contradict the outcome.
    notice.textContent = "";
    const { submitter } = event;
    const missing = submitter?.formNoValidate ? [] : missingFields(form);
    if (missing.length > 0) return showErrors(form, missing);
    state.isBusy = true;
    form.setAttribute("aria-busy", "true");
    try {
      await act({ ...valuesOf(form), ...submitter?.name && { [submitter.name]: submitter.value } });
    } catch (error) {
      tell(error, { form, message, submitter, onEnded });
    } finally {
      state.isBusy = false;
      form.removeAttribute("aria-busy");
    }
  });
}

/** Makes the Problem of bad fields that the page itself has found. */
export function invalid(errors) {
  return new Problem({ code: "invalid", errors });
}

function tell(error, { form, message, submitter, onEnded }) {
  if (!(error instanceof Problem)) throw error;
  if (error.code === "not-authenticated" && onEnded !== undefined) return onEnded(error);
  const rest = showErrors(form, fieldErrors(error));
  if (rest === undefined) return;
  message.textContent = rest || problemText(error);
  // A mistyped password is typed again.
  if (!submitter?.formNoValidate) form.querySelector("input[type=password]")?.select();
}

/** Shows errors at their fields, and selects the first. @returns the texts without a field, `undefined` if none */
function showErrors(form, errors) {
  const placed = errors.map((error) => ({ ...error, input: form.elements.namedItem(error.name) }));
  const shown = placed.filter(({ input }) => input !== null && !input.closest("[hidden]"));
  for (const { input, text } of shown) showError(input, text);
  shown.sort((a, b) => a.input.compareDocumentPosition(b.input) & Node.DOCUMENT_POSITION_FOLLOWING ? -1 : 1);
  shown[0]?.input.focus();
  shown[0]?.input.select?.();
  if (shown.length > 0 && shown.length === errors.length) return undefined;
  return placed.filter((error) => !shown.includes(error)).map(({ text }) => text).join(" ");
}

function missingFields(form) {
  const empty = [...form.elements].filter((input) => input.required && input.value.trim() === "");
  return empty.map(({ name }) => ({ name, text: fieldText({ code: "missing" }) }));
}

function clear(form, message) {
  message.textContent = "";
  for (const input of form.elements) if (input.name !== "") showError(input, "");
}

/** Trims login and ticket: phones add a space after a word that they have completed. */
function valuesOf(form) {
  const values = Object.fromEntries(new FormData(form));
  for (const name of ["login", "ticket"]) if (name in values) values[name] = values[name].trim();
  return values;
}

/** Makes a button act, once at a time. `report` gets the Problem and its text. */
export function wireButton(button, { act, report }) {
  button.addEventListener("click", async () => {
    if (button.ariaBusy === "true") return;
    button.ariaBusy = "true";
    try {
      await act();
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      report(error, problemText(error));
    } finally {
      button.ariaBusy = null;
    }
  });
}

/** Makes a function that shows an outcome above the view: a Problem and its text, or `undefined` and a text. */
export function reporter(app) {
  return (problem, text) => {
    if (problem?.code === "not-authenticated") return app.end();
    notice.textContent = text;
    notice.scrollIntoView({ block: "nearest" });
  };
}
