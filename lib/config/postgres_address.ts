/**
 * The address of a PostgreSQL database, from the URL of `GATEHOUSE_STORE` in the form of libpq:
 *
 *     postgres://USER[:PASSWORD]@HOST[:PORT][,HOST[:PORT]…]/DATABASE[?sslmode=MODE[&sslrootcert=FILE]]
 *     postgres://USER[:PASSWORD]@/DATABASE?host=FOLDER[&port=PORT]        over the unix socket in that folder
 *
 * Parts are percent-encoded. Errors never quote the URL, as it has a password. Over a network `sslmode` is required:
 * without it, libpq silently falls back to plain text.
 */

import { isIP } from "node:net";
import { hostWithPort } from "./listen.ts";

/** No protection, protection against readers, or also against servers in between. */
export type Encryption = "disable" | "require" | "verify-full";

/** Where a server listens: the host is a name, an IP address, or the absolute folder of a unix socket. */
export interface PostgresServer {
  readonly hostname: string;
  readonly port: number;
}

/** A database and its user. */
export interface PostgresAddress {
  /** At least one. */
  readonly servers: readonly PostgresServer[];
  /** Whether to use only a server that accepts changes: always with several, as the others are its standbys. */
  readonly requiresWritable: boolean;
  readonly database: string;
  readonly user: string;
  /** "" without a password. */
  readonly password: string;
  readonly encryption: Encryption;
  /** A file with the certificates of trusted authorities; by default those that Deno trusts. */
  readonly rootCertificates?: string;
}

type Parameters = ReadonlyMap<string, string>;

const form = "postgres://USER:PASSWORD@HOST:PORT/DATABASE?sslmode=verify-full, with several HOST:PORT separated by " +
  "commas, or over a unix socket postgres://USER@/DATABASE?host=FOLDER, with @ : / ? # % in a part written as " +
  "%40 %3A %2F %3F %23 %25";
const pattern = /^postgres(?:ql)?:\/\/([^:@/?#]*)(?::([^:@/?#]*))?@([^@/?#]*)\/([^@/?#]*)(?:\?([^?#]*))?$/i;
const parameterNames = ["host", "port", "sslmode", "sslrootcert", "target_session_attrs"];
const defaultPort = "5432";

/** Whether a text is meant as the URL of a PostgreSQL database, right or wrong. */
export function isPostgresUrl(text: string): boolean {
  return /^postgres(ql)?:\/\//i.test(text);
}

/**
 * Parses the URL of a database.
 *
 * @throws {RangeError} with the accepted form, and nothing of the URL
 */
export function parsePostgresUrl(text: string): PostgresAddress {
  const [user = "", password = "", hosts = "", database = "", query = ""] = pattern.exec(text)?.slice(1) ?? [];
  if (user === "" || database === "") throw new RangeError(`use ${form}`);
  const parameters = parseParameters(query);
  const isSocket = hosts === "";
  const servers = isSocket ? [parseSocket(parameters)] : decode(hosts).split(",").map(parseServer);
  const encryption = isSocket ? "disable" : parseEncryption(servers, parameters);
  const file = parameters.get("sslrootcert");

  const fitting = isSocket ? ["host", "port"] : ["sslmode", ...(encryption === "verify-full" ? ["sslrootcert"] : [])];
  const other = [...parameters.keys()].find((name) => ![...fitting, "target_session_attrs"].includes(name));
  if (other !== undefined) throw new RangeError(`its parameter "${other}" does not fit here`);
  const attributes = parameters.get("target_session_attrs");
  if ((attributes ?? "read-write") !== "read-write") {
    throw new RangeError("its target_session_attrs can only be read-write: a standby accepts no changes");
  }
  return Object.freeze({
    servers: Object.freeze(servers),
    requiresWritable: servers.length > 1 || attributes !== undefined,
    database: decode(database),
    user: decode(user),
    password: decode(password),
    encryption,
    // "system" is libpq's name for the default.
    ...(file === undefined || file === "system" ? {} : { rootCertificates: file }),
  });
}

/** The database without user and password, for logs and errors. */
export function shownAddress({ servers, database }: PostgresAddress): string {
  const [path] = servers.map(socketPathOf);
  if (path !== undefined) return `postgres:///${encodeURIComponent(database)} at ${path}`;
  return `postgres://${servers.map(hostWithPort).join()}/${encodeURIComponent(database)}`;
}

/** The path of a unix socket; `undefined` for a host. PostgreSQL names its socket by the port. */
export function socketPathOf({ hostname, port }: PostgresServer): string | undefined {
  return hostname.startsWith("/") ? `${hostname}/.s.PGSQL.${port}` : undefined;
}

/** Rejects NUL, which ends texts in the protocol. */
function decode(text: string): string {
  try {
    const decoded = decodeURIComponent(text);
    if (!decoded.includes("\0")) return decoded;
  } catch (error) {
    if (!(error instanceof URIError)) throw error;
  }
  throw new RangeError(`use ${form}`);
}

function parseParameters(query: string): Parameters {
  const parameters = new Map<string, string>();
  for (const part of query === "" ? [] : query.split("&")) {
    const [name = "", value = ""] = part.split("=", 2).map(decode);
    if (!parameterNames.includes(name)) throw new RangeError(`its parameters can be ${parameterNames.join(", ")}`);
    if (parameters.has(name) || value === "") throw new RangeError(`its parameter "${name}" needs one value`);
    parameters.set(name, value);
  }
  return parameters;
}

function parseSocket(parameters: Parameters): PostgresServer {
  const folder = (parameters.get("host") ?? "").replace(/\/+$/, "");
  if (!folder.startsWith("/")) throw new RangeError(`without a host, ?host= must be an absolute folder; use ${form}`);
  return { hostname: folder, port: parsePort(parameters.get("port")) };
}

function parseServer(text: string): PostgresServer {
  const [, ipv6, name = "", port] = /^(?:\[([\da-f:.]+)\]|([^:[\],]+))(?::(.+))?$/i.exec(text) ?? [];
  const isValid = ipv6 === undefined ? /^[\w.-]+$/.test(name) : isIP(ipv6) === 6;
  if (!isValid) throw new RangeError(`one of its hosts is invalid or missing; use ${form}`);
  return { hostname: ipv6 ?? name, port: parsePort(port) };
}

function parsePort(text = defaultPort): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (port < 1 || port > 65_535) throw new RangeError("its port must be a number from 1 to 65535");
  return port;
}

function parseEncryption(servers: readonly PostgresServer[], parameters: Parameters): Encryption {
  const areLoopback = servers.every(({ hostname }) =>
    ["localhost", "::1"].includes(hostname) || isIP(hostname) === 4 && hostname.startsWith("127.")
  );
  const mode = parameters.get("sslmode") ?? (areLoopback ? "disable" : undefined);
  if (mode === "disable" || mode === "require" || mode === "verify-full") return mode;
  throw new RangeError(
    "over a network it must have ?sslmode=verify-full, or sslmode=require (encrypted, but the server is not " +
      "verified), or sslmode=disable (only for a private network)",
  );
}
