/** What an administrator sees of the users: a list that is searched by the beginning of the login. */

import { loadPart, Problem, send } from "./api.js";
import { showDialog } from "./dialog.js";
import { wireField } from "./field.js";
import { reporter, wireButton, wireForm } from "./form.js";
import { formatDay, translate, translateCount } from "./language.js";
import { problemText } from "./problem.js";
import { showUserState, UserDialog } from "./user.js";
import { fromTemplate, part, textElement } from "./template.js";
import { showTicketLink } from "./ticket_link.js";

const pageSize = 50;
/** Long enough that not each letter is a search. */
const pauseMs = 250;

/** The list, by pages in order of registration. */
export async function usersView(app) {
  const view = fromTemplate("users");
  const list = { app, view, prefix: "", next: null, turn: 0, report: reporter(app) };
  wireSearch(list, view.querySelector("form"));
  wireButton(part(view, "more"), { act: () => showMore(list), report: list.report });
  wireButton(part(view, "tickets"), {
    act: async () => {
      const { showTickets } = await loadPart(() => import("./tickets.js"));
      // Not waited for: the button is not busy while the dialog is there.
      showTickets(app);
    },
    report: list.report,
  });
  const invite = part(view, "invite");
  if (app.facts.registration === "closed") invite.remove();
  invite.addEventListener("click", () => askInvitation(app));
  await find(list, "");
  return view;
}

/** Searches while somebody types. Unlike other forms it does not wait for an answer before it sends again. */
function wireSearch(list, form) {
  wireField(form.querySelector(".field"), "search");
  const state = { timer: 0 };
  const search = async () => {
    clearTimeout(state.timer);
    // Another view is shown by now.
    if (!list.view.isConnected) return;
    try {
      await find(list, form.elements.prefix.value);
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      list.report(error, problemText(error));
    }
  };
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    search();
  });
  form.addEventListener("input", () => {
    clearTimeout(state.timer);
    state.timer = setTimeout(search, pauseMs);
  });
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
  const forms = { one: "{count} user", other: "{count} users" };
  part(list.view, "total").textContent = translateCount(value.total, forms);
  return value.users;
}

function userRow(list, user) {
  const row = fromTemplate("user-row", { login: user.login, registered: formatDay(user.registered_at) });
  row.dataset.login = user.login;
  row.querySelector("ul").append(...user.groups.map((group) => textElement("li", group, "chip")));
  showUserState(row.querySelector(".state"), user);
  part(row, "manage").addEventListener("click", () => manage(list, user));
  return row;
}

/** Shows the dialog, then the row as it is after it. The focus stays about where it was. */
async function manage(list, user) {
  const dialog = new UserDialog(user, list.app);
  await dialog.show();
  // Another than before, when a search was answered meanwhile.
  const row = Array.from(list.view.querySelectorAll("tbody tr")).find(({ dataset }) => dataset.login === user.login);
  // The session has ended, and the list is gone; or the search was for others.
  if (row === undefined || !row.isConnected) return;
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

function askInvitation(app) {
  const dialog = fromTemplate("invite");
  const form = dialog.querySelector("form");
  wireForm(form, {
    id: "invite",
    act: async ({ login }) => {
      const body = { purpose: "register", ...login !== "" && { login } };
      const { value } = await send("POST", "ticket/", { body });
      showTicketLink(part(dialog, "link"), value);
    },
    onEnded: () => {
      dialog.close();
      app.end();
    },
  });
  showDialog(dialog);
}
