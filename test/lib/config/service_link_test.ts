import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { ConfigError, readConfig, settings } from "../../../lib/config/config.ts";
import { isServiceLink } from "../../../lib/config/service_link.ts";

/** What Kubernetes 1.30 sets in a pod beside a service `gatehouse` with two ports, and a service `gatehouse-db`. */
const links = {
  GATEHOUSE_SERVICE_HOST: "10.96.143.7",
  GATEHOUSE_SERVICE_PORT: "8000",
  GATEHOUSE_SERVICE_PORT_HTTP: "8000",
  GATEHOUSE_SERVICE_PORT_METRICS: "9000",
  GATEHOUSE_PORT: "tcp://10.96.143.7:8000",
  GATEHOUSE_PORT_8000_TCP: "tcp://10.96.143.7:8000",
  GATEHOUSE_PORT_8000_TCP_PROTO: "tcp",
  GATEHOUSE_PORT_8000_TCP_PORT: "8000",
  GATEHOUSE_PORT_8000_TCP_ADDR: "10.96.143.7",
  GATEHOUSE_PORT_9000_UDP: "udp://[fd00:10:96::1]:9000",
  GATEHOUSE_PORT_9000_UDP_PROTO: "udp",
  GATEHOUSE_PORT_9000_UDP_PORT: "9000",
  GATEHOUSE_PORT_9000_UDP_ADDR: "fd00:10:96::1",
  GATEHOUSE_DB_SERVICE_HOST: "10.96.0.9",
  GATEHOUSE_DB_PORT: "tcp://10.96.0.9:5432",
  GATEHOUSE_DB_PORT_5432_TCP: "tcp://10.96.0.9:5432",
};

Deno.test("readConfig() ignores what Kubernetes sets for a service called gatehouse", () => {
  assertEquals(readConfig(links), readConfig({}));
});

Deno.test("isServiceLink() knows each variable by its name and its value", () => {
  for (const [name, value] of Object.entries(links)) {
    assert(isServiceLink(name, value), name);
    for (const other of ["", "yes", "8000 ", "0", "65536", "10.96.143", "tcp://gatehouse:8000", "http://10.0.0.1:80"]) {
      assert(!isServiceLink(name, other), `${name}=${other}`);
    }
  }
});

Deno.test("readConfig() refuses what only looks like a variable of Kubernetes", () => {
  const rows = [
    ["GATEHOUSE_PORT", "8000"],
    ["GATEHOUSE_PORT", "tcp://10.0.0.1"],
    ["GATEHOUSE_PORTS", "tcp://10.0.0.1:8000"],
    ["GATEHOUSE_SERVICE_HOSTS", "10.0.0.1"],
    ["GATEHOUSE_LISTENS", "10.0.0.1:8000"],
    ["GATEHOUSE_PORT_x_TCP", "tcp://10.0.0.1:8000"],
  ] as const;
  for (const [name, value] of rows) {
    const message = assertThrows(() => readConfig({ ...links, [name]: value }), ConfigError).message;
    assertStringIncludes(message, `${name} is no setting`);
  }
});

Deno.test("isServiceLink() takes no setting for a variable of Kubernetes", () => {
  const values = [...Object.values(links), ...Object.values(settings).map((setting) => setting.default)];
  for (const { name } of Object.values(settings)) {
    for (const value of values) assert(!isServiceLink(name, value), name);
  }
});
