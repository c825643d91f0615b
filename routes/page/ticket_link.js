/** The link of a new ticket. It is shown once, to be copied. */

import { formatMoment, translate } from "./language.js";
import { linkFor } from "./link.js";
import { showOnce } from "./shown_once.js";

/** Shows the link in `place`. @param ticket the service's response */
export function showTicketLink(place, ticket) {
  showOnce(place, {
    value: linkFor(ticket),
    label: translate("Link"),
    hint: translate("The link is shown only now. It works once, until {expires}. Send it privately.", {
      expires: formatMoment(ticket.expires_at),
    }),
    action: translate("Copy link"),
  });
}
