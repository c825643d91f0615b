/** The sessions of a user as a list, each of which can be ended. */

import { send, userPath } from "./api.js";
import { deviceName } from "./device.js";
import { wireButton } from "./form.js";
import { formatDay, formatMoment, translate } from "./language.js";
import { fromTemplate, part, textElement } from "./template.js";

/**
 * Fills `list` with the sessions of `login`, the present one and the latest first.
 *
 * @param report is told what went wrong, or was done
 */
export async function showSessions(list, { login, report }) {
  const { value } = await send("GET", userPath(login, "/session/"));
  const sorted = [...value.sessions].sort((a, b) =>
    b.current - a.current || (a.last_seen_at < b.last_seen_at ? 1 : -1)
  );
  list.replaceChildren(...sorted.map((session) => sessionItem(session, { list, login, report })));
  showNone(list);
}

function sessionItem(session, { list, login, report }) {
  const device = deviceName(session.user_agent);
  const item = fromTemplate("session", {
    device,
    address: session.address,
    created: formatDay(session.created_at),
    seen: formatMoment(session.last_seen_at),
  });
  item.querySelector("strong").textContent = device;
  item.querySelector("strong").title = session.user_agent;
  const button = part(item, "end");
  if (session.current) {
    item.querySelector(".chip").hidden = false;
    button.remove();
  }
  wireButton(button, {
    act: async () => {
      await send("DELETE", userPath(login, `/session/${session.id}`));
      const next = item.nextElementSibling ?? item.previousElementSibling;
      item.remove();
      showNone(list);
      report(undefined, translate("The session has ended."));
      // The button with the focus is gone.
      (next?.querySelector("button") ?? list).focus();
    },
    report,
  });
  return item;
}

function showNone(list) {
  list.tabIndex = -1;
  if (list.children.length === 0) list.append(textElement("li", translate("None."), "hint"));
}
