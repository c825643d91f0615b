import { assertEquals } from "@std/assert";
import { clientAddressResolver } from "../../../lib/http/client_address.ts";

const socket: Deno.Addr = { transport: "unix", path: "/run/gatehouse.sock" };

function peer(hostname: string): Deno.Addr {
  return { transport: "tcp", hostname, port: 40_000 };
}

interface Row {
  readonly title: string;
  readonly from: Deno.Addr;
  /** `X-Forwarded-For`, none by default. */
  readonly header?: string;
  readonly trusted?: readonly string[];
  readonly client: string;
}

const rows: readonly Row[] = [
  { title: "the peer when there is no header", from: peer("203.0.113.7"), client: "203.0.113.7" },
  { title: "the peer on loopback when there is no header", from: peer("127.0.0.1"), client: "127.0.0.1" },
  { title: "unix when there is nothing else", from: socket, client: "unix" },

  {
    title: "the header from 127.0.0.1",
    from: peer("127.0.0.1"),
    header: "203.0.113.7",
    client: "203.0.113.7",
  },
  {
    title: "the header from 127.8.9.1",
    from: peer("127.8.9.1"),
    header: "203.0.113.7",
    client: "203.0.113.7",
  },
  { title: "the header from ::1", from: peer("::1"), header: "2001:db8::7", client: "2001:db8::7" },
  {
    title: "the header from mapped loopback",
    from: peer("::ffff:127.0.0.1"),
    header: "1.1.1.1",
    client: "1.1.1.1",
  },
  { title: "the header from a unix socket", from: socket, header: "203.0.113.7", client: "203.0.113.7" },
  { title: "no header from a stranger", from: peer("203.0.113.7"), header: "1.1.1.1", client: "203.0.113.7" },
  { title: "no header from a stranger over IPv6", from: peer("::2"), header: "1.1.1.1", client: "::2" },

  {
    title: "the header from a trusted address",
    from: peer("10.0.0.5"),
    trusted: ["10.0.0.5"],
    header: "1.1.1.1",
    client: "1.1.1.1",
  },
  {
    title: "no header from the address beside it",
    from: peer("10.0.0.6"),
    trusted: ["10.0.0.5"],
    header: "1.1.1.1",
    client: "10.0.0.6",
  },
  {
    title: "the header from the end of a trusted block",
    from: peer("10.255.255.255"),
    trusted: ["192.0.2.1", "10.0.0.0/8"],
    header: "1.1.1.1",
    client: "1.1.1.1",
  },
  {
    title: "the header from a trusted block that does not begin where it says",
    from: peer("10.0.0.200"),
    trusted: ["10.0.0.77/24"],
    header: "1.1.1.1",
    client: "1.1.1.1",
  },
  {
    title: "the header from a trusted block in mapped form",
    from: peer("10.0.0.5"),
    trusted: ["::ffff:10.0.0.0/104"],
    header: "1.1.1.1",
    client: "1.1.1.1",
  },
  {
    title: "no header over IPv6 when all of IPv4 is trusted",
    from: peer("2001:db8::1"),
    trusted: ["0.0.0.0/0"],
    header: "1.1.1.1",
    client: "2001:db8::1",
  },
  {
    title: "no header from beyond a trusted block",
    from: peer("11.0.0.0"),
    trusted: ["192.0.2.1", "10.0.0.0/8"],
    header: "1.1.1.1",
    client: "11.0.0.0",
  },
  {
    title: "the header from a trusted block of IPv6",
    from: peer("2001:db8:ffff::1"),
    trusted: ["2001:db8::/32"],
    header: "1.1.1.1",
    client: "1.1.1.1",
  },
  {
    title: "no header from beyond a trusted block of IPv6",
    from: peer("2001:db9::1"),
    trusted: ["2001:db8::/32"],
    header: "1.1.1.1",
    client: "2001:db9::1",
  },
  {
    title: "the header from a trusted IPv4 peer on a socket for both",
    from: peer("::ffff:10.0.0.5"),
    trusted: ["10.0.0.0/8"],
    header: "1.1.1.1",
    client: "1.1.1.1",
  },
  {
    title: "the header from a proxy that was named in mapped form",
    from: peer("10.0.0.5"),
    trusted: ["::ffff:10.0.0.5"],
    header: "1.1.1.1",
    client: "1.1.1.1",
  },

  {
    title: "the rightmost entry, whatever the client put to its left",
    from: peer("127.0.0.1"),
    header: "127.0.0.1, 6.6.6.6, 203.0.113.7",
    client: "203.0.113.7",
  },
  {
    title: "the rightmost entry, whatever white space is around it",
    from: peer("127.0.0.1"),
    header: "6.6.6.6,\t 203.0.113.7 \t",
    client: "203.0.113.7",
  },
  {
    title: "the first that is not trusted, from the right",
    from: peer("127.0.0.1"),
    trusted: ["10.0.0.0/8"],
    header: "6.6.6.6,203.0.113.7,10.0.0.2,10.0.0.1",
    client: "203.0.113.7",
  },
  {
    title: "the leftmost when all are trusted",
    from: peer("127.0.0.1"),
    trusted: ["10.0.0.0/8"],
    header: "10.0.0.3, 10.0.0.2, 127.0.0.1",
    client: "10.0.0.3",
  },
  { title: "a mapped entry as IPv4", from: socket, header: "::ffff:203.0.113.7", client: "203.0.113.7" },
  {
    title: "a mapped entry in hexadecimal as IPv4",
    from: socket,
    header: "0::FFFF:CB00:7107",
    client: "203.0.113.7",
  },

  {
    title: "the peer when the entry is malformed",
    from: peer("127.0.0.1"),
    header: "someone",
    client: "127.0.0.1",
  },
  { title: "the peer when the header is empty", from: peer("127.0.0.1"), header: "", client: "127.0.0.1" },
  { title: "unix when the entry is malformed", from: socket, header: "1.1.1.1, unknown", client: "unix" },
  { title: "unix when the entry calls itself unix", from: socket, header: "1.1.1.1, unix", client: "unix" },
  { title: "an IPv4 entry without its port", from: peer("::1"), header: "1.2.3.4:5678", client: "1.2.3.4" },
  { title: "an IPv6 entry without its brackets", from: peer("::1"), header: "[2001:db8::1]", client: "2001:db8::1" },
  {
    title: "an IPv6 entry without its brackets and port",
    from: peer("::1"),
    header: "6.6.6.6, [2001:db8::1]:443",
    client: "2001:db8::1",
  },
  { title: "a mapped entry in brackets as IPv4", from: socket, header: "[::ffff:1.2.3.4]:80", client: "1.2.3.4" },
  {
    title: "the first that is not trusted, past trusted ones with ports",
    from: peer("127.0.0.1"),
    trusted: ["10.0.0.0/8"],
    header: "6.6.6.6:1,203.0.113.7:2,[::1]:3,10.0.0.1:4",
    client: "203.0.113.7",
  },
  { title: "the peer when the port is none", from: peer("::1"), header: "1.1.1.1:http", client: "::1" },
  { title: "the peer when the port is missing", from: peer("::1"), header: "1.1.1.1:", client: "::1" },
  { title: "the peer when brackets are not closed", from: peer("::1"), header: "[2001:db8::1", client: "::1" },
  { title: "the peer when something follows the brackets", from: peer("::1"), header: "[::2]x", client: "::1" },
  { title: "the peer when IPv4 is in brackets", from: peer("::1"), header: "[1.1.1.1]:80", client: "::1" },
  { title: "the peer when brackets have a zone", from: peer("::1"), header: "[fe80::1%eth0]:80", client: "::1" },
  {
    title: "IPv6 that ends like a port as it is",
    from: peer("::1"),
    header: "2001:db8::1:443",
    client: "2001:db8::1:443",
  },
  {
    title: "the longest entry that is looked at",
    from: peer("::1"),
    header: `6.6.6.6,${"1.1.1.1".padStart(64)}`,
    client: "1.1.1.1",
  },
  {
    title: "the peer when the entry is longer",
    from: peer("::1"),
    header: `a,${"1.1.1.1".padStart(65)}`,
    client: "::1",
  },
  {
    title: "the 32nd trusted proxy when there are more",
    from: socket,
    header: ["6.6.6.6", ...Array.from({ length: 40 }, (_, index) => `127.0.0.${40 - index}`)].join(","),
    client: "127.0.0.32",
  },
  { title: "the entry after a leading comma", from: socket, header: ",127.0.0.1", client: "127.0.0.1" },
  { title: "the peer when the entry has a zone", from: peer("::1"), header: "fe80::1%eth0", client: "::1" },
  {
    title: "the peer when the entry looks like loopback",
    from: peer("::1"),
    header: "127.evil",
    client: "::1",
  },
  { title: "the peer when the entry is quoted", from: peer("::1"), header: '"1.1.1.1"', client: "::1" },
  { title: "the peer when the last entry is empty", from: peer("::1"), header: "1.1.1.1, ", client: "::1" },
  { title: "the peer when the entry is a number", from: peer("::1"), header: "16843009", client: "::1" },
  {
    title: "the last good entry before a malformed one",
    from: peer("127.0.0.1"),
    trusted: ["10.0.0.0/8"],
    header: "1.1.1.1, 300.1.1.1, 10.0.0.1",
    client: "10.0.0.1",
  },
];

for (const { title, from, header, trusted = [], client } of rows) {
  Deno.test(`clientAddressResolver() gives ${title}`, () => {
    const headers = header === undefined ? {} : { "X-Forwarded-For": header };
    const resolve = clientAddressResolver(trusted);
    assertEquals(resolve(new Request("http://gatehouse/", { headers }), from), client);
  });
}

Deno.test("clientAddressResolver() reads several headers as one", () => {
  const request = new Request("http://gatehouse/");
  for (const entry of ["6.6.6.6", "203.0.113.7", "127.0.0.1"]) {
    request.headers.append("X-Forwarded-For", entry);
  }
  assertEquals(clientAddressResolver([])(request, socket), "203.0.113.7");
});
