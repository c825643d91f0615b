/** Dialogs: they are shown above the page, keep the focus, and are gone when closed. */

import { part } from "./template.js";

/**
 * Shows a dialog, whose part `close` closes it. The browser gives the focus back to where it was.
 *
 * @returns a promise of its end
 */
export function showDialog(dialog) {
  document.body.append(dialog);
  part(dialog, "close").addEventListener("click", () => dialog.close());
  const closed = new Promise((resolve) => dialog.addEventListener("close", resolve));
  dialog.addEventListener("close", () => dialog.remove());
  dialog.showModal();
  return closed;
}
