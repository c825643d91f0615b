/**
 * Links to the page that carry something in the fragment: `#ticket=<code>` to register and `#reset=<code>` to set a
 * password, either with `&login=<login>`; `#switch=<path>` to see a page of the site with another account.
 *
 * Fragments are not sent to servers. They are removed from the address bar as soon as they are read, so that codes stay
 * neither in the history nor in screenshots.
 */

/**
 * Moves the fragment into `next` if it belongs to the page wanted: browsers keep it over the redirect that led here,
 * also when that page was reloaded. A later fragment, also after a reload of this page, belongs to this page.
 */
export function moveFragment() {
  const url = new URL(location.href);
  const next = url.searchParams.get("next");
  const [{ type, redirectCount }] = performance.getEntriesByType("navigation");
  const isLedHere = type === "navigate" || redirectCount > 0;
  if (next === null || url.hash === "" || !isLedHere) return;
  if (!next.includes("#")) url.searchParams.set("next", next + url.hash);
  url.hash = "";
  history.replaceState(null, "", url);
}

/** Takes a link out of the address. @returns the view that it leads to, ticket and login; `undefined` without a link */
export function takeLink() {
  const parameters = new URLSearchParams(location.hash.slice(1));
  const wanted = parameters.get("switch");
  if (wanted) {
    history.replaceState(null, "", `?${new URLSearchParams({ next: wanted })}#log-in`);
    return { view: "log-in", ticket: "", login: "" };
  }
  // "#reset" alone names the view.
  const view = parameters.get("reset") ? "reset" : "register";
  const ticket = parameters.get("reset") || parameters.get("ticket");
  if (!ticket) return undefined;
  history.replaceState(null, "", `#${view}`);
  return { view, ticket, login: parameters.get("login") ?? "" };
}

/** Returns the link for a new ticket. */
export function linkFor({ ticket, purpose, login }) {
  const parameters = new URLSearchParams({ [purpose === "reset" ? "reset" : "ticket"]: ticket });
  if (login !== undefined) parameters.set("login", login);
  const url = new URL(location.href);
  url.search = "";
  url.hash = String(parameters);
  return url.href;
}
