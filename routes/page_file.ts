/**
 * The files of the page, by their names below `/page/`.
 *
 * They are imported, so serving them needs no permission to read. `password_strength.js` is the check of the service
 * itself; `zxcvbn.js`, `uplot.js` and `uqr.js` are made from npm packages.
 */

const core = import("@zxcvbn-ts/core/dist/zxcvbn-ts.js", { with: { type: "text" } });
const common = import("@zxcvbn-ts/language-common/dist/zxcvbn-ts.js", { with: { type: "text" } });
// uplot: fast plots over time, 22 KiB compressed, without dependencies. Its module is three times as large as its
// classic script.
const uplot = import("uplot/dist/uPlot.iife.min.js", { with: { type: "text" } });

const files = {
  "account.js": import("./page/account.js", { with: { type: "text" } }),
  "api.js": import("./page/api.js", { with: { type: "text" } }),
  "ask.js": import("./page/ask.js", { with: { type: "text" } }),
  "device.js": import("./page/device.js", { with: { type: "text" } }),
  "dialog.js": import("./page/dialog.js", { with: { type: "text" } }),
  "factors.js": import("./page/factors.js", { with: { type: "text" } }),
  "field.js": import("./page/field.js", { with: { type: "text" } }),
  "form.css": import("./page/form.css", { with: { type: "text" } }),
  "form.js": import("./page/form.js", { with: { type: "text" } }),
  "group_field.js": import("./page/group_field.js", { with: { type: "text" } }),
  "invitation.js": import("./page/invitation.js", { with: { type: "text" } }),
  "language.js": import("./page/language.js", { with: { type: "text" } }),
  "language_switch.js": import("./page/language_switch.js", { with: { type: "text" } }),
  "link.js": import("./page/link.js", { with: { type: "text" } }),
  "list.css": import("./page/list.css", { with: { type: "text" } }),
  "main.js": import("./page/main.js", { with: { type: "text" } }),
  "mark.svg": import("./page/mark.svg", { with: { type: "text" } }),
  "passkey.js": import("./page/passkey.js", { with: { type: "text" } }),
  "password_field.js": import("./page/password_field.js", { with: { type: "text" } }),
  "password_strength.js": import("../lib/passwords/password_strength.js", { with: { type: "text" } }),
  "problem.js": import("./page/problem.js", { with: { type: "text" } }),
  "proof.js": import("./page/proof.js", { with: { type: "text" } }),
  "recovery_codes.js": import("./page/recovery_codes.js", { with: { type: "text" } }),
  "required_factor.js": import("./page/required_factor.js", { with: { type: "text" } }),
  "user.js": import("./page/user.js", { with: { type: "text" } }),
  "users.js": import("./page/users.js", { with: { type: "text" } }),
  "russian.js": import("./page/russian.js", { with: { type: "text" } }),
  "russian_admin.js": import("./page/russian_admin.js", { with: { type: "text" } }),
  "russian_factors.js": import("./page/russian_factors.js", { with: { type: "text" } }),
  "russian_settings.js": import("./page/russian_settings.js", { with: { type: "text" } }),
  "second_factor.js": import("./page/second_factor.js", { with: { type: "text" } }),
  "sessions.js": import("./page/sessions.js", { with: { type: "text" } }),
  "settings.js": import("./page/settings.js", { with: { type: "text" } }),
  "shown_once.js": import("./page/shown_once.js", { with: { type: "text" } }),
  "status.css": import("./page/status.css", { with: { type: "text" } }),
  "status.js": import("./page/status.js", { with: { type: "text" } }),
  "status_columns.js": import("./page/status_columns.js", { with: { type: "text" } }),
  "status_format.js": import("./page/status_format.js", { with: { type: "text" } }),
  "status_plot.js": import("./page/status_plot.js", { with: { type: "text" } }),
  "status_poll.js": import("./page/status_poll.js", { with: { type: "text" } }),
  "step_up.js": import("./page/step_up.js", { with: { type: "text" } }),
  "strength_meter.js": import("./page/strength_meter.js", { with: { type: "text" } }),
  "style.css": import("./page/style.css", { with: { type: "text" } }),
  "template.js": import("./page/template.js", { with: { type: "text" } }),
  "ticket_link.js": import("./page/ticket_link.js", { with: { type: "text" } }),
  "tickets.js": import("./page/tickets.js", { with: { type: "text" } }),
  "totp_setup.js": import("./page/totp_setup.js", { with: { type: "text" } }),
  "uplot.css": import("uplot/dist/uPlot.min.css", { with: { type: "text" } }),
  "uqr.js": import("uqr", { with: { type: "text" } }),
  "views.js": import("./page/views.js", { with: { type: "text" } }),
  "visitor.js": import("./page/visitor.js", { with: { type: "text" } }),
};

/** The text of each file; the extension gives its type. */
export const pageFiles: ReadonlyMap<string, string> = new Map([
  ...await Promise.all(Object.entries(files).map(async ([name, file]) => [name, (await file).default] as const)),
  // The classic script makes one variable.
  ["uplot.js", `${(await uplot).default}\nexport default uPlot;\n`],
  ["zxcvbn.js", asModule([(await core).default, (await common).default])],
]);

/**
 * Joins classic scripts that add their parts to `this.zxcvbnts` into one module. Their source maps are not served, so
 * they are not named.
 */
function asModule(scripts: readonly string[]): string {
  const code = scripts.map((script) => script.replace(/\n\/\/# sourceMappingURL=.*/, "")).join("\n");
  return `const scope = {};\n(function () {\n${code}\n}).call(scope);\nexport default scope.zxcvbnts;\n`;
}
