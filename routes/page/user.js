/** What an administrator does about one user, in a dialog. */

import { send, userPath } from "./api.js";
import { showDialog } from "./dialog.js";
import { wireButton, wireForm } from "./form.js";
import { formatDay, translate } from "./language.js";
import { problemText } from "./problem.js";
import { SessionList } from "./sessions.js";
import { fromTemplate, part } from "./template.js";
import { showTicketLink } from "./ticket_link.js";

/** The dialog about one user. */
export class UserDialog {
  /** The user as they are; `undefined` when deleted. */
  user;
  #login;
  #path;
  #etag;
  #app;
  #dialog;
  #sessions;

  constructor(user, app) {
    this.user = user;
    this.#login = user.login;
    this.#path = userPath(user.login);
    this.#app = app;
    this.#dialog = fromTemplate("user", { login: user.login, registered: formatDay(user.registered_at) });
    wireForm(this.#dialog.querySelector("form"), {
      id: "groups",
      act: ({ groups }) =>
        this.#change({ groups: groups.toLowerCase().split(/[\s,]+/).filter(Boolean) }, "The groups are saved."),
      onEnded: () => this.#leave(),
    });
    this.#sessions = new SessionList(this.#dialog, {
      login: user.login,
      report: (...told) => this.#report(...told),
    });
    this.#does("disable", () => this.#disable());
    this.#does("enable", () => this.#enable());
    this.#does("end-all", () => this.#endAll());
    this.#does("reset", () => this.#makeResetLink());
    this.#does("delete", () => this.#delete());
  }

  /** Shows it. @returns a promise of its end */
  async show() {
    const closed = showDialog(this.#dialog);
    try {
      await this.#look();
      await this.#sessions.show();
    } catch (error) {
      this.#report(error, problemText(error));
    }
    await closed;
  }

  #does(name, act) {
    wireButton(part(this.#dialog, name), { act, report: (...told) => this.#report(...told) });
  }

  /** As the user is now, and not when the list was made: a change must not undo that of another administrator. */
  async #look() {
    const { value, etag } = await send("GET", this.#path);
    this.#showUser(value, etag);
  }

  async #change(body, text) {
    try {
      const { value, etag } = await send("PATCH", this.#path, { body, etag: this.#etag });
      this.#showUser(value, etag);
    } catch (error) {
      if (error.code === "precondition-failed") await this.#look();
      throw error;
    }
    await this.#sessions.show();
    this.#report(undefined, translate(text));
  }

  async #disable() {
    await this.#change({ disabled: true }, "The account is disabled, and its sessions have ended.");
    part(this.#dialog, "enable").focus();
  }

  async #enable() {
    await this.#change({ disabled: false }, "The account is enabled.");
    part(this.#dialog, "disable").focus();
  }

  async #endAll() {
    await send("DELETE", `${this.#path}/session/`);
    await this.#sessions.show();
    this.#report(undefined, translate("All sessions have ended."));
  }

  async #makeResetLink() {
    const make = () => send("POST", "ticket/", { body: { purpose: "reset", login: this.#login } });
    const { value } = await withFreshLogin(make, this.#app.session.login);
    showTicketLink(part(this.#dialog, "link"), value);
  }

  async #delete() {
    if (!await confirmDeletion(this.#login, { path: this.#path, onEnded: () => this.#leave() })) return;
    this.user = undefined;
    this.#dialog.close();
  }

  #showUser(user, etag) {
    this.user = user;
    this.#etag = etag;
    this.#dialog.querySelector("form").elements.groups.value = user.groups.join(" ");
    showUserState(this.#dialog.querySelector(".state"), user);
    part(this.#dialog, "disable").hidden = user.disabled;
    part(this.#dialog, "enable").hidden = !user.disabled;
  }

  #report(problem, text) {
    if (problem?.code === "not-authenticated") return this.#leave();
    this.#dialog.querySelector(".message").textContent = text;
  }

  #leave() {
    this.#dialog.close();
    this.#app.end();
  }
}

/** Says whether the account of a user is in use. */
export function showUserState(element, { disabled }) {
  element.textContent = translate(disabled ? "Disabled" : "Active");
  element.dataset.state = disabled ? "disabled" : "active";
}

/** Does what may need a fresh login: then the password is asked for, and it is done again. */
async function withFreshLogin(act, login) {
  try {
    return await act();
  } catch (error) {
    if (error.code !== "login-again" || !await logInAgain(login)) throw error;
    return await act();
  }
}

/** @returns whether it was done */
async function logInAgain(login) {
  const dialog = fromTemplate("log-in-again", { login });
  const state = { isDone: false };
  wireForm(dialog.querySelector("form"), {
    id: "log-in-again",
    act: async ({ password }) => {
      await send("POST", "session/", { body: { login, password, cookie: true } });
      state.isDone = true;
      dialog.close();
    },
  });
  await showDialog(dialog);
  return state.isDone;
}

/** The second step. @returns whether it was done */
async function confirmDeletion(login, { path, onEnded }) {
  const dialog = fromTemplate("delete-user", { login });
  const state = { isDone: false };
  wireForm(dialog.querySelector("form"), {
    id: "delete-user",
    act: async () => {
      await send("DELETE", path);
      state.isDone = true;
      dialog.close();
    },
    onEnded: () => {
      dialog.close();
      onEnded();
    },
  });
  await showDialog(dialog);
  return state.isDone;
}
