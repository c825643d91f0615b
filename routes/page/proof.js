/** The form by which a user proves who they are: password, passkey, one-time code, recovery code. */

import { invalid, wireForm } from "./form.js";
import { translate } from "./language.js";
import { hasPasskeys, passkeyOptions, usePasskey } from "./passkey.js";
import { fromTemplate, part } from "./template.js";

const fields = { password: "password", totp: "totp", recovery: "recovery_code" };
/** What is said of a wrong proof that has a field. */
const wrongTexts = {
  totp: "Wrong or used code. Enter the next one that the app shows. If it fails too, check the clock of your phone.",
  recovery_code: "This recovery code is wrong or used already. Enter another one of your list.",
};

/**
 * Makes the form. It asks for a recovery code on demand, or if nothing else is possible.
 *
 * @param options `id`: see `wireForm`; `login`; `methods`: those that are possible, as the service names them; `act`
 * gets what proves the user, as members of a body; `onEnded` runs if the session or the login that waits has ended
 */
export function proofForm({ id, login, methods, act, onEnded }) {
  const form = fromTemplate("proof", { login });
  const possible = methods.filter((method) => method !== "passkey" || hasPasskeys);
  const usual = possible.filter((method) => method !== "recovery");
  const ways = [usual, possible.filter((method) => method === "recovery")].filter((way) => way.length > 0);
  const swap = part(form, "swap");
  part(form, "impossible").hidden = ways.length > 0;
  swap.hidden = ways.length < 2;
  swap.addEventListener("click", () => {
    ways.reverse();
    showWay(form, ways);
    form.querySelector("input:not([disabled], [readonly])")?.focus();
  });
  showWay(form, ways);
  wireForm(form, {
    id,
    act: async (values) => {
      try {
        const proof = await proofOf(values);
        await tellWrong(() => act(proof), Object.keys(proof)[0]);
      } catch (error) {
        if (error.code !== "login-token-invalid") throw error;
        onEnded(error);
      }
    },
    onEnded,
  });
  return form;
}

/** Runs `act`. If the proof is wrong, the error says of which field, and what to do. */
export async function tellWrong(act, field) {
  try {
    return await act();
  } catch (error) {
    if (error.code !== "wrong-factor" || !(field in wrongTexts)) throw error;
    throw invalid([{ pointer: `/${field}`, code: "wrong", detail: wrongTexts[field] }]);
  }
}

/** Shows the first way: its fields, and the button of a passkey. */
function showWay(form, [way = []]) {
  for (const [method, name] of Object.entries(fields)) showField(form.elements[name], way.includes(method));
  const [byPasskey, submit, swap] = ["method", "submit", "swap"].map((name) => part(form, name));
  byPasskey.hidden = !way.includes("passkey");
  submit.hidden = !way.some((method) => method in fields);
  byPasskey.className = submit.hidden ? "primary" : "";
  swap.textContent = translate(way.includes("recovery") ? "Use another way" : "Use a recovery code");
}

function showField(input, isShown) {
  input.closest(".field").hidden = !isShown;
  input.required = isShown;
  input.disabled = !isShown;
}

/** What was filled in, as members of a body. Only the fields that are shown have values. */
async function proofOf({ method, password, totp, recovery_code }) {
  if (method === "passkey") return { passkey: await usePasskey(await passkeyOptions()) };
  return {
    ...password !== undefined && { password },
    ...totp !== undefined && { totp: totp.replaceAll(/\s/g, "") },
    ...recovery_code !== undefined && { recovery_code: recovery_code.trim() },
  };
}
