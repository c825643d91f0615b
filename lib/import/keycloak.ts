/**
 * Users of Keycloak: the export of a realm or of all realms as one file, or a file of users of an export to a folder,
 * all made by `kc.sh export`. The export of the administration console has no passwords.
 *
 * A subgroup `/staff/night` becomes `staff.night`, so that `/team/admin` does not become `admin`. Roles are not groups.
 */

import { ForeignFileError, type ForeignFormat, type ForeignUser, type RefusedRecord } from "./foreign_format.ts";
import { objectOf, readJsonObjects } from "./json_objects.ts";

/** Named alike by Keycloak and in passlib's texts. */
const pbkdf2Names: readonly string[] = ["pbkdf2", "pbkdf2-sha256", "pbkdf2-sha512"];
const argon2Types: readonly string[] = ["id", "i", "d"];
const argon2Versions: ReadonlyMap<string | undefined, number> = new Map([["1.0", 16], ["1.3", 19]]);
/** RFC 4648, 4. Longer than any salt or hash of a password. */
const base64Pattern = /^[A-Za-z0-9+/]{1,1024}={0,2}$/;

export const keycloak: ForeignFormat = {
  name: "keycloak",
  help: "JSON of kc.sh export: a realm, all realms, or the users of a realm",
  unit: "record",
  async *read({ path }) {
    let line = 0;
    for await (const record of readJsonObjects(path, ["{[", "[{["])) {
      // A realm has lists of clients, groups and others too.
      if ("username" in record || "credentials" in record) yield readUser(record, ++line);
    }
    if (line > 0) return;
    const remedy = "use kc.sh export --realm NAME --file FILE";
    throw new ForeignFileError(`Cannot read users of Keycloak from "${path}" as it has no list "users": ${remedy}`);
  },
};

function readUser(user: Record<string, unknown>, line: number): ForeignUser | RefusedRecord {
  const { username: login, createdTimestamp } = user;
  if (typeof login !== "string") return { line, reason: "it has no username" };
  const passwordHash = passwordHashOf(user["credentials"]);
  if (typeof passwordHash !== "string") return { line, login, ...passwordHash };
  const registeredAt = Number.isSafeInteger(createdTimestamp) ? createdTimestamp as number : undefined;
  return { line, login, passwordHash, registeredAt, groups: groupsOf(user), disabled: user["enabled"] === false };
}

function groupsOf({ groups }: Record<string, unknown>): string[] {
  return Array.isArray(groups) ? groups.map((path) => textOf(path).replace(/^\//, "").replaceAll("/", ".")) : [];
}

/** @returns the hash as passlib or PHC text, or why there is none */
function passwordHashOf(credentials: unknown): string | Pick<RefusedRecord, "reason" | "isWithoutPassword"> {
  const password = (Array.isArray(credentials) ? credentials : [])
    .map(objectOf).find((credential) => credential?.["type"] === "password");
  if (password === undefined) return { reason: "there is no password", isWithoutPassword: true };
  const { salt, value } = parseData(password["secretData"]);
  const { algorithm, hashIterations, additionalParameters } = parseData(password["credentialData"]);
  if (!isBase64(salt) || !isBase64(value) || !Number.isSafeInteger(hashIterations)) {
    return { reason: "its password is not as Keycloak 8 or newer writes it" };
  }
  const [iterations, secret] = [Number(hashIterations), `${unpadded(salt)}$${unpadded(value)}`];
  const name = typeof algorithm === "string" ? algorithm : "";
  if (name === "argon2") {
    const settings = argon2Settings(objectOf(additionalParameters) ?? {}, iterations);
    return settings === undefined ? { reason: "its Argon2 parameters are unknown" } : `${settings}$${secret}`;
  }
  // passlib writes "." for "+".
  if (pbkdf2Names.includes(name)) return `$${name}$${iterations}$${secret.replaceAll("+", ".")}`;
  return { reason: `its password has the unknown algorithm ${JSON.stringify(name.slice(0, 40))}` };
}

/** Keycloak keeps JSON within JSON. */
function parseData(text: unknown): Record<string, unknown> {
  try {
    return objectOf(JSON.parse(String(text))) ?? {};
  } catch {
    return {};
  }
}

/** Each parameter is a list of one text. */
function argon2Settings(parameters: Record<string, unknown>, iterations: number): string | undefined {
  const [type, version, memory, parallelism] = ["type", "version", "memory", "parallelism"]
    .map((name) => textOf([parameters[name]].flat()[0]));
  const versionNumber = argon2Versions.get(version);
  const isKnown = versionNumber !== undefined && argon2Types.includes(type ?? "") &&
    /^\d{1,9} \d{1,4}$/.test(`${memory} ${parallelism}`);
  return isKnown ? `$argon2${type}$v=${versionNumber}$m=${memory},t=${iterations},p=${parallelism}` : undefined;
}

/** Empty if it is none: an object may have a member `toString`, so it is not converted. */
function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function isBase64(value: unknown): value is string {
  return typeof value === "string" && base64Pattern.test(value);
}

function unpadded(base64: string): string {
  return base64.replace(/=+$/, "");
}
