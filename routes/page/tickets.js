/** The dialog of open tickets for administrators: the maker and the end of each, and a button to revoke it. */

import { send } from "./api.js";
import { showDialog } from "./dialog.js";
import { wireButton } from "./form.js";
import { formatMoment, translate } from "./language.js";
import { problemText } from "./problem.js";
import { fromTemplate, part, textElement } from "./template.js";

const pageSize = 50;

/** Shows the dialog. @returns a promise that resolves when it is closed */
export async function showTickets(app) {
  const dialog = fromTemplate("tickets");
  const report = (problem, text) => {
    if (problem?.code === "not-authenticated") return app.end();
    part(dialog, "message").textContent = text;
  };
  const list = { dialog, next: "", report };
  wireButton(part(dialog, "more"), { act: () => showMore(list), report });
  const closed = showDialog(dialog);
  try {
    await showMore(list);
  } catch (error) {
    report(error, problemText(error));
  }
  await closed;
}

/** Appends the next page. */
async function showMore(list) {
  const { value } = await send("GET", `ticket/?${new URLSearchParams({ limit: pageSize, after: list.next })}`);
  const isFirst = list.next === "";
  list.next = value.next;
  const items = value.tickets.map((ticket) => ticketItem(list, ticket));
  list.dialog.querySelector("ul").append(...items);
  const more = part(list.dialog, "more");
  more.hidden = value.next === null;
  showNone(list);
  // The button may be hidden now.
  if (!isFirst && more.hidden) items[0]?.querySelector("button").focus();
}

function ticketItem(list, ticket) {
  const what = nameOf(ticket);
  const item = fromTemplate("ticket", { what, maker: ticket.made_by, expires: formatMoment(ticket.expires_at) });
  item.querySelector("strong").textContent = what;
  if (ticket.made_by === null) part(item, "maker").remove();
  wireButton(part(item, "revoke"), { act: () => revoke(list, { ticket, item }), report: list.report });
  return item;
}

function nameOf({ purpose, login }) {
  if (purpose === "reset") return translate("New password of {login}", { login });
  return login === undefined ? translate("Registration of anyone") : translate("Registration of {login}", { login });
}

async function revoke(list, { ticket, item }) {
  try {
    await send("DELETE", `ticket/${ticket.id}`);
  } catch (error) {
    // It was used or revoked meanwhile: it is invalid, as wanted.
    if (error.code !== "not-found") throw error;
  }
  const next = item.nextElementSibling ?? item.previousElementSibling;
  item.remove();
  showNone(list);
  list.report(undefined, translate("The ticket is revoked."));
  // The button with the focus is gone.
  (next?.querySelector("button") ?? part(list.dialog, "close")).focus();
}

function showNone({ dialog, next }) {
  const ul = dialog.querySelector("ul");
  if (ul.children.length === 0 && next === null) ul.append(textElement("li", translate("None."), "hint"));
}
