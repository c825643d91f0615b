import { assertEquals, assertNotEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { ConfigError, readConfig } from "../../../lib/config/config.ts";
import { unknownNames } from "../../../lib/config/setting_names.ts";
import { settings } from "../../../lib/config/settings.ts";

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

Deno.test("unknownNames() knows each variable of Kubernetes by its name and value", () => {
  for (const [name, value] of Object.entries(links)) {
    assertEquals(unknownNames({ [name]: value }, []), []);
    for (
      const other of ["", "yes", "8000 ", "0", "123456", "10.96.143", "tcp://gatehouse:8000", "http://10.0.0.1:80"]
    ) {
      assertNotEquals(unknownNames({ [name]: other }, []), [], `${name}=${other}`);
    }
  }
});

Deno.test("readConfig() rejects what only resembles a variable of Kubernetes", () => {
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
    assertStringIncludes(message, `${name} is not a setting`);
  }
});

Deno.test("unknownNames() mistakes no setting for a variable of Kubernetes", () => {
  const values = [...Object.values(links), ...Object.values(settings).map((setting) => setting.default)];
  for (const { name } of Object.values(settings)) {
    for (const value of values) assertNotEquals(unknownNames({ [name]: value }, []), [], name);
  }
});
