/**
 * Parsers of the table of settings: each turns the text of one setting into its frozen value.
 *
 * A parser throws a RangeError that says what is accepted, and repeats nothing of the text, which may be a secret.
 * `readConfig` adds the name, and the text of a variable.
 */

import { isIP } from "node:net";
import { isPostgresUrl, parsePostgresUrl, type PostgresAddress } from "./postgres_address.ts";

/** A data folder, or a PostgreSQL database. */
export type StoreLocation = { readonly folder: string } | PostgresAddress;

const localHost = /^((.+\.)?localhost|127(\.\d+){3}|\[::1\])$/;
/** Origins cannot contain a password. */
const onlyOrigins = /^https?:\/\/[a-z\d.:[\]-]+(, *https?:\/\/[a-z\d.:[\]-]+)*$/;

/** A session holds a login for each. */
export const maxSites = 64;
/** Characters of the longest origin: a host name has at most 253 (RFC 1035). */
const maxOriginLength = "https://".length + 253 + ":65535".length;

export const msPerHour = 60 * 60 * 1_000;

/** Names that systems, apps and people associate with an administrator (RFC 2142 among others). */
export const defaultReservedLogins = [
  ...["admin", "administrator", "root", "superuser", "sudo", "sysadmin", "system", "operator", "owner"],
  ...["support", "security", "abuse", "postmaster", "hostmaster", "webmaster", "noreply", "no-reply"],
  ...["nobody", "guest", "anonymous", "api", "www", "gatehouse"],
].join(",");

/** Stands for an empty list, because an empty setting is usually a mistake and rejected. */
export const noLogins = "none";

/** A login as in `lib/accounts/user.ts`, in any case, or `*@DOMAIN`. */
const parseReservedLogin = matching(
  /^([a-z0-9][a-z0-9._@+-]{0,63}|\*@[a-z0-9._-]{1,62})$/i,
  `use a login or *@DOMAIN, as in admin,*@example.org, or ${noLogins}`,
);

/** Parses a whole number; both limits are included. */
export function wholeNumber(least: number, most: number): (text: string) => number {
  return (text) => {
    // Digits only: `Number` would accept "1e3", " 5", "+5" and "0x10".
    if (/^\d+$/.test(text) && Number(text) >= least && Number(text) <= most) return Number(text);
    throw new RangeError(`use a whole number from ${least} to ${most}, in digits`);
  };
}

/** Parses a whole number of hours as milliseconds. */
export function hours(least: number, most: number): (text: string) => number {
  const parse = wholeNumber(least, most);
  return (text) => parse(text) * msPerHour;
}

/** Parses one of the given words. */
export function oneOf<Choice extends string>(...choices: readonly Choice[]): (text: string) => Choice {
  return (text) => {
    const choice = choices.find((candidate) => candidate === text);
    if (choice !== undefined) return choice;
    throw new RangeError(`use ${choices.join(" or ")}`);
  };
}

/** Parses any text that matches. */
function matching(pattern: Pick<RegExp, "test">, remedy: string): (text: string) => string {
  return (text) => {
    if (pattern.test(text)) return text;
    throw new RangeError(remedy);
  };
}

/** Parses a comma-separated list; `none` is an empty one. Its errors have the number of the first bad entry. */
function list(parseEntry: (text: string) => string, none = ""): (text: string) => readonly string[] {
  return (text) => {
    const entries = text === none ? [] : text.split(/, */);
    return Object.freeze(entries.map((entry, index) => named(`entry ${index + 1}`, () => parseEntry(entry))));
  };
}

/** Reads a value, and puts its name in front of an error. */
export function named<Read>(name: string, read: () => Read): Read {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new RangeError(`${name}: ${error.message}`, { cause: error });
  }
}

/** Parses the path of a folder or the URL of a database. @throws {RangeError} saying what is accepted instead */
export function parseStore(text: string): StoreLocation {
  if (isPostgresUrl(text)) return parsePostgresUrl(text);
  // Also in a line of an env file, or after a space: as the name of a folder, the password would be in the log.
  if (text.includes("://")) throw new RangeError("use the path of a folder, or postgres://…, and nothing before it");
  // A shell would replace them; an env file and systemd's `Environment=` do not, and the folder would be `./~`.
  if (/^[~$]/.test(text)) throw new RangeError(`"${text.charAt(0)}" is not expanded here: write the full path`);
  // deno-lint-ignore no-control-regex -- a line break or tab comes from a misread file of settings
  if (/[\0-\x1f\x7f]/.test(text)) throw new RangeError("use a path without control characters");
  return Object.freeze({ folder: text });
}

/** Parses a title: 1 to 40 characters, without line breaks or control characters. @throws {RangeError} */
export const parseTitle = matching(
  /^[^\p{C}\u2028\u2029]{1,40}$/u,
  "use 1 to 40 characters, without control characters",
);

/** Parses addresses and CIDR blocks. @throws {RangeError} with the number of the first bad entry */
export const parseProxies = list(
  matching({ test: isAddressOrBlock }, "use an address or CIDR block, as in 10.0.0.0/8,2001:db8::1"),
);

/** Parses origins as browsers send them. @throws {RangeError} with the number of the first bad entry */
export const parseOrigins = list(parseOrigin);

/** Parses at most 64 origins of guarded sites. @throws {RangeError} as `parseOrigins` */
export function parseSites(text: string): readonly string[] {
  const sites = parseOrigins(text);
  if (sites.length > maxSites) throw new RangeError(`use at most ${maxSites} origins`);
  if (sites.some(({ length }) => length > maxOriginLength)) {
    throw new RangeError("a host name has at most 253 characters");
  }
  return sites;
}

/** Parses an origin, or an empty text, which only the default is. @throws {RangeError} */
export function parseHome(text: string): string {
  return text === "" ? "" : parseOrigin(text);
}

function parseOrigin(origin: string): string {
  const url = URL.parse(origin);
  if (url === null || origin.includes("*")) throw new RangeError("use an origin, such as https://app.example.org");
  // Anyone on the way could read a token that is sent over plain HTTP, or change the page that has it.
  if (url.protocol !== "https:" && !(url.protocol === "http:" && localHost.test(url.hostname))) {
    throw new RangeError("an origin must begin with https://, or with http:// if its host is localhost");
  }
  if (url.origin !== origin) throw new RangeError(`an origin is only scheme, host and port: write ${url.origin}`);
  return origin;
}

/** Parses the name of an instance; an empty text, which only the default is, is `undefined`. @throws {RangeError} */
export function parseInstance(text: string): string | undefined {
  if (text === "" || /^[\w.-]{1,40}$/.test(text)) return text || undefined;
  throw new RangeError("use 1 to 40 of A-Z a-z 0-9 . _ -");
}

/**
 * Parses logins, and `*@DOMAIN` for every login that ends in `@DOMAIN`, to lower case.
 *
 * @throws {RangeError} with the number of the first bad entry
 */
export const parseReservedLogins = list((text) => parseReservedLogin(text).toLowerCase(), noLogins);

function isAddressOrBlock(text: string): boolean {
  const [, address = "", , prefixLength = "0"] = /^([^/%]+)(\/(\d+))?$/.exec(text) ?? [];
  const version = isIP(address);
  return version !== 0 && Number(prefixLength) <= (version === 4 ? 32 : 128);
}

/** Whether a login requires a ticket: apps often give rights to names they know, or to addresses of their domain. */
export function isReservedLogin(login: string, reserved: readonly string[]): boolean {
  return reserved.some((entry) => entry.startsWith("*") ? login.endsWith(entry.slice(1)) : login === entry);
}

/** The value as a message shows it: on one line, without secrets. */
export function quote(text: string): string {
  return JSON.stringify(withoutSecret(text));
}

/**
 * Of a URL, even in quotes or in a line of an env file, only the scheme, because the rest may contain a password.
 * Origins and other texts stay.
 */
export function withoutSecret(text: string): string {
  if (onlyOrigins.test(text)) return text;
  return text.replace(/(?<=^([\w\s]+=)?["'\s]*[a-z][a-z\d+.-]*:\/\/).+/is, "…");
}
