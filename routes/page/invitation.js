/** The dialog that makes a link for somebody to register. */

import { send } from "./api.js";
import { showDialog } from "./dialog.js";
import { wireForm } from "./form.js";
import { fromTemplate, part } from "./template.js";
import { showTicketLink } from "./ticket_link.js";

/** Shows the dialog. */
export function showInvitation(app) {
  const dialog = fromTemplate("invite");
  wireForm(dialog.querySelector("form"), {
    id: "invite",
    act: async ({ login }) => {
      const body = { purpose: "register", ...login !== "" && { login } };
      const { value } = await send("POST", "ticket/", { body });
      showTicketLink(part(dialog, "link"), value);
    },
    onEnded: () => app.end(),
  });
  showDialog(dialog);
}
