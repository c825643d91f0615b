/** The dialogs that show new recovery codes, to be copied or printed, and how many are left. */

import { showDialog } from "./dialog.js";
import { codesLeftText } from "./problem.js";
import { wireCopy } from "./shown_once.js";
import { fromTemplate, part, textElement } from "./template.js";

/** Shows the codes of a user. @returns a promise that resolves when the dialog is closed */
export function showRecoveryCodes(codes, login) {
  const dialog = fromTemplate("recovery-codes", { login, site: location.host });
  const list = dialog.querySelector("ol");
  list.replaceChildren(...codes.map((code) => {
    const item = document.createElement("li");
    item.append(textElement("code", code));
    return item;
  }));
  wireCopy(dialog, { text: codes.join("\n"), select: () => getSelection().selectAllChildren(list) });
  part(dialog, "print").addEventListener("click", () => print());
  return showDialog(dialog);
}

/** Tells the user that a recovery code is used up. @param response of the service; without the number it was none */
export async function tellCodesLeft({ recovery_codes_left: count }) {
  if (count === undefined) return;
  const dialog = fromTemplate("recovery-used");
  part(dialog, "left").textContent = codesLeftText(count);
  await showDialog(dialog);
}
