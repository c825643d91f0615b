/**
 * The files of the page, by their names below `/page/`.
 *
 * They are imported, so serving them needs no permission to read. `password_strength.js` is the check of the service
 * itself; `zxcvbn.js` and `uplot.js` are made from npm packages.
 */

import core from "@zxcvbn-ts/core/dist/zxcvbn-ts.js" with { type: "text" };
import common from "@zxcvbn-ts/language-common/dist/zxcvbn-ts.js" with { type: "text" };
import passwordStrength from "../lib/passwords/password_strength.js" with { type: "text" };
import account from "./page/account.js" with { type: "text" };
import api from "./page/api.js" with { type: "text" };
import device from "./page/device.js" with { type: "text" };
import dialog from "./page/dialog.js" with { type: "text" };
import field from "./page/field.js" with { type: "text" };
import form from "./page/form.js" with { type: "text" };
import formStyle from "./page/form.css" with { type: "text" };
import groupField from "./page/group_field.js" with { type: "text" };
import language from "./page/language.js" with { type: "text" };
import languageSwitch from "./page/language_switch.js" with { type: "text" };
import link from "./page/link.js" with { type: "text" };
import listStyle from "./page/list.css" with { type: "text" };
import main from "./page/main.js" with { type: "text" };
import mark from "./page/mark.svg" with { type: "text" };
import passwordField from "./page/password_field.js" with { type: "text" };
import problem from "./page/problem.js" with { type: "text" };
import user from "./page/user.js" with { type: "text" };
import users from "./page/users.js" with { type: "text" };
import russian from "./page/russian.js" with { type: "text" };
import russianAdmin from "./page/russian_admin.js" with { type: "text" };
import russianSettings from "./page/russian_settings.js" with { type: "text" };
import sessions from "./page/sessions.js" with { type: "text" };
import settings from "./page/settings.js" with { type: "text" };
import status from "./page/status.js" with { type: "text" };
import statusColumns from "./page/status_columns.js" with { type: "text" };
import statusFormat from "./page/status_format.js" with { type: "text" };
import statusPlot from "./page/status_plot.js" with { type: "text" };
import statusPoll from "./page/status_poll.js" with { type: "text" };
import statusStyle from "./page/status.css" with { type: "text" };
import style from "./page/style.css" with { type: "text" };
import template from "./page/template.js" with { type: "text" };
import ticketLink from "./page/ticket_link.js" with { type: "text" };
import tickets from "./page/tickets.js" with { type: "text" };
import visitor from "./page/visitor.js" with { type: "text" };
// uplot: fast plots over time, 22 KiB compressed, without dependencies. Its module is three times as large as its
// classic script.
import uplot from "uplot/dist/uPlot.iife.min.js" with { type: "text" };
import uplotStyle from "uplot/dist/uPlot.min.css" with { type: "text" };

/** The text of each file; the extension gives its type. */
export const pageFiles: ReadonlyMap<string, string> = new Map([
  ["account.js", account],
  ["api.js", api],
  ["device.js", device],
  ["dialog.js", dialog],
  ["field.js", field],
  ["form.css", formStyle],
  ["form.js", form],
  ["group_field.js", groupField],
  ["language.js", language],
  ["language_switch.js", languageSwitch],
  ["link.js", link],
  ["list.css", listStyle],
  ["main.js", main],
  ["mark.svg", mark],
  ["password_field.js", passwordField],
  ["password_strength.js", passwordStrength],
  ["problem.js", problem],
  ["user.js", user],
  ["users.js", users],
  ["russian.js", russian],
  ["russian_admin.js", russianAdmin],
  ["russian_settings.js", russianSettings],
  ["sessions.js", sessions],
  ["settings.js", settings],
  ["status.css", statusStyle],
  ["status.js", status],
  ["status_columns.js", statusColumns],
  ["status_format.js", statusFormat],
  ["status_plot.js", statusPlot],
  ["status_poll.js", statusPoll],
  ["style.css", style],
  ["template.js", template],
  ["ticket_link.js", ticketLink],
  ["tickets.js", tickets],
  ["uplot.css", uplotStyle],
  // The classic script makes one variable.
  ["uplot.js", `${uplot}\nexport default uPlot;\n`],
  ["visitor.js", visitor],
  ["zxcvbn.js", asModule([core, common])],
]);

/**
 * Joins classic scripts that add their parts to `this.zxcvbnts` into one module. Their source maps are not served, so
 * they are not named.
 */
function asModule(scripts: readonly string[]): string {
  const code = scripts.map((script) => script.replace(/\n\/\/# sourceMappingURL=.*/, "")).join("\n");
  return `const scope = {};\n(function () {\n${code}\n}).call(scope);\nexport default scope.zxcvbnts;\n`;
}
