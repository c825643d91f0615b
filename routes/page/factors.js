/**
 * The sections of the account about passkeys, the authenticator app, recovery codes and app passwords.
 *
 * The service keeps all of them as credentials, which differ in their `kind`.
 */

import { send, userPath } from "./api.js";
import { ask } from "./ask.js";
import { deviceName } from "./device.js";
import { showDialog } from "./dialog.js";
import { wireButton } from "./form.js";
import { formatMoment, translate } from "./language.js";
import { createPasskey, hasPasskeys } from "./passkey.js";
import { codesLeftText } from "./problem.js";
import { showRecoveryCodes } from "./recovery_codes.js";
import { showOnce } from "./shown_once.js";
import { withRecentLogin } from "./step_up.js";
import { fromTemplate, part } from "./template.js";
import { setUpTotp } from "./totp_setup.js";

/** What is said of each kind: when it is deleted, and afterwards. */
const deletions = {
  "passkey": ["It does not log you in any more. Delete it on your device too.", "The passkey is deleted."],
  "totp": ["The login does not ask for its codes any more.", "The authenticator app is removed."],
  "app-password": ["Programs that use it have no access any more.", "The app password is deleted."],
};

/** The sections. */
export class FactorSections {
  element = fromTemplate("factors");
  #credentials = [];
  #codesLeft = 0;
  #app;
  #report;
  #onSetUp;

  /** @param options `report`: see `reporter`; `onSetUp` runs when there is a new second factor */
  constructor({ app, report, onSetUp }) {
    this.#app = app;
    this.#report = report;
    this.#onSetUp = onSetUp;
    this.#section("app-password").hidden = onSetUp !== undefined;
    part(this.element, "no-passkeys").hidden = hasPasskeys;
    part(this.element, "add-passkey").hidden = !hasPasskeys;
    for (
      const [name, act] of Object.entries({
        "add-passkey": () => this.#addPasskey(),
        "add-totp": () => this.#addTotp(),
        "make-codes": () => this.#makeCodes(),
        "add-app-password": () => this.#addAppPassword(),
      })
    ) wireButton(part(this.element, name), { act, report });
  }

  /** The second factors that the user has, as the service names them. */
  get methods() {
    const kinds = ["passkey", "totp"].filter((kind) => this.#of(kind).length > 0);
    return kinds.length > 0 && this.#codesLeft > 0 ? [...kinds, "recovery"] : kinds;
  }

  /** Loads and shows the credentials. */
  async load() {
    const { value } = await send("GET", this.#path("/credential/"));
    this.#credentials = value.credentials;
    this.#codesLeft = value.recovery_codes_left;
    for (const kind of Object.keys(deletions)) {
      const list = this.#section(kind).querySelector("ul");
      list.tabIndex = -1;
      list.replaceChildren(...this.#of(kind).map((credential) => this.#item(credential)));
    }
    // The last one cannot be deleted where it is required, but replaced.
    part(this.element, "add-totp").textContent = translate(this.#of("totp").length > 0 ? "Replace…" : "Set up…");
    this.#section("recovery").hidden = this.methods.length === 0;
    part(this.element, "left").textContent = codesLeftText(this.#codesLeft);
  }

  #of(kind) {
    return this.#credentials.filter((credential) => credential.kind === kind);
  }

  #section(kind) {
    return this.element.querySelector(`[data-kind="${kind}"]`);
  }

  #path(below) {
    return userPath(this.#app.session.login, below);
  }

  #item(credential) {
    const { kind, created_at, last_used_at } = credential;
    const name = kind === "totp" ? translate("Authenticator app") : credential.name;
    const item = fromTemplate("credential", { name, created: formatMoment(created_at) });
    item.dataset.id = credential.id;
    part(item, "used").textContent = last_used_at === null
      ? translate("Not used yet")
      : translate("Last used {used}", { used: formatMoment(last_used_at) });
    const rename = part(item, "rename");
    // The heading names it.
    if (kind === "totp") { for (const element of [rename, item.querySelector("strong")]) element.remove(); }
    wireButton(rename, { act: () => this.#rename(credential), report: this.#report });
    wireButton(part(item, "remove"), { act: () => this.#delete(credential, { name, item }), report: this.#report });
    return item;
  }

  /** Runs `act` after a recent login. */
  #withRecentLogin(act) {
    return withRecentLogin(act, this.#app.session.login);
  }

  #ask(options) {
    return ask({ ...options, onEnded: () => this.#app.end() });
  }

  async #addPasskey() {
    const added = {};
    const add = async (name) => {
      const { value: options } = await send("POST", this.#path("/passkey/options/"));
      const passkey = await createPasskey(options);
      const { value } = await send("POST", this.#path("/passkey/"), { body: { name, passkey } });
      added.codes = value.recovery_codes;
    };
    const isDone = await this.#ask({
      title: translate("Add a passkey"),
      text: translate("Give it a name that tells you later where it is."),
      action: translate("Add passkey"),
      name: deviceName(navigator.userAgent),
      act: ({ name }) => this.#withRecentLogin(() => add(name)),
    });
    if (isDone) await this.#showAdded(added, "The passkey is added.");
  }

  async #addTotp() {
    const { value: setup } = await this.#withRecentLogin(() => send("POST", this.#path("/totp/setup/")));
    const confirm = async (code) => {
      const { value } = await send("POST", this.#path("/totp/"), { body: { setup_token: setup.setup_token, code } });
      return { codes: value.recovery_codes };
    };
    const added = await setUpTotp(setup, { confirm, onEnded: () => this.#app.end() });
    if (added !== undefined) await this.#showAdded(added, "The authenticator app is set up.");
  }

  /** Shows the recovery codes that came with the first second factor, and goes on. */
  async #showAdded({ codes }, text) {
    if (codes !== undefined) await this.#showCodes(codes);
    if (this.#onSetUp !== undefined) return await this.#onSetUp();
    await this.load();
    this.#report(undefined, translate(text));
  }

  #showCodes(codes) {
    return showRecoveryCodes(codes, this.#app.session.login);
  }

  async #makeCodes() {
    const made = {};
    const isDone = await this.#ask({
      title: translate("Make new recovery codes?"),
      text: translate("The old codes become invalid."),
      action: translate("Make new codes"),
      act: () =>
        this.#withRecentLogin(async () => {
          const { value } = await send("POST", this.#path("/recovery-code/"));
          made.codes = value.recovery_codes;
        }),
    });
    if (!isDone) return;
    await this.#showCodes(made.codes);
    await this.load();
  }

  async #addAppPassword() {
    const made = {};
    const isDone = await this.#ask({
      title: translate("Make an app password"),
      text: translate("Give it the name of the program that will use it."),
      action: translate("Make password"),
      name: "",
      act: ({ name }) =>
        this.#withRecentLogin(async () => {
          made.password = (await send("POST", this.#path("/app-password/"), { body: { name } })).value.password;
        }),
    });
    if (!isDone) return;
    const dialog = fromTemplate("app-password");
    const closed = showDialog(dialog);
    showOnce(part(dialog, "secret"), {
      value: made.password,
      label: translate("App password"),
      hint: translate("The password is shown only now. Use it with the login {login}.", this.#app.session),
      action: translate("Copy password"),
    });
    await closed;
    await this.load();
  }

  async #rename({ id, name: old }) {
    const isDone = await this.#ask({
      title: translate("Rename {name}", { name: old }),
      text: "",
      action: translate("Rename"),
      name: old,
      act: ({ name }) =>
        this.#withRecentLogin(() => send("PATCH", this.#path(`/credential/${id}`), { body: { name } })),
    });
    if (!isDone) return;
    await this.load();
    // The dialog gave the focus back to a button that is replaced.
    this.element.querySelector(`[data-id="${id}"] button`).focus();
  }

  async #delete({ id, kind }, { name, item }) {
    const [text, outcome] = deletions[kind];
    const isDone = await this.#ask({
      title: translate("Delete {name}?", { name }),
      text: translate(text),
      action: translate("Delete"),
      isDanger: true,
      act: () => this.#withRecentLogin(() => send("DELETE", this.#path(`/credential/${id}`))),
    });
    if (!isDone) return;
    const neighbour = (item.nextElementSibling ?? item.previousElementSibling)?.dataset.id;
    await this.load();
    this.#report(undefined, translate(outcome));
    const place = this.element.querySelector(`[data-id="${neighbour}"] [name=remove]`);
    (place ?? this.#section(kind).querySelector("ul")).focus();
  }
}
