/** The dialog that sets up an authenticator app: a QR code and the secret as text, confirmed by a first code. */

import { loadPart } from "./api.js";
import { showDialog } from "./dialog.js";
import { wireForm } from "./form.js";
import { translate } from "./language.js";
import { tellWrong } from "./proof.js";
import { fromTemplate, part } from "./template.js";

const svg = "http://www.w3.org/2000/svg";
/** Modules of light around the code (ISO/IEC 18004). */
const quietZone = 4;

/**
 * Shows the dialog.
 *
 * @param setup the service's response; `confirm` gets the code @returns what `confirm` returns; `undefined` if the user
 * cancels
 */
export async function setUpTotp({ secret, uri }, { confirm, onEnded }) {
  const dialog = fromTemplate("totp-setup", { secret: secret.replaceAll(/.{4}(?=.)/g, "$& ") });
  const state = { result: undefined };
  part(dialog, "open").href = uri;
  part(dialog, "qr").append(await qrCode(uri));
  wireForm(dialog.querySelector("form"), {
    id: "totp-setup",
    act: async ({ totp }) => {
      state.result = await tellWrong(() => confirm(totp.replaceAll(/\s/g, "")), "totp");
      dialog.close();
    },
    onEnded,
  });
  await showDialog(dialog);
  return state.result;
}

/** Draws a QR code, dark on light in either colour scheme, as readers need it. */
async function qrCode(text) {
  const { encode } = await loadPart(() => import(new URL("uqr.js", import.meta.url).href));
  const { data, size } = encode(text, { border: quietZone });
  const image = document.createElementNS(svg, "svg");
  image.setAttribute("viewBox", `0 0 ${size} ${size}`);
  image.setAttribute("role", "img");
  image.setAttribute("aria-label", translate("QR code"));
  const path = document.createElementNS(svg, "path");
  path.setAttribute("d", data.map(pathOfRow).join(""));
  image.append(path);
  return image;
}

/** One rectangle for each run of dark modules. */
function pathOfRow(row, y) {
  const runs = row.map((isDark) => isDark ? "1" : "0").join("").matchAll(/1+/g);
  return Array.from(runs, ({ index, 0: run }) => `M${index} ${y}h${run.length}v1h-${run.length}z`).join("");
}
