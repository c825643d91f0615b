/** The list of users for administrators: searched by login and group, sorted, and shown page by page. */

import { loadPart, Problem, send } from "./api.js";
import { showError, wireField } from "./field.js";
import { reporter, wireButton } from "./form.js";
import { addTexts, formatDay, translate, translateCount } from "./language.js";
import { fieldErrors, problemText } from "./problem.js";
import { fromTemplate, part, textElement } from "./template.js";

const pageSize = 50;
/** Long enough that a search does not follow each letter. */
const pauseMs = 250;

/** The list. */
export async function usersView(app) {
  const view = fromTemplate("users");
  const form = view.querySelector("form");
  const list = { app, view, form, searchCount: 0, shown: undefined, report: reporter(app) };
  wireSearch(list);
  wireButton(part(view, "more"), { act: () => showMore(list), report: list.report });
  wireButton(part(view, "tickets"), {
    act: async () => {
      const { showTickets } = await loadPart(() => import("./tickets.js"));
      // Not awaited: the button is not busy while the dialog is open.
      showTickets(app);
    },
    report: list.report,
  });
  const invite = part(view, "invite");
  if (app.facts.registration === "closed") invite.remove();
  wireButton(invite, {
    act: async () => (await loadPart(() => import("./invitation.js"))).showInvitation(app),
    report: list.report,
  });
  await find(list);
  return view;
}

/** Searches while the user types. Unlike other forms it sends again before the last response has come. */
function wireSearch(list) {
  for (const field of list.form.querySelectorAll(".field")) wireField(field, "search");
  const state = { timer: 0 };
  const search = async () => {
    clearTimeout(state.timer);
    // Another view may be shown by now.
    if (!list.view.isConnected) return;
    try {
      await find(list);
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      showProblem(list, error);
    }
  };
  list.form.addEventListener("submit", (event) => {
    event.preventDefault();
    search();
  });
  list.form.addEventListener("input", () => {
    clearTimeout(state.timer);
    state.timer = setTimeout(search, pauseMs);
  });
}

function showProblem(list, problem) {
  const errors = fieldErrors(problem);
  for (const { name, text } of errors) showError(list.form.elements.namedItem(name), text);
  if (errors.length === 0) list.report(problem, problemText(problem));
}

/** The parameters of the query. Capitals are accepted where groups are typed; the service accepts none. */
function conditionsOf({ contains, group, sort }) {
  const values = { contains: contains.value.trim(), group: group.value.trim().toLowerCase(), sort: sort.value };
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== ""));
}

async function find(list) {
  const search = ++list.searchCount;
  const conditions = conditionsOf(list.form.elements);
  const page = await load(conditions);
  // A later search has begun, and its response counts.
  if (search !== list.searchCount) return;
  showPage(list, { conditions, page });
  list.view.querySelector("tbody").replaceChildren(...page.users.map((user) => userRow(list, user)));
}

async function showMore(list) {
  const { shown } = list;
  const page = await load({ ...shown.conditions, after: shown.next });
  // A search has replaced the list meanwhile.
  if (list.shown !== shown) return;
  showPage(list, { conditions: shown.conditions, page });
  const rows = page.users.map((user) => userRow(list, user));
  list.view.querySelector("tbody").append(...rows);
  // The button may be hidden now.
  if (page.next === null) rows[0]?.querySelector("button").focus();
}

async function load(parameters) {
  const { value } = await send("GET", `user/?${new URLSearchParams({ limit: pageSize, ...parameters })}`);
  return value;
}

/** Notes what the list shows, which `showMore` continues: the fields may have other conditions by then. */
function showPage(list, { conditions, page: { next, total } }) {
  list.shown = { conditions, next };
  part(list.view, "more").hidden = next === null;
  const forms = { one: "{count} user", other: "{count} users" };
  part(list.view, "total").textContent = translateCount(total, forms);
}

function userRow(list, user) {
  const row = fromTemplate("user-row", { login: user.login, registered: formatDay(user.registered_at) });
  row.dataset.login = user.login;
  row.querySelector("ul").append(...user.groups.map((group) => textElement("li", group, "chip")));
  showUserState(row.querySelector(".state"), user);
  wireButton(part(row, "manage"), {
    act: async () => {
      const [{ UserDialog }] = await Promise.all([loadPart(() => import("./user.js")), addTexts("factors")]);
      // Not awaited, as above.
      manage(list, new UserDialog(user, list.app));
    },
    report: list.report,
  });
  return row;
}

/** Shows whether the account is disabled. */
export function showUserState(element, { disabled }) {
  element.textContent = translate(disabled ? "Disabled" : "Active");
  element.dataset.state = disabled ? "disabled" : "active";
}

/** Shows the dialog about a user, and then the row as the user is now. The focus stays about where it was. */
async function manage(list, dialog) {
  const { login } = dialog.user;
  await dialog.show();
  // A search may have replaced the row meanwhile.
  const row = Array.from(list.view.querySelectorAll("tbody tr")).find(({ dataset }) => dataset.login === login);
  // The session has ended and the list is gone, or the search was for others.
  if (row === undefined || !row.isConnected) return;
  const neighbour = row.nextElementSibling ?? row.previousElementSibling;
  if (dialog.user === undefined) {
    row.remove();
    neighbour?.querySelector("button").focus();
    return list.report(undefined, translate("{login} is deleted.", { login }));
  }
  const changed = userRow(list, dialog.user);
  row.replaceWith(changed);
  changed.querySelector("button").focus();
}
