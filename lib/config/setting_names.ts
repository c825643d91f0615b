/**
 * Rejects unknown `GATEHOUSE_` names, because a misspelt setting would otherwise silently keep its default.
 *
 * Variables that Kubernetes sets in every pod for a service named `gatehouse` are ignored, by name and value. See
 * "Discovering services" in its documentation; Docker set the same variables for links.
 */

import { isIP } from "node:net";
import { levenshteinDistance } from "@std/text/levenshtein-distance";
import { fileSuffix } from "./settings.ts";

const prefix = "GATEHOUSE_";

/** Names without the prefix that other programs use for a setting. */
const aliases: Readonly<Record<string, readonly string[]>> = {
  LISTEN: ["ADDR", "ADDRESS", "BIND", "HOST", "HOSTNAME", "PORT"],
  STORE: ["DATA", "DATABASE", "DATABASE_URL", "DATA_DIR", "DB", "FOLDER"],
};

/** The most letters to insert, delete or replace in a misspelt name. */
const maxTypos = 3;

/** Variables of Kubernetes: the form of the name, and the test of the value. */
const serviceLinks: readonly (readonly [name: RegExp, isValue: (text: string) => boolean])[] = [
  [/_SERVICE_HOST$|_PORT_\d+_(TCP|UDP|SCTP)_ADDR$/, (text) => isIP(text) !== 0],
  [/_SERVICE_PORT(_[A-Z\d_]+)?$|_PORT_\d+_(TCP|UDP|SCTP)_PORT$/, isPort],
  [/_PORT(_\d+_(TCP|UDP|SCTP))?$/, isEndpoint],
  [/_PORT_\d+_(TCP|UDP|SCTP)_PROTO$/, (text) => /^(tcp|udp|sctp)$/.test(text)],
];

/**
 * An error for each variable that begins like a setting and is neither one of `names` nor that of its file, with the
 * probable name.
 */
export function unknownNames(env: Readonly<Record<string, string>>, names: readonly string[]): string[] {
  const known = names.flatMap((name) => [name, name + fileSuffix]);
  return Object.entries(env)
    .filter(([name, value]) => name.startsWith(prefix) && !known.includes(name) && !isServiceLink(name, value))
    .map(([name]) => `${name} is not a setting: ${hintFor(name, known)}`);
}

function isServiceLink(name: string, value: string): boolean {
  return /^[A-Z\d_]+$/.test(name) && serviceLinks.some(([form, isValue]) => form.test(name) && isValue(value));
}

function isPort(text: string): boolean {
  return /^[1-9]\d{0,4}$/.test(text) && Number(text) <= 65_535;
}

function isEndpoint(text: string): boolean {
  const [, address = "", port = ""] = /^(?:tcp|udp|sctp):\/\/(.+):(\d+)$/.exec(text) ?? [];
  return isIP(address.replace(/^\[(.+)\]$/, "$1")) !== 0 && isPort(port);
}

function hintFor(name: string, names: readonly string[]): string {
  const word = name.slice(prefix.length).toUpperCase();
  const [, stem = word, suffix = ""] = /^(.*)(_FILE)$/.exec(word) ?? [];
  const [alias] = Object.entries(aliases).find(([, others]) => others.includes(stem)) ?? [];
  const meant = alias === undefined ? nearestName(word, names) : prefix + alias + suffix;
  return meant === undefined ? 'see "Settings" in README.md' : `did you mean ${meant}?`;
}

/** The name that differs by at most `maxTypos` letters, and by less than half of them. */
function nearestName(word: string, names: readonly string[]): string | undefined {
  return names
    .map((name) => ({ name, distance: levenshteinDistance(prefix + word, name) }))
    .filter(({ distance }) => distance <= maxTypos && distance < word.length / 2)
    .sort((a, b) => a.distance - b.distance)[0]?.name;
}
