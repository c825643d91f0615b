/**
 * Variables that Kubernetes sets for a service, in every pod of its namespace.
 *
 * A service that is called `gatehouse`, or `gatehouse-metrics`, has variables that begin with `GATEHOUSE_`. They are no
 * settings, and no misspelt ones either. See "Discovering services" in the documentation of Kubernetes; Docker has set
 * the same for links.
 */
import { isIP } from "node:net";

const isPort = (text: string) => /^[1-9]\d{0,4}$/.test(text) && Number(text) <= 65_535;

/** Beginning with the name of the service: what a variable's name is, and its value. */
const forms: readonly (readonly [name: RegExp, isValue: (text: string) => boolean])[] = [
  [/^[A-Z\d_]+_SERVICE_HOST$/, (text) => isIP(text) !== 0],
  [/^[A-Z\d_]+_SERVICE_PORT(_[A-Z\d_]+)?$/, isPort],
  [/^[A-Z\d_]+_PORT(_\d+_(TCP|UDP|SCTP))?$/, isEndpoint],
  [/^[A-Z\d_]+_PORT_\d+_(TCP|UDP|SCTP)_PROTO$/, (text) => /^(tcp|udp|sctp)$/.test(text)],
  [/^[A-Z\d_]+_PORT_\d+_(TCP|UDP|SCTP)_PORT$/, isPort],
  [/^[A-Z\d_]+_PORT_\d+_(TCP|UDP|SCTP)_ADDR$/, (text) => isIP(text) !== 0],
];

/** Whether Kubernetes has set the variable, by its name and its value. */
export function isServiceLink(name: string, value: string): boolean {
  return forms.some(([form, isValue]) => form.test(name) && isValue(value));
}

function isEndpoint(text: string): boolean {
  const [, address = "", port = ""] = /^(?:tcp|udp|sctp):\/\/(.+):(\d+)$/.exec(text) ?? [];
  return isIP(address.replace(/^\[(.+)\]$/, "$1")) !== 0 && isPort(port);
}
