/** Browsers and systems by their User-Agent, in words: enough to know one's own devices by. */

import { translate } from "./language.js";

/** The first that is found: each browser also says that it is those below it. */
const browsers = [
  [/Edg(e|A|iOS)?\//, "Edge"],
  [/YaBrowser\//, "Yandex Browser"],
  [/OPR\/|Opera/, "Opera"],
  [/SamsungBrowser\//, "Samsung Internet"],
  [/Vivaldi\//, "Vivaldi"],
  [/Firefox\/|FxiOS\//, "Firefox"],
  [/Chrome\/|CriOS\/|Chromium\//, "Chrome"],
  [/Safari\//, "Safari"],
];

const systems = [
  [/iPhone/, "iPhone"],
  [/iPad/, "iPad"],
  [/Android/, "Android"],
  [/CrOS/, "ChromeOS"],
  [/Windows/, "Windows"],
  [/Macintosh|Mac OS X/, "macOS"],
  [/Linux|X11/, "Linux"],
];

/** "Firefox · Windows"; of a program its name, "curl". */
export function deviceName(userAgent) {
  const names = [browsers, systems].map((list) => list.find(([pattern]) => pattern.test(userAgent))?.[1]);
  const known = names.filter((name) => name !== undefined);
  if (known.length > 0) return known.join(" · ");
  const [program] = userAgent.split(/[/\s]/, 1);
  return program || translate("Unknown device");
}
