/** The views by their names in the address. They are loaded when they are needed, with their texts. */

import { loadPart } from "./api.js";
import { addTexts } from "./language.js";

const visitor = () => loadPart(() => import("./visitor.js"));
const visitorViews = {
  "log-in": async () => (await visitor()).logInView,
  "register": async () => (await visitor()).registerView,
  "reset": async () => (await visitor()).resetView,
};
/** While a login waits for its second factor. */
const waitingViews = {
  ...visitorViews,
  "second-factor": async () => (await loadWith("factors", () => import("./second_factor.js"))).secondFactorView,
};
/** The only view of a session that needs a second factor. */
const factorViews = {
  "second-factor": async () => (await loadWith("factors", () => import("./required_factor.js"))).requiredFactorView,
};
const userViews = { account: async () => (await loadWith("factors", () => import("./account.js"))).accountView };
const adminViews = {
  users: async () => (await loadWith("admin", () => import("./users.js"))).usersView,
  settings: async () => (await loadWith("admin", () => import("./settings.js"))).settingsView,
  status: async () => (await loadWith("admin", () => import("./status.js"))).statusView,
};

/** The view of a link that was opened while another user is logged in. */
export const otherAccountView = async () => (await visitor()).otherAccountView;

/** Returns the views of a session; the first is the default. */
export function viewsOf({ session, needsFactor, waiting }) {
  if (session === undefined) return waiting === undefined ? visitorViews : waitingViews;
  if (needsFactor) return factorViews;
  return session.groups.includes("admin") ? { ...userViews, ...adminViews } : userViews;
}

/** Whether a view is one of those before the login is complete. */
export function isOfVisitors(name) {
  return Object.hasOwn(waitingViews, name);
}

async function loadWith(texts, load) {
  const [module] = await Promise.all([loadPart(load), addTexts(texts)]);
  return module;
}
