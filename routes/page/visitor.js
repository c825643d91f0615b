/** What a visitor sees: logging in, registering, and setting a password by a ticket. */

import { Problem, send, userPath } from "./api.js";
import { invalid, wireForm } from "./form.js";
import { translate } from "./language.js";
import { problemText } from "./problem.js";
import { fromTemplate, part } from "./template.js";

/** Logging in. */
export function logInView(app) {
  const view = fromTemplate("log-in");
  wireForm(view.querySelector("form"), {
    id: "log-in",
    act: ({ login, password }) => logIn(app, { login, password }),
  });
  return view;
}

/** Registering, by a ticket where it needs one. */
export function registerView(app) {
  const { registration, passwordMinLength: minLength } = app.facts;
  const hasTicket = app.link?.view === "register";
  if (registration === "closed" && !hasTicket) return closedView(app);
  const view = fromTemplate("register", { minLength });
  const form = view.querySelector("form");
  const { login, ticket } = form.elements;
  const showTicket = () => {
    ticket.closest(".field").hidden = false;
    ticket.required = true;
    part(view, "have-ticket").hidden = true;
  };
  if (hasTicket || registration === "ticket") showTicket();
  part(view, "have-ticket").addEventListener("click", () => {
    showTicket();
    ticket.focus();
  });
  login.value = hasTicket ? app.link.login : "";
  ticket.value = hasTicket ? app.link.ticket : "";
  wireForm(form, {
    id: "register",
    act: async ({ login, password, ticket }) => {
      await send("POST", "user/", { body: { login, password, ...ticket !== "" && { ticket } } });
      await enter(app, { login, password }, "You are registered. Log in.");
    },
  });
  return view;
}

/** A new password for who has a ticket. */
export function resetView(app) {
  const view = fromTemplate("reset", { minLength: app.facts.passwordMinLength });
  const form = view.querySelector("form");
  if (app.link?.view === "reset") {
    form.elements.login.value = app.link.login;
    form.elements.ticket.value = app.link.ticket;
  }
  wireForm(form, {
    id: "reset",
    act: async ({ login, password, ticket }) => {
      // A path like ".." would be another one.
      if (!/^[a-z0-9]/i.test(login)) throw invalid([{ pointer: "/login", code: "invalid-characters" }]);
      await send("PUT", userPath(login, "/password"), { body: { ticket, password } });
      await enter(app, { login, password }, "The password is saved. Log in.");
    },
  });
  return view;
}

/** Where somebody else's link was opened. */
export function otherAccountView(app) {
  const view = fromTemplate("other-account", { login: app.session.login });
  part(view, "log-out").addEventListener("click", () => app.logOut({ view: app.link.view }));
  return view;
}

function closedView(app) {
  const view = fromTemplate("closed");
  part(view, "have-ticket").addEventListener("click", () => {
    app.link = { view: "register", ticket: "", login: "" };
    app.show();
  });
  return view;
}

async function logIn(app, { login, password }) {
  await send("POST", "session/", { body: { login, password, cookie: true } });
  await app.enter();
  // Until the page is gone the form stays busy.
  await new Promise(() => {});
}

/** Logs in whoever just set a password. What keeps them from it is not a fault of what they did. */
async function enter(app, credentials, notice) {
  try {
    await logIn(app, credentials);
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    app.link = undefined;
    app.go("log-in", `${translate(notice)} ${problemText(error)}`);
  }
}
