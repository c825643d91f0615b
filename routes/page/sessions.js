/** The list of a user's sessions, page by page. Each of them can be ended. */

import { send, userPath } from "./api.js";
import { deviceName } from "./device.js";
import { wireButton } from "./form.js";
import { formatMoment, translate } from "./language.js";
import { fromTemplate, part, textElement } from "./template.js";

const pageSize = 50;

/** What has proved the user. */
const factorTexts = {
  "password": "Password",
  "passkey": "Passkey",
  "totp": "One-time code",
  "recovery": "Recovery code",
};

/** The list `.sessions` of a view, and its button `more-sessions`. */
export class SessionList {
  #list;
  #more;
  #path;
  #report;
  /** The cursor of the next page; `null` after the last one. */
  #next = null;

  /** @param report shows the outcome: see `reporter` */
  constructor(view, { login, report }) {
    this.#list = view.querySelector(".sessions");
    this.#list.tabIndex = -1;
    this.#more = part(view, "more-sessions");
    this.#path = userPath(login, "/session/");
    this.#report = report;
    wireButton(this.#more, { act: () => this.#showMore(), report });
  }

  /** Loads and shows the first page. */
  async show() {
    const items = await this.#load("");
    this.#list.replaceChildren(...items);
    this.#showNone();
  }

  async #showMore() {
    const items = await this.#load(this.#next);
    this.#list.append(...items);
    // The button is hidden after the last page.
    if (this.#next === null) (items[0]?.querySelector("button") ?? this.#list).focus();
  }

  /** Loads one page: the current session first, then the latest. */
  async #load(after) {
    const { value } = await send("GET", `${this.#path}?${new URLSearchParams({ limit: pageSize, after })}`);
    this.#next = value.next;
    this.#more.hidden = value.next === null;
    const sorted = [...value.sessions].sort((a, b) =>
      b.current - a.current || (a.last_seen_at < b.last_seen_at ? 1 : -1)
    );
    return sorted.map((session) => this.#item(session));
  }

  #item(session) {
    const device = deviceName(session.user_agent);
    const item = fromTemplate("session", {
      device,
      address: session.address,
      created: formatMoment(session.created_at),
      factors: session.factors.map((factor) => translate(factorTexts[factor] ?? factor)).join(", "),
      seen: formatMoment(session.last_seen_at),
      sites: session.sites.map((origin) => new URL(origin).host).join(", "),
    });
    if (session.sites.length === 0) part(item, "sites").remove();
    item.querySelector("strong").textContent = device;
    item.querySelector("strong").title = session.user_agent;
    const button = part(item, "end");
    if (session.current) {
      item.querySelector(".chip").hidden = false;
      button.remove();
    }
    wireButton(button, { act: () => this.#end(session, item), report: this.#report });
    return item;
  }

  async #end(session, item) {
    await send("DELETE", this.#path + session.id);
    const neighbour = item.nextElementSibling ?? item.previousElementSibling;
    item.remove();
    // When the last item shown is gone, the next page may have more.
    if (this.#list.children.length === 0 && this.#next !== null) await this.#showMore();
    this.#showNone();
    this.#report(undefined, translate("The session has ended."));
    // The item had the focus.
    (neighbour?.querySelector("button") ?? this.#list).focus();
  }

  #showNone() {
    if (this.#list.children.length === 0) this.#list.append(textElement("li", translate("None."), "hint"));
  }
}
