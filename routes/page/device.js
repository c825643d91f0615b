/** Names of browsers and systems by their User-Agent, good enough to recognize one's own devices. */

import { translate } from "./language.js";

/** The first match counts: each browser also claims to be those below it. */
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

/** Returns "Firefox · Windows", or a program's name such as "curl". */
export function deviceName(userAgent) {
  const names = [browsers, systems].map((list) => list.find(([pattern]) => pattern.test(userAgent))?.[1]);
  const known = names.filter((name) => name !== undefined);
  if (known.length > 0) return known.join(" · ");
  const [program] = userAgent.split(/[/\s]/, 1);
  return program || translate("Unknown device");
}
