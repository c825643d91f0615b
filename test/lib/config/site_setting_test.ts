/** The home and its sites: each origin alone, and both together. */
import { assertEquals, assertThrows } from "@std/assert";
import { ConfigError, readConfig } from "../../../lib/config/config.ts";

const home = "https://login.example.org";

function errorsOf(env: Readonly<Record<string, string>>): readonly string[] {
  return assertThrows(() => readConfig(env), ConfigError).errors;
}

Deno.test("readConfig() reads a home and its sites", () => {
  const sites = Array.from({ length: 64 }, (_, index) => `https://site-${index}.example.net:8443`);
  const config = readConfig({ GATEHOUSE_HOME: home, GATEHOUSE_SITES: sites.join(", ") });
  assertEquals([config.home, config.sites], [home, sites]);
  const local = readConfig({ GATEHOUSE_HOME: "https://localhost:1", GATEHOUSE_SITES: "http://a.localhost:1" });
  assertEquals(local.sites, ["http://a.localhost:1"]);
});

Deno.test("readConfig() rejects a home or a site that is no origin of HTTPS", () => {
  const begin = "an origin must begin with https://, or with http:// if its host is localhost";
  const rows: readonly (readonly [text: string, reason: string])[] = [
    ["login.example.org", "use an origin, such as https://app.example.org"],
    ["http://login.example.org", begin],
    ["javascript:alert(1)", begin],
    [`${home}/`, `an origin is only scheme, host and port: write ${home}`],
    [`${home}:443`, `an origin is only scheme, host and port: write ${home}`],
    ["https://*.example.org", "use an origin, such as https://app.example.org"],
  ];
  for (const [text, reason] of rows) {
    const site = { GATEHOUSE_SITES: "https://wiki.example.org" };
    assertEquals(errorsOf({ ...site, GATEHOUSE_HOME: text }).map(ending), [reason]);
    assertEquals(errorsOf({ GATEHOUSE_HOME: home, GATEHOUSE_SITES: text }).map(ending), [reason]);
  }
});

/** What a message says after the name and the text of the setting, which may be concealed. */
function ending(message: string): string {
  return message.replace(/^GATEHOUSE_\w+ cannot be "[^"]*": (entry 1: )?/, "");
}

Deno.test("readConfig() rejects more than 64 sites", () => {
  const sites = Array.from({ length: 65 }, (_, index) => `https://site-${index}.example.net`).join();
  const [error = ""] = errorsOf({ GATEHOUSE_HOME: home, GATEHOUSE_SITES: sites });
  assertEquals(error.endsWith(": use at most 64 origins"), true);
});

Deno.test("readConfig() rejects a site whose host name is longer than DNS allows", () => {
  const name = `${"a".repeat(60)}.`.repeat(4) + "example";
  const longest = `https://${name.padStart(253, "b")}:65535`;
  assertEquals(readConfig({ GATEHOUSE_HOME: home, GATEHOUSE_SITES: longest }).sites, [longest]);
  const [error = ""] = errorsOf({ GATEHOUSE_HOME: home, GATEHOUSE_SITES: longest.replace("b", "bb") });
  assertEquals(error.endsWith(": a host name has at most 253 characters"), true);
});

Deno.test("readConfig() rejects a home without sites, and sites without a home", () => {
  const together = ["GATEHOUSE_HOME and GATEHOUSE_SITES must be set together"];
  assertEquals(errorsOf({ GATEHOUSE_HOME: home }), together);
  assertEquals(errorsOf({ GATEHOUSE_SITES: home }), together);
});

Deno.test("readConfig() rejects sites that share a host name, with the home or with each other", () => {
  for (
    const sites of [home, `${home}:8443`, "https://a.example.org,https://b.example.org,https://a.example.org:8443"]
  ) {
    const repeated = sites.split(",").at(-1);
    const error = `GATEHOUSE_SITES: ${repeated} must have a host name of its own`;
    assertEquals(errorsOf({ GATEHOUSE_HOME: home, GATEHOUSE_SITES: sites }), [error]);
  }
});
