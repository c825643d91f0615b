/** The strength of a new password, as the service judges it. */

import { loadPart } from "./api.js";
import { translate, translateCount } from "./language.js";
import { guessableText } from "./problem.js";

const opened = { strength: undefined };

/** Shows how strong the password of a field is, in a bar and in words. @throws {Problem} if the check is not loaded */
export async function showStrength(input, { bar, text }) {
  const strength = await openStrength();
  const login = input.form.elements.namedItem("login")?.value ?? "";
  const minLength = Number(document.body.dataset.passwordMinLength);
  const rating = input.value === "" ? undefined : strength.rate(input.value, { login, minLength });
  bar.dataset.level = rating?.level ?? 0;
  text.textContent = rating === undefined ? "" : ratingText(rating);
}

/** Loads the check of the service, once. */
async function openStrength() {
  const [{ PasswordStrength }, zxcvbn] = await Promise.all(["password_strength.js", "zxcvbn.js"].map(loadFile));
  return opened.strength ??= new PasswordStrength(zxcvbn.default);
}

/** Loads a module that is not in this folder: the service adds it to the files of the page. */
function loadFile(name) {
  return loadPart(() => import(new URL(name, import.meta.url).href));
}

function ratingText({ level, missing, weakness }) {
  if (missing > 0) {
    return translateCount(missing, { one: "{count} more character", other: "{count} more characters" });
  }
  if (weakness !== undefined) return guessableText(weakness);
  return translate(level > 3 ? "Strong" : "Good");
}
