/** The proxies that are believed: how the text of a setting becomes addresses and blocks of them. */
import { isIP } from "node:net";
import { quote } from "./setting.ts";

/**
 * Parses addresses and CIDR blocks with commas between; none of an empty text.
 *
 * @throws {RangeError} saying what is accepted instead
 */
export function parseProxies(text: string): readonly string[] {
  // The default alone is empty: `readSetting` refuses an empty text.
  if (text === "") return Object.freeze([]);
  const proxies = text.split(/, */);
  const bad = proxies.find((proxy) => !isAddressOrBlock(proxy));
  if (bad === undefined) return Object.freeze(proxies);
  throw new RangeError(
    `${quote(bad)} is not an address or CIDR block; use a list such as 10.0.0.0/8,2001:db8::1`,
  );
}

function isAddressOrBlock(text: string): boolean {
  const [, address = "", , prefixLength = "0"] = /^([^/%]+)(\/(\d+))?$/.exec(text) ?? [];
  const version = isIP(address);
  return version !== 0 && Number(prefixLength) <= (version === 4 ? 32 : 128);
}
