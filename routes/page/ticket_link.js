/** The link of a new ticket. It is shown once, to be copied. */

import { formatMoment, translate } from "./language.js";
import { linkFor } from "./link.js";
import { fromTemplate, part } from "./template.js";

/** Shows the link in `place`. @param ticket the service's response */
export function showTicketLink(place, ticket) {
  const element = fromTemplate("link", { expires: formatMoment(ticket.expires_at) });
  const input = element.querySelector("input");
  input.value = linkFor(ticket);
  input.id = "ticket-link";
  element.querySelector("label").htmlFor = input.id;
  const status = element.querySelector("[role=status]");
  const button = part(element, "copy");
  button.addEventListener("click", async () => {
    status.textContent = await copy(input) ? translate("Copied.") : translate("Press Ctrl+C to copy.");
  });
  place.replaceChildren(element);
  button.focus();
}

async function copy(input) {
  try {
    await navigator.clipboard.writeText(input.value);
    return true;
  } catch {
    // The browser forbids it, so the user copies the selected text.
    input.select();
    return false;
  }
}
