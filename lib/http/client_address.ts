/**
 * The address of a client, for limits, logs and sessions.
 *
 * `X-Forwarded-For` is read from the right, where each proxy adds the address of its peer, up to the first address that
 * is not a trusted proxy: clients can forge everything left of it. An IPv4 address written as IPv6 (`::ffff:10.0.0.1`,
 * as dual-stack sockets show it) is the IPv4 address. A port and the brackets of IPv6 are accepted, as some proxies add
 * them.
 */

import { BlockList, isIP } from "node:net";

/** The address of a client behind a unix socket without `X-Forwarded-For`. */
const unix = "unix";
/** Characters of an entry: the longest IPv6 address in brackets with a port, and blanks around it. */
const maxEntryLength = 64;
/** Longest chain of trusted proxies. */
const maxProxies = 32;
const bracketed = /^\[([\da-f:.]+)\](?::\d{1,5})?$/i;
const ipv4WithPort = /^([\d.]+):\d{1,5}$/;

/**
 * Returns the function that finds the client's address from a request and its peer.
 *
 * @param trustedProxies addresses and CIDR blocks; loopback and unix sockets are always trusted
 */
export function clientAddressResolver(
  trustedProxies: readonly string[],
): (request: Request, peer: Deno.Addr) => string {
  const blocks = toBlockList(trustedProxies);
  const isTrusted = (address: string) =>
    address === unix || isLoopback(address) || blocks.check(address, family(address));

  return (request, peer) => {
    let client = "hostname" in peer ? withoutMapping(peer.hostname) : unix;
    const forwardedFor = request.headers.get("x-forwarded-for");
    if (forwardedFor === null) return client;
    // Not split: 64 kB of commas would make 64,000 entries.
    let end = forwardedFor.length;
    for (let count = 0; count < maxProxies && end >= 0 && isTrusted(client); count++) {
      const start = forwardedFor.lastIndexOf(",", end - 1) + 1;
      const address = end - start > maxEntryLength ? undefined : addressIn(forwardedFor.slice(start, end));
      if (address === undefined) break;
      client = withoutMapping(address);
      end = start - 1;
    }
    return client;
  };
}

/**
 * The key that limits count a client by: an IPv6 address by its /64, as a subscriber has at least that; any other as
 * is.
 */
export function rateLimitKey(address: string): string {
  const plain = withoutMapping(address);
  return isIP(plain) === 6 ? `${groupsOf(plain).slice(0, 4).join(":")}::/64` : plain;
}

/**
 * The networks of a key, the narrower first: of an IPv6 /64 its /56 and /48, as many subscribers have one (RFC 6177)
 * and could use each of its 256 or 65,536 /64 in turn. Empty for other keys.
 */
export function networksOf(rateLimitKey: string): readonly string[] {
  const [, head, last] = /^([\da-f]+:[\da-f]+:[\da-f]+):([\da-f]+)::\/64$/.exec(rateLimitKey) ?? [];
  if (head === undefined || last === undefined) return [];
  return [`${head}:${(parseInt(last, 16) & 0xff00).toString(16)}::/56`, `${head}::/48`];
}

/** The address in an entry; one with a zone is invalid. */
function addressIn(entry: string): string | undefined {
  const text = entry.trim();
  const address = bracketed.exec(text)?.[1] ?? ipv4WithPort.exec(text)?.[1] ?? text;
  const version = isIP(address);
  const isRight = text.startsWith("[") ? version === 6 : version !== 0;
  return isRight && !address.includes("%") ? address : undefined;
}

/** Checked before the block list, which takes 2 µs, as most proxies are on this machine. */
function isLoopback(address: string): boolean {
  return address.startsWith("127.") || address === "::1";
}

function toBlockList(entries: readonly string[]): BlockList {
  const blocks = new BlockList();
  for (const entry of entries) {
    const [address = "", prefixLength] = entry.split("/");
    if (prefixLength === undefined) blocks.addAddress(address, family(address));
    else blocks.addSubnet(address, Number(prefixLength), family(address));
  }
  return blocks;
}

function family(address: string): "ipv4" | "ipv6" {
  return isIP(address) === 6 ? "ipv6" : "ipv4";
}

/** The IPv4 address of an IPv6 address in `::ffff:0:0/96`; any other text as it is. */
function withoutMapping(address: string): string {
  if (isIP(address) !== 6) return address;
  const groups = groupsOf(address);
  if (groups.slice(0, 6).join() !== "0,0,0,0,0,ffff") return address;
  return groups.slice(6).map((group) => parseInt(group, 16)).flatMap((bits) => [bits >> 8, bits & 0xff]).join(".");
}

/** The eight groups of an IPv6 address, without its zone, in lower-case hexadecimal digits without leading zeros. */
function groupsOf(address: string): readonly string[] {
  const { hostname } = new URL(`http://[${address.replace(/%.*/s, "")}]`);
  // The longest run of zeros is "::" (RFC 5952).
  const parts = hostname.slice(1, -1).split("::").map((part) => part === "" ? [] : part.split(":"));
  const [before = [], after = []] = parts;
  return [...before, ...Array<string>(8 - before.length - after.length).fill("0"), ...after];
}
