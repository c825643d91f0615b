/** The view of a session that needs a second factor: the user proves one, or sets one up. */

import { send } from "./api.js";
import { FactorSections } from "./factors.js";
import { reporter } from "./form.js";
import { proofForm } from "./proof.js";
import { tellCodesLeft } from "./recovery_codes.js";
import { fromTemplate } from "./template.js";

/** Makes the view. Afterwards the page continues as after a login. */
export async function requiredFactorView(app) {
  const { login } = app.session;
  const sections = new FactorSections({ app, report: reporter(app), onSetUp: () => app.enter() });
  await sections.load();
  if (sections.methods.length === 0) {
    const view = fromTemplate("required-factor");
    view.append(sections.element);
    return view;
  }
  const view = fromTemplate("second-factor");
  const form = proofForm({
    id: "second-factor",
    login,
    methods: sections.methods,
    act: async (proof) => {
      const { value } = await send("POST", "session/authentication/", { body: proof });
      await tellCodesLeft(value);
      await app.enter();
    },
    onEnded: () => app.end(),
  });
  view.querySelector("h1").after(form);
  // There is a session already, which the header ends.
  view.querySelector(".ways").remove();
  return view;
}
