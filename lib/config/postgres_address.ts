/**
 * Where a PostgreSQL is, from the URL of `GATEHOUSE_STORE`, in the form that libpq and its kin take:
 *
 *     postgres://USER[:PASSWORD]@HOST[:PORT]/DATABASE[?sslmode=MODE[&sslrootcert=FILE]]
 *     postgres://USER[:PASSWORD]@/DATABASE?host=FOLDER[&port=PORT]        over the unix socket in that folder
 *
 * Parts are percent-encoded. What is wrong is told without a word of the URL, as a password is in it. Over a network it
 * must be said whether the connection is encrypted: libpq, when nothing is said, falls back to plain text in silence.
 */

import { isIP } from "node:net";
import { hostWithPort } from "./listen.ts";

/** How a connection is protected: not at all, from who listens, or from who stands between as well. */
export type Encryption = "disable" | "require" | "verify-full";

/** A database, and as whom to use it. */
export interface PostgresAddress {
  /** The path of a unix socket, or a host and its port. */
  readonly target: { readonly socketPath: string } | { readonly hostname: string; readonly port: number };
  readonly database: string;
  readonly user: string;
  /** "" is none. */
  readonly password: string;
  readonly encryption: Encryption;
  /** The file with the certificates of authorities to believe; without one those that Deno believes. */
  readonly rootCertificates?: string;
}

const form = "postgres://USER:PASSWORD@HOST:PORT/DATABASE?sslmode=verify-full, or over a unix socket " +
  "postgres://USER@/DATABASE?host=FOLDER, with @ : / ? # % in a part written as %40 %3A %2F %3F %23 %25";
const defaultPort = 5_432;
const encryptions: readonly Encryption[] = ["disable", "require", "verify-full"];

/** Whether a text means a PostgreSQL, right or wrong. */
export function isPostgresUrl(text: string): boolean {
  return /^postgres(ql)?:\/\//i.test(text);
}

/**
 * The database that a URL names.
 *
 * @throws {RangeError} saying what to write instead, and nothing of the URL
 */
export function parsePostgresUrl(text: string): PostgresAddress {
  const pattern = /^postgres(?:ql)?:\/\/([^:@/?#]*)(?::([^:@/?#]*))?@([^@/?#]*)\/([^@/?#]*)(?:\?([^?#]*))?$/i;
  const [whole, ...encoded] = pattern.exec(text) ?? [];
  const [user = "", password = "", authority = "", database = ""] = encoded.slice(0, 4).map((part) => decode(part));
  if (whole === undefined || user === "" || database === "") throw new RangeError(`use ${form}`);

  const parameters = parseParameters(encoded[4] ?? "");
  const target = authority === "" ? parseSocket(parameters) : parseHost(authority, parameters);
  const protection = "socketPath" in target ? { encryption: "disable" as const } : parseEncryption(target, parameters);
  for (const name of parameters.keys()) throw new RangeError(`its parameter ${JSON.stringify(name)} does not fit here`);
  return Object.freeze({ target: Object.freeze(target), database, user, password, ...protection });
}

/** The database in a form that anyone may see. */
export function shownAddress({ target, database }: PostgresAddress): string {
  if ("socketPath" in target) return `postgres:///${encodeURIComponent(database)} at ${target.socketPath}`;
  return `postgres://${hostWithPort(target)}/${encodeURIComponent(database)}`;
}

/** The protocol ends texts with NUL, so none can have one. */
function decode(text = ""): string {
  try {
    const decoded = decodeURIComponent(text);
    if (!decoded.includes("\0")) return decoded;
  } catch (error) {
    if (!(error instanceof URIError)) throw error;
  }
  throw new RangeError(`use ${form}`);
}

function parseParameters(text: string): Map<string, string> {
  const parameters = new Map<string, string>();
  for (const part of text === "" ? [] : text.split("&")) {
    const [name = "", value = ""] = part.split("=", 2).map(decode);
    if (!["host", "port", "sslmode", "sslrootcert"].includes(name)) {
      throw new RangeError("it has a parameter other than host, port, sslmode and sslrootcert");
    }
    if (parameters.has(name) || value === "") throw new RangeError(`its parameter "${name}" must be there once`);
    parameters.set(name, value);
  }
  return parameters;
}

function parseSocket(parameters: Map<string, string>) {
  const folder = take(parameters, "host") ?? "";
  if (!folder.startsWith("/")) {
    throw new RangeError(`its host must be an absolute folder when none stands before /; use ${form}`);
  }
  // PostgreSQL names the socket so whatever listens on TCP.
  return { socketPath: `${folder.replace(/\/+$/, "")}/.s.PGSQL.${parsePort(take(parameters, "port"))}` };
}

function parseHost(authority: string, parameters: Map<string, string>) {
  const [, ipv6, name = "", port] = /^(?:\[([\da-f:.]+)\]|([^:[\],]+))(?::(.+))?$/i.exec(authority) ?? [];
  const hostname = ipv6 ?? name;
  const isValid = ipv6 === undefined ? /^[\w.-]+$/.test(name) : isIP(ipv6) === 6;
  if (!isValid || parameters.has("host")) throw new RangeError(`it must have one host; use ${form}`);
  return { hostname, port: parsePort(port) };
}

function parsePort(text: string | undefined): number {
  const port = text === undefined ? defaultPort : /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (port < 1 || port > 65_535) throw new RangeError("its port must be a number from 1 to 65535");
  return port;
}

function parseEncryption(target: { hostname: string }, parameters: Map<string, string>) {
  const mode = take(parameters, "sslmode") ?? (isLoopback(target.hostname) ? "disable" : undefined);
  const encryption = encryptions.find((candidate) => candidate === mode);
  if (encryption === undefined) {
    throw new RangeError(
      "it must say ?sslmode=verify-full, or sslmode=require (encrypted, but with whoever answers) or " +
        "sslmode=disable (for a network that nobody else is in)",
    );
  }
  if (encryption !== "verify-full") return { encryption };
  const file = take(parameters, "sslrootcert");
  // What libpq calls the authorities that the system believes.
  return file === undefined || file === "system" ? { encryption } : { encryption, rootCertificates: file };
}

function isLoopback(hostname: string): boolean {
  return hostname === "localhost" || hostname === "::1" || isIP(hostname) === 4 && hostname.startsWith("127.");
}

function take(parameters: Map<string, string>, name: string): string | undefined {
  const value = parameters.get(name);
  parameters.delete(name);
  return value;
}
