/** The view that asks for the second factor of a login. */

import { send } from "./api.js";
import { problemText } from "./problem.js";
import { proofForm } from "./proof.js";
import { tellCodesLeft } from "./recovery_codes.js";
import { fromTemplate } from "./template.js";

/** Makes the view. `app.waiting` is the login that waits for it. */
export function secondFactorView(app) {
  const { next: methods, login_token: loginToken, login } = app.waiting;
  const view = fromTemplate("second-factor");
  const form = proofForm({
    id: "second-factor",
    login,
    methods,
    act: async (proof) => {
      const body = { login_token: loginToken, ...proof, cookie: true };
      const { value } = await send("POST", "session/second-factor/", { body });
      await tellCodesLeft(value);
      await app.enter();
    },
    onEnded: (problem) => {
      app.waiting = undefined;
      app.go("log-in", problemText(problem));
    },
  });
  view.querySelector("h1").after(form);
  return view;
}
