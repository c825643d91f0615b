/** Modal dialogs. They are removed when they are closed. */

import { part } from "./template.js";

/** Shows a dialog with a button `close`. @returns a promise that resolves when the dialog is closed */
export function showDialog(dialog) {
  document.body.append(dialog);
  part(dialog, "close").addEventListener("click", () => dialog.close());
  const closed = new Promise((resolve) => dialog.addEventListener("close", resolve));
  dialog.addEventListener("close", () => dialog.remove());
  dialog.showModal();
  return closed;
}
