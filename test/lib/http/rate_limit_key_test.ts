/** By which address or network a client is counted. */
import { assertEquals } from "@std/assert";
import { networksOf, rateLimitKey } from "../../../lib/http/client_address.ts";

Deno.test("rateLimitKey() is an IPv4 address as it is, an IPv6 address by its /64", () => {
  const keys: readonly (readonly [address: string, key: string])[] = [
    ["203.0.113.7", "203.0.113.7"],
    ["::ffff:203.0.113.7", "203.0.113.7"],
    ["::ffff:cb00:7107", "203.0.113.7"],
    ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
    ["2001:0DB8:0001:0002:ffff:ffff:ffff:ffff", "2001:db8:1:2::/64"],
    ["2001:db8:1:2::", "2001:db8:1:2::/64"],
    ["2001:db8:1:3::", "2001:db8:1:3::/64"],
    ["2001:db8::1", "2001:db8:0:0::/64"],
    ["2001:db8:0:0:1::", "2001:db8:0:0::/64"],
    ["2001:0:0:1::", "2001:0:0:1::/64"],
    ["1::2:3:4:5:6:7", "1:0:2:3::/64"],
    ["::1", "0:0:0:0::/64"],
    ["::", "0:0:0:0::/64"],
    ["64:ff9b::203.0.113.7", "64:ff9b:0:0::/64"],
    ["::ffff:0:203.0.113.7", "0:0:0:0::/64"],
    ["::1:ffff:203.0.113.7", "0:0:0:0::/64"],
    ["fe80::1%eth0", "fe80:0:0:0::/64"],
    ["unix", "unix"],
    ["127.evil", "127.evil"],
    ["", ""],
  ];
  for (const [address, key] of keys) assertEquals(rateLimitKey(address), key, address);
});

const networks: readonly (readonly [address: string, ...networks: string[]])[] = [
  ["2001:db8:0:1234::1", "2001:db8:0:1200::/56", "2001:db8:0::/48"],
  ["2001:db8:0:12ff:1:2:3:4", "2001:db8:0:1200::/56", "2001:db8:0::/48"],
  ["2001:db8:0:1300::", "2001:db8:0:1300::/56", "2001:db8:0::/48"],
  ["2001:db8::1", "2001:db8:0:0::/56", "2001:db8:0::/48"],
  ["2001:db8:1::ff", "2001:db8:1:0::/56", "2001:db8:1::/48"],
  ["fe80::1%eth0", "fe80:0:0:0::/56", "fe80:0:0::/48"],
  ["192.0.2.1"],
  ["::ffff:192.0.2.1"],
  ["unix"],
];
for (const [address, ...expected] of networks) {
  Deno.test(`networksOf() tells the networks of what ${address} is counted by: ${expected.length}`, () => {
    assertEquals(networksOf(rateLimitKey(address)), expected);
  });
}
