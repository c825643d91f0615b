/** What needs a recent login: the user proves again who they are, and the request is repeated. */

import { send } from "./api.js";
import { showDialog } from "./dialog.js";
import { addTexts } from "./language.js";
import { proofForm } from "./proof.js";
import { tellCodesLeft } from "./recovery_codes.js";
import { fromTemplate } from "./template.js";

/** Runs `act`. If that needs a recent login, the user logs in again, and it runs again. @param login the user's */
export async function withRecentLogin(act, login) {
  try {
    return await act();
  } catch (error) {
    if (error.code !== "login-again" || !await stepUp(error.needs, login)) throw error;
    return await act();
  }
}

/** @returns whether the user has logged in again @throws {Problem} if the session has ended */
async function stepUp(methods, login) {
  await addTexts("factors");
  const dialog = fromTemplate("log-in-again");
  const state = { isDone: false, problem: undefined };
  const form = proofForm({
    id: "log-in-again",
    login,
    methods,
    act: async (proof) => {
      const { value } = await send("POST", "session/authentication/", { body: proof });
      await tellCodesLeft(value);
      state.isDone = true;
      dialog.close();
    },
    onEnded: (problem) => {
      state.problem = problem;
      dialog.close();
    },
  });
  dialog.querySelector("p").after(form);
  await showDialog(dialog);
  if (state.problem !== undefined) throw state.problem;
  return state.isDone;
}
