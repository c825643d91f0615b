/** The user's own account: factors, sessions, password, deletion. */

import { send, userPath } from "./api.js";
import { showDialog } from "./dialog.js";
import { FactorSections } from "./factors.js";
import { invalid, reporter, wireButton, wireForm } from "./form.js";
import { formatDay, translate } from "./language.js";
import { SessionList } from "./sessions.js";
import { withRecentLogin } from "./step_up.js";
import { fromTemplate, part, textElement } from "./template.js";

/** Makes the view of the account of the session's user. */
export async function accountView(app) {
  const { login } = app.session;
  const { value: user } = await send("GET", userPath(login));
  const view = fromTemplate("account", {
    login,
    registered: formatDay(user.registered_at),
    minLength: app.facts.passwordMinLength,
  });
  const report = reporter(app);
  part(view, "site").hidden = app.site.url === undefined;
  if (app.site.url !== undefined) part(view, "site").href = app.site.url;
  showGroups(part(view, "groups"), user.groups);
  const factors = new FactorSections({ app, report });
  await Promise.all([new SessionList(view, { login, report }).show(), factors.load()]);
  part(view, "own").prepend(factors.element);
  wireButton(part(view, "end-all"), {
    act: async () => {
      await send("DELETE", userPath(login, "/session/"));
      await app.leave(translate("You are logged out on all devices."));
    },
    report,
  });
  wirePasswordChange(app, view);
  part(view, "delete").addEventListener("click", () => askDeletion(app));
  return view;
}

function showGroups(row, groups) {
  row.hidden = groups.length === 0;
  row.querySelector("ul").replaceChildren(...groups.map((group) => textElement("li", group, "chip")));
}

function wirePasswordChange(app, view) {
  const { login } = app.session;
  wireForm(view.querySelector("form"), {
    id: "password",
    act: async ({ current_password, password }) => {
      const body = { current_password, password };
      await withRecentLogin(() => send("PUT", userPath(login, "/password"), { body }), login);
      await app.go("account", translate("The password is changed. All other sessions have ended."));
    },
    onEnded: () => app.end(),
  });
}

function askDeletion(app) {
  const { login } = app.session;
  const dialog = fromTemplate("delete-account", { login });
  wireForm(dialog.querySelector("form"), {
    id: "delete-account",
    act: async ({ confirmation }) => {
      if (confirmation.toLowerCase() !== login) throw invalid([{ pointer: "/confirmation", code: "confirmation" }]);
      await withRecentLogin(() => send("DELETE", userPath(login)), login);
      dialog.close();
      app.leave(translate("Your account is deleted."));
    },
    onEnded: () => app.end(),
  });
  showDialog(dialog);
}
