/** The dialog about one user for administrators: groups, sessions, factors, access, deletion. */

import { send, userPath } from "./api.js";
import { ask } from "./ask.js";
import { showDialog } from "./dialog.js";
import { wireButton, wireForm } from "./form.js";
import { GroupField } from "./group_field.js";
import { formatDay, translate } from "./language.js";
import { codesLeftText, problemText } from "./problem.js";
import { SessionList } from "./sessions.js";
import { withRecentLogin } from "./step_up.js";
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
      onEnded: () => this.#app.end(),
    });
    this.#sessions = new SessionList(this.#dialog, {
      login: user.login,
      report: (...reported) => this.#report(...reported),
    });
    this.#wire("disable", () => this.#disable());
    this.#wire("enable", () => this.#enable());
    this.#wire("end-all", () => this.#endAll());
    this.#wire("remove-factors", () => this.#removeFactors());
    this.#wire("reset", () => this.#makeResetLink());
    this.#wire("delete", () => this.#delete());
  }

  /** Shows the dialog. @returns a promise that resolves when it is closed */
  async show() {
    const closed = showDialog(this.#dialog);
    try {
      await this.#load();
      await Promise.all([this.#sessions.show(), this.#showFactors()]);
    } catch (error) {
      this.#report(error, problemText(error));
    }
    await closed;
  }

  #wire(name, act) {
    wireButton(part(this.#dialog, name), { act, report: (...reported) => this.#report(...reported) });
  }

  /** Runs `act` after a recent login of the administrator. */
  #withRecentLogin(act) {
    return withRecentLogin(act, this.#app.session.login);
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
      const change = () => send("PATCH", this.#path, { body, etag: this.#etag });
      const { value, etag } = await this.#withRecentLogin(change);
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
    const { value } = await this.#withRecentLogin(make);
    showTicketLink(part(this.#dialog, "link"), value);
  }

  /** Says what the user has beside the password. */
  async #showFactors() {
    const { value } = await send("GET", `${this.#path}/credential/`);
    const count = (kind) => value.credentials.filter((credential) => credential.kind === kind).length;
    const texts = [
      count("passkey") > 0 && translate("Passkeys: {count}", { count: count("passkey") }),
      count("totp") > 0 && translate("Authenticator app"),
      value.recovery_codes_left > 0 && codesLeftText(value.recovery_codes_left),
      count("app-password") > 0 && translate("App passwords: {count}", { count: count("app-password") }),
    ];
    const shown = texts.filter(Boolean);
    part(this.#dialog, "factors").textContent = shown.join(" · ") || translate("None.");
    part(this.#dialog, "remove-factors").hidden = shown.length === 0;
  }

  async #removeFactors() {
    const isDone = await ask({
      title: translate("Remove the factors of {login}?", { login: this.#login }),
      text: translate("The user then logs in with the password alone. Make sure that it is the user who asks for it."),
      action: translate("Remove"),
      isDanger: true,
      act: () => this.#withRecentLogin(() => send("DELETE", `${this.#path}/credential/`)),
      onEnded: () => this.#app.end(),
    });
    if (!isDone) return;
    await this.#showFactors();
    this.#report(undefined, translate("The factors are removed."));
    // The button is hidden now.
    part(this.#dialog, "factors").focus();
  }

  /** The second step. */
  async #delete() {
    const isDone = await ask({
      title: translate("Delete {login}?", { login: this.#login }),
      text: translate("The account with its sessions is deleted. This cannot be undone."),
      action: translate("Delete"),
      isDanger: true,
      act: () => this.#withRecentLogin(() => send("DELETE", this.#path)),
      onEnded: () => this.#app.end(),
    });
    if (!isDone) return;
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
    if (problem?.code === "not-authenticated") return this.#app.end();
    const message = this.#dialog.querySelector(".message");
    message.textContent = text;
    message.scrollIntoView({ block: "nearest" });
  }
}
