/** What an administrator sees of the residents: a list that is searched by the beginning of the login. */

import { reporter } from "./account.js";
import { send } from "./api.js";
import { showDialog } from "./dialog.js";
import { wireButton, wireForm } from "./form.js";
import { formatDay, translate, translateCount } from "./language.js";
import { ResidentDialog } from "./resident.js";
import { fromTemplate, part, textElement } from "./template.js";
import { showTicketLink } from "./ticket_link.js";

const pageSize = 50;
/** Long enough that not each letter is a search. */
const pauseMs = 250;

/** The list, by pages in order of registration. */
export async function residentsView(app) {
  const view = fromTemplate("residents");
  const list = { app, view, prefix: "", next: null, turn: 0, report: reporter(app) };
  const search = view.querySelector("form");
  wireForm(search, { id: "search", act: () => find(list, search.elements.prefix.value) });
  const state = { timer: 0 };
  search.elements.prefix.addEventListener("input", () => {
    clearTimeout(state.timer);
    state.timer = setTimeout(() => search.requestSubmit(), pauseMs);
  });
  wireButton(part(view, "more"), { act: () => showMore(list), report: list.report });
  const invite = part(view, "invite");
  if (app.facts.registration === "closed") invite.remove();
  invite.addEventListener("click", () => askInvitation());
  await find(list, "");
  return view;
}

async function find(list, prefix) {
  list.prefix = prefix;
  const users = await load(list, "");
  // A later search was answered already.
  if (users === undefined) return;
  list.view.querySelector("tbody").replaceChildren(...users.map((user) => userRow(list, user)));
}

async function showMore(list) {
  const users = await load(list, list.next);
  if (users === undefined) return;
  const rows = users.map((user) => userRow(list, user));
  list.view.querySelector("tbody").append(...rows);
  // The button may be gone.
  if (list.next === null) rows[0]?.querySelector("button").focus();
}

/** One page. @returns `undefined` when another was asked for meanwhile */
async function load(list, after) {
  const turn = ++list.turn;
  const { value } = await send("GET", `user/?${new URLSearchParams({ limit: pageSize, after, prefix: list.prefix })}`);
  if (turn !== list.turn) return undefined;
  list.next = value.next;
  part(list.view, "more").hidden = value.next === null;
  const forms = { one: "{count} resident", other: "{count} residents" };
  part(list.view, "total").textContent = translateCount(value.total, forms);
  return value.users;
}

function userRow(list, user) {
  const row = fromTemplate("resident-row", { login: user.login, registered: formatDay(user.registered_at) });
  row.querySelector("ul").append(...user.groups.map((group) => textElement("li", group, "chip")));
  const state = row.querySelector(".state");
  state.textContent = translate(user.disabled ? "Disabled" : "Active");
  state.dataset.state = user.disabled ? "disabled" : "active";
  part(row, "manage").addEventListener("click", () => manage(list, user, row));
  return row;
}

/** Shows the dialog, then the row as it is after it. The focus stays about where it was. */
async function manage(list, user, row) {
  const dialog = new ResidentDialog(user, list.app);
  await dialog.show();
  // The session has ended, and the list is gone.
  if (!row.isConnected) return;
  const neighbour = row.nextElementSibling ?? row.previousElementSibling;
  if (dialog.user === undefined) {
    row.remove();
    neighbour?.querySelector("button").focus();
    return list.report(undefined, translate("{login} is deleted.", { login: user.login }));
  }
  const changed = userRow(list, dialog.user);
  row.replaceWith(changed);
  changed.querySelector("button").focus();
}

function askInvitation() {
  const dialog = fromTemplate("invite");
  const form = dialog.querySelector("form");
  wireForm(form, {
    id: "invite",
    act: async ({ login }) => {
      const body = { purpose: "register", ...login !== "" && { login } };
      const { value } = await send("POST", "ticket/", { body });
      showTicketLink(part(dialog, "link"), value);
    },
  });
  showDialog(dialog);
}
