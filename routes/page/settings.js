/** What an administrator sees of the settings in force. */

import { send } from "./api.js";
import { fromTemplate } from "./template.js";

/** The settings. */
export async function settingsView() {
  const { value } = await send("GET", "setting/");
  const view = fromTemplate("settings");
  view.querySelector("tbody").append(...value.settings.map((setting) => {
    const row = fromTemplate("setting-row", setting);
    if (setting.value !== setting.default) row.className = "changed";
    return row;
  }));
  return view;
}
