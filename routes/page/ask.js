/** Small dialogs that ask for a name, or to confirm, and then act. */

import { showDialog } from "./dialog.js";
import { wireForm } from "./form.js";
import { fromTemplate } from "./template.js";

/**
 * Asks, and acts when the user agrees.
 *
 * @param options translated texts; `name` fills in the field for a name, which is there only with it; `act` gets the
 * values, and may throw a Problem; `onEnded` runs if the session has ended
 * @returns whether it is done
 */
export async function ask({ title, text, action, name, isDanger = false, act, onEnded }) {
  const dialog = fromTemplate("ask", { title, text, action, name: name ?? "" });
  const state = { isDone: false };
  if (name === undefined) dialog.querySelector(".field").remove();
  if (isDanger) {
    dialog.querySelector(".primary").className = "danger";
    dialog.querySelector("[name=close]").autofocus = true;
  }
  wireForm(dialog.querySelector("form"), {
    id: "ask",
    act: async (values) => {
      await act(values);
      state.isDone = true;
      dialog.close();
    },
    onEnded,
  });
  await showDialog(dialog);
  return state.isDone;
}
