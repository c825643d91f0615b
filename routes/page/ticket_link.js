/** The link of a ticket that was just made, to be copied: it is shown this once. */

import { formatMoment, translate } from "./language.js";
import { linkFor } from "./link.js";
import { fromTemplate, part } from "./template.js";

/** Shows the link in `place`, ready to be copied. @param ticket as the service made it */
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
    // The browser does not allow it: the person can.
    input.select();
    return false;
  }
}
