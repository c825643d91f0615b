/** Records for tests of stores: whole ones, told apart by their login and number. */

import type { Credential, Session, SiteLogin, Store, StoredRecord, Ticket, User } from "../../../lib/store.ts";

/** A user of that login; `changes` say what is special about it. */
export function userOf(login: string, changes: Partial<User> = {}): User {
  return {
    id: `01M81Q8R1S${login.slice(0, 16).toUpperCase().padStart(16, "0")}`,
    login,
    passwordHash: `$pbkdf2-sha256$i=1$${"s".repeat(22)}$${"h".repeat(43)}`,
    registeredAt: 1_795_343_739_123,
    groups: [],
    disabled: false,
    ...changes,
  };
}

/** A session of `login`; `id` is any text here. */
export function sessionOf(login: string, id: string, changes: Partial<Session> = {}): Session {
  return {
    id,
    login,
    secretHash: "5e".repeat(32),
    createdAt: 1_795_343_740_000,
    lastSeenAt: 1_795_343_740_000,
    userAgent: "curl/8",
    address: "192.0.2.1",
    factors: ["password"],
    authenticatedAt: 1_795_343_740_000,
    sites: [],
    ...changes,
  };
}

/** Every record that is kept, in order. */
export async function recordsIn(store: Store): Promise<readonly StoredRecord[]> {
  return (await Array.fromAsync(store.records())).flat();
}

/** The login of a session at a site. */
export function siteOf(origin: string, secretHash = "51".repeat(32)): SiteLogin {
  return { origin, secretHash };
}

/** Every session of a user that is kept. */
export async function sessionsIn(store: Store, login: string): Promise<readonly Session[]> {
  return (await store.listSessions(login, { limit: 100_000 })).items;
}

/** A ticket of the service for anyone's registration; `secretHash` is any text here. */
export function ticketOf(secretHash: string, changes: Partial<Ticket> = {}): Ticket {
  return {
    id: `id of ${secretHash}`,
    secretHash,
    purpose: "register",
    login: "",
    maker: "",
    createdAt: 1_795_343_739_123,
    expiresAt: 1_900_000_000_000,
    ...changes,
  };
}

/** A passkey of `login`; `key` is any text here. Passkeys of different keys differ in the counter. */
export function credentialOf(login: string, key: string, changes: Partial<Credential> = {}): Credential {
  return {
    id: `id of ${key}`,
    login,
    kind: "passkey",
    name: "Phone",
    createdAt: 1_795_343_740_000,
    lastUsedAt: 0,
    key,
    secret: `-48.${"k".repeat(1_779)}`,
    counter: Array.from(key).reduce((sum, character) => (sum * 31 + character.charCodeAt(0)) % 2 ** 40, 100),
    signCount: 0,
    ...changes,
  };
}

/** Deletes whoever has the login. @returns `missing` when nobody has */
export async function deleteByLogin(store: Store, login: string): Promise<string> {
  const user = await store.findUser(login);
  return user === undefined ? "missing" : await store.deleteUser(user);
}

/** A key of the service. */
export function secretOf(name: string, value = `value of ${name}`): StoredRecord {
  return { kind: "secret", record: { name, value } };
}

/** Users, and among them all that a record may have; all other kinds of records behind them. */
export function recordsOf(userCount: number): readonly StoredRecord[] {
  const special: readonly Partial<User>[] = [
    { groups: ["admin", "staff"] },
    { disabled: true },
    { passwordHash: "$pbkdf2-sha256$i=600000$c2FsdA$aGFzaA", registeredAt: 1, groups: ["a.b-c_d"] },
  ];
  const users = Array.from({ length: userCount }, (_, index): StoredRecord => {
    const id = `01M81Q8R1S${10 ** 15 + index}`;
    return { kind: "user", record: userOf(`user${index}`, { id, ...special[index] }) };
  });
  const sites = [siteOf("https://wiki.example.org"), siteOf("http://127.0.0.1:8080"), siteOf("https://[2001:db8::1]")];
  const sessions = [
    sessionOf("user0", "s1", { userAgent: "Gerät/1.0 (“ö”; \u{1f3f0})", address: "2001:db8::1" }),
    sessionOf("user0", "s2", { userAgent: "", lastSeenAt: 2_000_000_000_000, factors: ["passkey", "totp"], sites }),
    sessionOf("user0", "s3", { userAgent: `it's \\ "all" {a,b} NULL \t${"x".repeat(200)}` }),
  ];
  const tickets = [
    ticketOf("t1", { purpose: "setup", expiresAt: Number.MAX_SAFE_INTEGER }),
    ticketOf("t2", { purpose: "reset", login: "user0", maker: userOf("user0").id, createdAt: 0 }),
    ticketOf("t3", { purpose: "register", login: "nobody.yet@example.org" }),
    ticketOf("t4", { purpose: "login", login: "user0" }),
    ticketOf("t5", { purpose: "site", login: "user0" }),
  ];
  const credentials = [
    credentialOf("user0", "c1", { name: "Telefon “ö” \u{1f3f0}", counter: 1_795_343_740_000, signCount: 2 ** 32 - 1 }),
    credentialOf("user0", "c2", { kind: "totp", name: "", secret: "JBSWY3DPEHPK3PXP", lastUsedAt: 1 }),
    credentialOf("user1", "c3", { kind: "app-password", secret: "" }),
  ];
  return [
    ...users,
    ...sessions.map((session): StoredRecord => ({ kind: "session", record: session })),
    ...tickets.map((ticket): StoredRecord => ({ kind: "ticket", record: ticket })),
    secretOf("decoy"),
    ...credentials.map((credential): StoredRecord => ({ kind: "credential", record: credential })),
  ];
}

/** Inserts a user with one session. */
export async function insertWithSession(store: Store, login: string): Promise<void> {
  await store.insertUser(userOf(login));
  await store.insertSession(sessionOf(login, `session of ${login}`), userOf(login));
}
