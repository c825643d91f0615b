/**
 * The frame of the page: which view is shown, for which session and in which language.
 *
 * A view is a function that makes an element from `app`. The fragment of the address names the view, so that Back
 * works. views.js has the views.
 */

import { findSession, Problem, send } from "./api.js";
import { wireButton } from "./form.js";
import { preferredLanguage, setLanguage, translate } from "./language.js";
import { wireLanguages } from "./language_switch.js";
import { moveFragment, takeLink } from "./link.js";
import { problemText } from "./problem.js";
import { fromTemplate, part } from "./template.js";
import { isOfVisitors, otherAccountView, viewsOf } from "./views.js";

const header = document.querySelector("header");
const slot = document.getElementById("view");
const notice = document.getElementById("notice");
const title = document.querySelector(".brand").textContent.trim();
const { registration, passwordMinLength, session, home } = document.body.dataset;
/** Counts the calls of `show`: a view that is ready after a later call is dropped. */
const shown = { count: 0 };

const app = {
  /** The settings that a visitor must know. */
  facts: { registration, passwordMinLength: Number(passwordMinLength) },
  /** The host to log in to, which a home has checked, and the address of the site: none where the page is at `/`. */
  site: {
    name: new URL(home && parameter("site") || location.href).host,
    url: location.pathname === "/" ? undefined : new URL("/", location.href).href,
  },
  /** Login and groups of the user who is logged in. */
  session: undefined,
  /** The login that waits for its second factor: what the service responded to the password, and the login. */
  waiting: undefined,
  /** Whether the session can only prove or set up a second factor. */
  needsFactor: false,
  /** The link that opened the page: see link.js. */
  link: undefined,
  /** The view that the end of the session interrupted: the next login leads back to it. */
  interrupted: undefined,
  show,
  go,
  enter,
  end,
  leave,
  logOut,
};

/** Returns a parameter that the service has read, to which `%73ite` is another name; `null` if it is absent. */
function parameter(name) {
  const [found] = new RegExp(`(?:^\\?|&)${name}=[^&]*`).exec(location.search) ?? [];
  return new URLSearchParams(found).get(name);
}

/** Returns the view that the address names, or else the default. */
function currentName() {
  const views = viewsOf(app);
  const named = location.hash.slice(1);
  return Object.hasOwn(views, named) ? named : Object.keys(views)[0];
}

/** Shows the view that the address names. */
async function show({ text = "", isFirst = false, isKept = false } = {}) {
  const name = currentName();
  const count = ++shown.count;
  slot.ariaBusy = "true";
  const element = await makeView(name);
  if (count !== shown.count) return close(element);
  slot.ariaBusy = null;
  if (!isKept) notice.textContent = text;
  showFrame(name);
  // An open dialog belongs to the view that is replaced, also if the session has ended in it.
  for (const dialog of document.querySelectorAll("dialog")) dialog.close();
  close(slot.firstElementChild);
  slot.replaceChildren(element);
  const heading = element.querySelector("h1");
  document.title = `${heading.textContent} · ${title}`;
  heading.tabIndex = -1;
  // Keyboard and screen reader continue here. At the first view the browser starts at the top by itself.
  if (!isFirst) (element.querySelector("[autofocus]:not([disabled])") ?? heading).focus();
}

/** Lets a view release what it holds. */
function close(view) {
  view?.dispatchEvent(new Event("leave"));
}

async function makeView(name) {
  try {
    const isForOther = app.session !== undefined && app.link !== undefined && location.hash === `#${app.link.view}`;
    const makeIt = await (isForOther ? otherAccountView : viewsOf(app)[name])();
    return await makeIt(app);
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    if (error.code === "second-factor-required" && !app.needsFactor) {
      app.needsFactor = true;
      return makeView(currentName());
    }
    if (error.code !== "not-authenticated") return failureView(error);
    // Shows another view, so that this one comes too late.
    end();
    return undefined;
  }
}

/** Goes to a view, with a message above it. */
function go(name, text = "") {
  history.pushState(null, "", `${location.pathname}${location.search}#${name}`);
  return show({ text });
}

/**
 * Continues after a login: at the page that `next` names, at the view that was wanted or interrupted, at the site, or
 * at the account.
 *
 * @throws {Problem} if the browser has not stored the session's cookie: a reload would show the form again
 */
async function enter() {
  if (await findSession() === undefined) throw new Problem({ code: isSecureContext ? "no-cookie" : "no-https" });
  const { pathname, search, hash } = location;
  const hasView = hash !== "" && !isOfVisitors(hash.slice(1));
  const hasAim = hasView || app.interrupted !== undefined || parameter("next") !== null;
  if (!hasAim && app.site.url !== undefined) location.replace(app.site.url);
  else {
    const view = app.interrupted === undefined ? "" : `#${app.interrupted}`;
    if (!hasView) history.replaceState(null, "", pathname + search + view);
    location.reload();
  }
  // What led here stays busy until the next page replaces this one.
  await new Promise(() => {});
}

/** The session has ended by itself: back to the login, which leads to the present view again. */
function end() {
  if (app.session !== undefined) app.interrupted = currentName();
  return leave(translate("Your session has ended. Log in again."));
}

/** The user has ended the session: back to the login. */
function leave(text, { view = "log-in" } = {}) {
  app.session = undefined;
  return go(view, text);
}

async function logOut({ view } = {}) {
  try {
    await send("DELETE", "session/");
  } catch (error) {
    // A session that has ended already is what was wanted.
    if (error.code !== "not-authenticated") return show({ text: problemText(error) });
  }
  leave(translate("You are logged out."), { view });
}

/**
 * Shows a problem in the place of a view. The page is loaded again only once the service responds: loaded earlier, it
 * would be lost.
 */
function failureView(problem) {
  const view = fromTemplate("failure", { text: problemText(problem) });
  wireButton(part(view, "again"), {
    act: async () => {
      await findSession();
      location.reload();
    },
    report: (_problem, text) => part(view, "text").textContent = text,
  });
  return view;
}

/** Shows what a session has around the view: navigation, logout, and the link to the API. */
function showFrame(current) {
  header.replaceChildren(header.firstElementChild);
  document.getElementById("api").hidden = app.session === undefined;
  if (app.session === undefined) return;
  const views = Object.keys(viewsOf(app));
  if (views.length > 1) header.append(navigation(views, current));
  const button = fromTemplate("log-out");
  button.addEventListener("click", () => logOut());
  header.append(button);
}

function navigation(views, current) {
  const element = fromTemplate("navigation");
  for (const link of element.querySelectorAll("a")) {
    const name = link.hash.slice(1);
    if (!views.includes(name)) link.remove();
    if (name === current) link.setAttribute("aria-current", "page");
  }
  return element;
}

/** Sets the preferred language; English if its texts cannot be loaded. */
async function startLanguage() {
  try {
    await setLanguage(preferredLanguage());
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
  }
  wireLanguages({
    showAgain: () => show({ isFirst: true, isKept: true }),
    tell: (text) => notice.textContent = text,
  });
}

/** Reports an unexpected error: above the view, or in its place if it never came. */
function showUnexpected() {
  const problem = new Problem({ code: "page-failed" });
  const hasView = slot.ariaBusy !== "true" && slot.querySelector("h1") !== null;
  slot.ariaBusy = null;
  if (hasView) notice.textContent = problemText(problem);
  else slot.replaceChildren(failureView(problem));
}

/** Whether the guard has led here, as the page that `next` names requires a second factor, and the session has none. */
function isFactorWanted() {
  return parameter("need") === "second-factor" &&
    !app.session?.factors.some((factor) => ["passkey", "totp", "recovery"].includes(factor));
}

/** Whether the guard has led here because the session has ended. */
function isLoginAgain() {
  return app.session === undefined && parameter("why") === "ended";
}

async function start() {
  addEventListener("error", showUnexpected);
  addEventListener("unhandledrejection", showUnexpected);
  await startLanguage();
  moveFragment();
  app.link = takeLink();
  addEventListener("hashchange", () => {
    app.link = takeLink() ?? app.link;
    show();
  });
  // Restored by Back, the page may show data of a session that has ended since.
  addEventListener("pageshow", ({ persisted }) => persisted && location.reload());
  try {
    // The server says whether there is a session, so a visitor's page does not ask.
    if (session === "live") app.session = await findSession();
    app.needsFactor = isFactorWanted();
  } catch (error) {
    return slot.replaceChildren(failureView(error));
  }
  await show({ isFirst: true, text: isLoginAgain() ? translate("Your session has ended. Log in again.") : "" });
}

await start();
