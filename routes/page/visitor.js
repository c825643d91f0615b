/** The views of a visitor: login, registration, and a new password by a ticket. */

import { Problem, send, userPath } from "./api.js";
import { invalid, wireForm } from "./form.js";
import { translate } from "./language.js";
import { hasPasskeys, PasskeyOffer, passkeyOptions, usePasskey } from "./passkey.js";
import { problemText } from "./problem.js";
import { fromTemplate, part } from "./template.js";

/** Makes the view to log in: with the password, or with a passkey by a button or the list of the field `login`. */
export function logInView(app) {
  const view = fromTemplate("log-in", { site: app.site.name });
  const form = view.querySelector("form");
  const byPasskey = part(view, "method");
  byPasskey.hidden = !hasPasskeys;
  const chosen = { passkey: undefined };
  const offer = new PasskeyOffer({
    getOptions: passkeyOptions,
    onChosen(passkey) {
      chosen.passkey = passkey;
      form.requestSubmit(byPasskey);
    },
  });
  wireForm(form, {
    id: "log-in",
    act: async ({ login, password, method }) => {
      if (method !== "passkey") return await logIn(app, { login, password });
      offer.stop();
      try {
        await logInByPasskey(app, chosen.passkey ?? await usePasskey(await passkeyOptions()));
      } finally {
        chosen.passkey = undefined;
        offer.start();
      }
    },
  });
  view.addEventListener("leave", () => offer.stop());
  offer.start();
  return view;
}

/** Makes the view to register. A link has filled in the ticket, so the field is shown only without one. */
export function registerView(app) {
  const { registration, passwordMinLength: minLength } = app.facts;
  const link = app.link?.view === "register" ? app.link : undefined;
  if (registration === "closed" && link === undefined) return closedView(app);
  const view = fromTemplate("register", { minLength, site: app.site.name });
  const form = view.querySelector("form");
  const { login, ticket } = form.elements;
  login.value = link?.login ?? "";
  ticket.value = link?.ticket ?? "";
  const isInvited = ticket.value !== "";
  part(view, "invitation").hidden = !isInvited;
  part(view, "have-ticket").hidden = isInvited;
  const showTicket = () => {
    ticket.closest(".field").hidden = false;
    ticket.required = true;
    part(view, "have-ticket").hidden = true;
  };
  if (!isInvited && (registration !== "open" || link !== undefined)) showTicket();
  part(view, "have-ticket").addEventListener("click", () => {
    showTicket();
    ticket.focus();
  });
  wireForm(form, {
    id: "register",
    act: async ({ login, password, ticket }) => {
      const body = { login, password, ...ticket !== "" && { ticket } };
      await withTicket(() => send("POST", "user/", { body }), showTicket);
      await enter(app, { login, password }, "You are registered. Log in.");
    },
  });
  return view;
}

/** Makes the view to set a new password. */
export function resetView(app) {
  const view = fromTemplate("reset", { minLength: app.facts.passwordMinLength, site: app.site.name });
  const form = view.querySelector("form");
  const link = app.link?.view === "reset" ? app.link : undefined;
  form.elements.login.value = link?.login ?? "";
  form.elements.ticket.value = link?.ticket ?? "";
  const showTicket = (isShown = true) => form.elements.ticket.closest(".field").hidden = !isShown;
  showTicket(link === undefined);
  part(view, "invitation").hidden = link === undefined;
  part(view, "advice").hidden = link !== undefined;
  wireForm(form, {
    id: "reset",
    act: async ({ login, password, ticket }) => {
      // In a path, a login such as ".." would name another resource.
      if (!/^[a-z0-9]/i.test(login)) throw invalid([{ pointer: "/login", code: "invalid-characters" }]);
      const body = { ticket, password };
      await withTicket(() => send("PUT", userPath(login, "/password"), { body }), showTicket);
      await enter(app, { login, password }, "The password is saved. Log in.");
    },
  });
  return view;
}

/** Makes the view of a link that was opened while another user is logged in. */
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

/** Shows the field of the ticket if the service refuses that. */
async function withTicket(act, showTicket) {
  try {
    await act();
  } catch (error) {
    if (error.code === "ticket-invalid") showTicket();
    throw error;
  }
}

async function logInByPasskey(app, passkey) {
  await send("POST", "session/passkey/", { body: { passkey, cookie: true } });
  await app.enter();
}

/** Logs in with the password. A user with a second factor is asked for it. */
async function logIn(app, { login, password }) {
  const { value } = await send("POST", "session/", { body: { login, password, cookie: true } });
  if (value.login_token === undefined) return await app.enter();
  app.waiting = { ...value, login };
  await app.go("second-factor");
}

/** Logs in after the password was set. A failure does not concern the form that was sent, so the login shows it. */
async function enter(app, credentials, notice) {
  try {
    await logIn(app, credentials);
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    app.link = undefined;
    app.go("log-in", `${translate(notice)} ${problemText(error)}`);
  }
}
