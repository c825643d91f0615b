/** Addresses to listen on: `ADDRESS:PORT` or `unix:/PATH`. */

import { isIP } from "node:net";

/** `sun_path` of unix(7) has 108 bytes, the last of them NUL. */
const maxSocketPathBytes = 108 - 1;

/** An address and port, or the path of a unix socket. */
export type Listen =
  | { readonly hostname: string; readonly port: number }
  | { readonly path: string };

/** Parses `ADDRESS:PORT` or `unix:/PATH`. @throws {RangeError} saying what is accepted instead */
export function parseListen(text: string): Listen {
  const path = /^unix:(\/.*[^/])$/s.exec(text)?.[1];
  if (path !== undefined && new TextEncoder().encode(path).length <= maxSocketPathBytes) return Object.freeze({ path });
  const [, host = "", port = ""] = /^(.+):(\d+)$/.exec(text) ?? [];
  const hostname = parseHost(host);
  if (hostname !== undefined && Number(port) <= 65_535) return Object.freeze({ hostname, port: Number(port) });
  throw new RangeError(
    "use ADDRESS:PORT, such as 127.0.0.1:8000 or [::1]:8000, port 0 to 65535, or unix:/PATH of at most " +
      `${maxSocketPathBytes} bytes`,
  );
}

/** An address and port as in a URL or a Deno permission. */
export function hostWithPort({ hostname, port }: { hostname: string; port: number }): string {
  return hostname.includes(":") ? `[${hostname}]:${port}` : `${hostname}:${port}`;
}

/** The text that `parseListen` parses to this. */
export function shownListen(listen: Listen): string {
  return "path" in listen ? `unix:${listen.path}` : hostWithPort(listen);
}

/** The host without the brackets of IPv6. The last label starts with a letter, unlike in `127.0.0.300`. */
function parseHost(text: string): string | undefined {
  const ipv6 = /^\[([^%]+)\]$/.exec(text)?.[1];
  if (ipv6 !== undefined) return isIP(ipv6) === 6 ? ipv6 : undefined;
  return isIP(text) === 4 || /^([a-z\d-]+\.)*[a-z][a-z\d-]*$/i.test(text) ? text : undefined;
}
