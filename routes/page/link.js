/**
 * Links with a ticket: `#ticket=<code>` to register, `#reset=<code>` to set a password, either with `&login=`.
 *
 * What is behind the "#" is sent to no server, and leaves the address bar once it is read, so that it stays neither in
 * the history nor in a picture of the screen.
 */

/**
 * Browsers keep the fragment of the address that led here: with `next` it is that of the page wanted, and goes along in
 * `next`. Later ones are of this page, also after a reload.
 */
export function moveFragment() {
  const url = new URL(location.href);
  const next = url.searchParams.get("next");
  const [{ type }] = performance.getEntriesByType("navigation");
  if (next === null || url.hash === "" || type !== "navigate") return;
  if (!next.includes("#")) url.searchParams.set("next", next + url.hash);
  url.hash = "";
  history.replaceState(null, "", url);
}

/** What the address has of a link, which is taken out of it. @returns `undefined` when it has none */
export function takeLink() {
  const parameters = new URLSearchParams(location.hash.slice(1));
  const view = parameters.has("reset") ? "reset" : "register";
  const ticket = parameters.get("reset") ?? parameters.get("ticket");
  if (ticket === null) return undefined;
  history.replaceState(null, "", `#${view}`);
  return { view, ticket, login: parameters.get("login") ?? "" };
}

/** The link for a ticket that was just made. */
export function linkFor({ ticket, purpose, login }) {
  const parameters = new URLSearchParams({ [purpose === "reset" ? "reset" : "ticket"]: ticket });
  if (login !== undefined) parameters.set("login", login);
  const url = new URL(location.href);
  url.search = "";
  url.hash = String(parameters);
  return url.href;
}
