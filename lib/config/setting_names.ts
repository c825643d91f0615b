/**
 * Rejects unknown `GATEHOUSE_` names, because a misspelt setting would otherwise silently keep its default.
 *
 * Variables that Kubernetes sets in every pod for a service named `gatehouse` are ignored, by name and value. See
 * "Discovering services" in its documentation; Docker set the same variables for links.
 */

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

const protocol = "(tcp|udp|sctp)";
const port = String.raw`[1-9]\d{0,4}`;
const address = String.raw`((\d+\.){3}\d+|[\da-f:]*:[\da-f:]+)`;
const endpoint = String.raw`${protocol}://([\d.]+|\[[\da-f:]+\]):${port}`;
const portName = String.raw`PORT_\d+_${protocol.toUpperCase()}`;
/** Variables of Kubernetes, as NAME=VALUE. */
const serviceLink = new RegExp(
  String.raw`^[A-Z\d_]+_(SERVICE_HOST=${address}|SERVICE_PORT(_[A-Z\d_]+)?=${port}|(PORT|${portName})=${endpoint}|` +
    `${portName}_(ADDR=${address}|PORT=${port}|PROTO=${protocol}))$`,
);

/**
 * An error for each variable that begins like a setting and is neither one of `names` nor that of its file, with the
 * probable name.
 */
export function unknownNames(env: Readonly<Record<string, string>>, names: readonly string[]): string[] {
  const known = names.flatMap((name) => [name, name + fileSuffix]);
  return Object.entries(env)
    .filter(([name, value]) =>
      name.startsWith(prefix) && !known.includes(name) && !serviceLink.test(`${name}=${value}`)
    )
    .map(([name]) => `${name} is not a setting: ${hintFor(name, known)}`);
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
