/** Devices by what browsers and programs call themselves. */
import { assertEquals } from "@std/assert";
import { deviceName } from "../../../routes/page/device.js";

const webKit = "AppleWebKit/537.36 (KHTML, like Gecko)";
const names: readonly [userAgent: string, name: string][] = [
  [`Mozilla/5.0 (Windows NT 10.0; Win64; x64) ${webKit} Chrome/156.0.0.0 Safari/537.36`, "Chrome · Windows"],
  [`Mozilla/5.0 (Windows NT 10.0; Win64; x64) ${webKit} Chrome/156.0.0.0 Safari/537.36 Edg/156.0`, "Edge · Windows"],
  [`Mozilla/5.0 (X11; Linux x86_64) ${webKit} Chrome/156.0.0.0 YaBrowser/26.1 Safari/537.36`, "Yandex Browser · Linux"],
  [`Mozilla/5.0 (Linux; Android 16) ${webKit} SamsungBrowser/29.0 Chrome/136.0 Mobile`, "Samsung Internet · Android"],
  [`Mozilla/5.0 (Linux; Android 16) ${webKit} Chrome/156.0.0.0 Mobile Safari/537.36`, "Chrome · Android"],
  ["Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/26.0 Safari/605", "Safari · macOS"],
  ["Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1 Version/18.5 Safari/6", "Safari · iPhone"],
  ["Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1 CriOS/156.0 Safari/6", "Chrome · iPhone"],
  ["Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox · Linux"],
  ["curl/8.14.1", "curl"],
  ["Wget", "Wget"],
  ["git-lfs/3.7 (linux)", "git-lfs"],
  ["", "Unknown device"],
];

for (const [userAgent, name] of names) {
  Deno.test(`deviceName() says ${name} for "${userAgent.slice(0, 60)}"`, () => {
    assertEquals(deviceName(userAgent), name);
  });
}
