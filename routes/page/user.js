/** The dialog about one user for administrators: groups, sessions, access, deletion. */

import { send, userPath } from "./api.js";
import { showDialog } from "./dialog.js";
import { wireButton, wireForm } from "./form.js";
import { GroupField } from "./group_field.js";
import { formatDay, translate } from "./language.js";
import { problemText } from "./problem.js";
import { SessionList } from "./sessions.js";
import { fromTemplate, part } from "./template.js";
import { showTicketLink } from "./ticket_link.js";
import { showUserState } from "./users.js";

/** The dialog. */
export class UserDialog {
  /** The user as of the last response; `undefined` once deleted. */
  user;
  #login;
  #path;
  #etag;
  #app;
  #dialog;
  #groups;
  #sessions;

  constructor(user, app) {
    this.user = user;
    this.#login = user.login;
    this.#path = userPath(user.login);
    this.#app = app;
    this.#dialog = fromTemplate("user", { login: user.login, registered: formatDay(user.registered_at) });
    const form = this.#dialog.querySelector("form");
    this.#groups = new GroupField(form);
    wireForm(form, {
      id: "groups",
      act: () => this.#change({ groups: this.#groups.groups }, "The groups are saved."),
      onEnded: () => this.#leave(),
    });
    this.#sessions = new SessionList(this.#dialog, {
      login: user.login,
      report: (...reported) => this.#report(...reported),
    });
    this.#wire("disable", () => this.#disable());
    this.#wire("enable", () => this.#enable());
    this.#wire("end-all", () => this.#endAll());
    this.#wire("reset", () => this.#makeResetLink());
    this.#wire("delete", () => this.#delete());
  }

  /** Shows the dialog. @returns a promise that resolves when it is closed */
  async show() {
    const closed = showDialog(this.#dialog);
    try {
      await this.#load();
      await this.#sessions.show();
    } catch (error) {
      this.#report(error, problemText(error));
    }
    await closed;
  }

  #wire(name, act) {
    wireButton(part(this.#dialog, name), { act, report: (...reported) => this.#report(...reported) });
  }

  /** The user as of now, not as of the list: a change must not undo that of another administrator. */
  async #load() {
    const { value, etag } = await send("GET", this.#path);
    this.#showUser(value, etag);
  }

  async #change(body, text) {
    // The message of the last change would contradict an error of this one.
    this.#dialog.querySelector(".message").textContent = "";
    try {
      const { value, etag } = await send("PATCH", this.#path, { body, etag: this.#etag });
      this.#showUser(value, etag);
    } catch (error) {
      if (error.code === "precondition-failed") await this.#load();
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
    this.#groups.groups = user.groups;
    showUserState(this.#dialog.querySelector(".state"), user);
    part(this.#dialog, "disable").hidden = user.disabled;
    part(this.#dialog, "enable").hidden = !user.disabled;
  }

  #report(problem, text) {
    if (problem?.code === "not-authenticated") return this.#leave();
    const message = this.#dialog.querySelector(".message");
    message.textContent = text;
    message.scrollIntoView({ block: "nearest" });
  }

  #leave() {
    this.#dialog.close();
    this.#app.end();
  }
}

/** Runs `act`. If it needs a fresh login, asks for the password and runs it again. */
async function withFreshLogin(act, login) {
  try {
    return await act();
  } catch (error) {
    if (error.code !== "login-again" || !await logInAgain(login)) throw error;
    return await act();
  }
}

/** @returns whether the user has logged in */
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

/** The second step. @returns whether the user is deleted */
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
