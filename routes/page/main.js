/**
 * The page: whose it is, which of its views is shown, and in which language.
 *
 * A view is a function that makes an element of what `app` knows. The address has its name behind the "#", so that
 * "back" works. What only users see is loaded when there is one.
 */

import { findSession, loadPart, Problem, send } from "./api.js";
import { wireButton } from "./form.js";
import { addTexts, preferredLanguage, setLanguage, translate } from "./language.js";
import { wireLanguages } from "./language_switch.js";
import { moveFragment, takeLink } from "./link.js";
import { problemText } from "./problem.js";
import { fromTemplate, part } from "./template.js";
import { logInView, otherAccountView, registerView, resetView } from "./visitor.js";

const visitorViews = { "log-in": logInView, "register": registerView, "reset": resetView };
const userViews = { account: async () => (await loadPart(() => import("./account.js"))).accountView };
const adminViews = {
  users: async () => (await loadAdmin(() => import("./users.js"))).usersView,
  settings: async () => (await loadAdmin(() => import("./settings.js"))).settingsView,
  state: async () => (await loadAdmin(() => import("./status.js"))).stateView,
};

const slot = document.getElementById("view");
const notice = document.getElementById("notice");
const { registration, passwordMinLength, session } = document.body.dataset;
/** Counts what was to be shown: what comes too late is not. */
const shown = { count: 0 };

const app = {
  /** The settings that a visitor must know. */
  facts: { registration, passwordMinLength: Number(passwordMinLength) },
  /** Who is logged in: login and groups. */
  session: undefined,
  /** What the link said that the page was opened by. */
  link: undefined,
  show,
  go,
  enter,
  end,
  logOut,
};

/** The views that there are for who asks, the first being the one to begin with. */
function viewsOf({ session }) {
  if (session === undefined) return visitorViews;
  return session.groups.includes("admin") ? { ...userViews, ...adminViews } : userViews;
}

/** Shows the view that the address names. */
async function show({ text = "", isFirst = false, isKept = false } = {}) {
  const views = viewsOf(app);
  const named = location.hash.slice(1);
  const name = Object.hasOwn(views, named) ? named : Object.keys(views)[0];
  const count = ++shown.count;
  slot.ariaBusy = "true";
  const element = await makeView(views, name);
  if (count !== shown.count) return leave(element);
  slot.ariaBusy = null;
  if (!isKept) notice.textContent = text;
  showNavigation(name);
  // A dialog is about what is shown no more.
  for (const dialog of document.querySelectorAll("dialog")) dialog.close();
  leave(slot.firstElementChild);
  slot.replaceChildren(element);
  const heading = element.querySelector("h1");
  document.title = `${heading.textContent} · Gatehouse`;
  heading.tabIndex = -1;
  // Whoever goes on by keyboard or hears the page goes on from here. At first the browser begins at the top by itself.
  if (!isFirst) heading.focus();
}

/** What a view holds it lets go: nobody sees it any more. */
function leave(view) {
  view?.dispatchEvent(new Event("leave"));
}

async function makeView(views, name) {
  try {
    if (app.session === undefined) return views[name](app);
    if (app.link !== undefined && location.hash === `#${app.link.view}`) return otherAccountView(app);
    const makeIt = await views[name]();
    return await makeIt(app);
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    if (error.code !== "not-authenticated") return failureView(error);
    // Shows another view, so that this one comes too late.
    end();
    return undefined;
  }
}

/** Loads a view of the administrators, and its texts. */
async function loadAdmin(load) {
  const [module] = await Promise.all([loadPart(load), addTexts("admin")]);
  return module;
}

/** Goes to a view, with something to say. */
function go(name, text = "") {
  history.pushState(null, "", `${location.pathname}${location.search}#${name}`);
  return show({ text });
}

/**
 * There is a session now, and the page is loaded again: the service leads on to where `next` says, or shows this page.
 *
 * @throws {Problem} the browser does not keep the session: it would show the form again, without a word
 */
async function enter() {
  if (await findSession() === undefined) throw new Problem({ code: isSecureContext ? "no-cookie" : "no-https" });
  const isVisitors = Object.hasOwn(visitorViews, location.hash.slice(1));
  if (isVisitors) history.replaceState(null, "", location.pathname + location.search);
  location.reload();
}

/** The session is over: back to the gate. */
function end(text = translate("Your session has ended. Log in again.")) {
  app.session = undefined;
  return go("log-in", text);
}

async function logOut({ view = "log-in" } = {}) {
  try {
    await send("DELETE", "session/");
  } catch (error) {
    // It has ended already, which is what was wanted.
    if (error.code !== "not-authenticated") return show({ text: problemText(error) });
  }
  app.session = undefined;
  go(view, translate("You are logged out."));
}

/**
 * What is shown in the place of a view. The page is loaded again once the service is there: before, it would be gone.
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

function showNavigation(current) {
  document.querySelector("nav")?.remove();
  if (app.session === undefined) return;
  const navigation = fromTemplate("navigation");
  const views = viewsOf(app);
  for (const link of navigation.querySelectorAll("a")) {
    const name = link.hash.slice(1);
    if (!Object.hasOwn(views, name)) link.remove();
    if (name === current) link.setAttribute("aria-current", "page");
  }
  part(navigation, "log-out").addEventListener("click", () => logOut());
  document.querySelector("header").append(navigation);
}

/** The language that is wanted; English when its texts cannot be had. */
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

/** An error that nobody foresaw: the page says so, in the place of a view that never came or above the one there is. */
function showUnexpected() {
  const problem = new Problem({ code: "page-failed" });
  const hasView = slot.ariaBusy !== "true" && slot.querySelector("h1") !== null;
  slot.ariaBusy = null;
  if (hasView) notice.textContent = problemText(problem);
  else slot.replaceChildren(failureView(problem));
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
  // Brought back by "back" as it was left, it may show what is of a session that has ended since.
  addEventListener("pageshow", ({ persisted }) => persisted && location.reload());
  try {
    // A visitor need not ask.
    if (session === "live") app.session = await findSession();
  } catch (error) {
    return slot.replaceChildren(failureView(error));
  }
  await show({ isFirst: true });
}

await start();
