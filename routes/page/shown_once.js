/** Secrets that are shown once, to be copied: links with tickets, app passwords, recovery codes. */

import { translate } from "./language.js";
import { fromTemplate, part } from "./template.js";

/** Shows a secret in `place`, in a field with a button. @param options the value, and translated texts */
export function showOnce(place, { value, label, hint, action }) {
  const element = fromTemplate("shown-once", { label, hint, action });
  const input = element.querySelector("input");
  input.value = value;
  input.id = "shown-once-value";
  element.querySelector("label").htmlFor = input.id;
  place.replaceChildren(element);
  wireCopy(element, { text: value, select: () => input.select() });
  part(element, "copy").focus();
}

/** Makes the button `copy` copy. @param options `select` selects the text where the browser forbids to copy it */
export function wireCopy(element, { text, select }) {
  const status = element.querySelector("[role=status]");
  part(element, "copy").addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(text);
      status.textContent = translate("Copied.");
    } catch {
      select();
      status.textContent = translate("Press Ctrl+C to copy.");
    }
  });
}
