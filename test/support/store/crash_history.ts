/** One history of changes that tries every kind of change, for tests that interrupt it at any call to the disk. */
import type { Credential, Session, Store, Ticket, User } from "../../../lib/store.ts";
import { credentialOf, deleteByLogin, sessionOf, siteOf, ticketOf, userOf } from "./records.ts";

/** What is kept of one login; credentials in order of their ids. */
export interface Kept {
  readonly user: User | undefined;
  readonly sessions: readonly Session[];
  readonly ticket?: Ticket | undefined;
  readonly credentials: readonly Credential[];
  /** Of the secret that has the login as its name. */
  readonly value?: string | undefined;
}

/** A change of one login: how it is made, and what is kept after it. */
interface Step {
  readonly login: string;
  readonly make: (store: Store) => Promise<unknown>;
  readonly after: (before: Kept) => Kept;
}

/** A login that no user has. */
export const nothing: Kept = { user: undefined, sessions: [], credentials: [] };

/** Rounds of changes that are made side by side; each round has at most one of a login. */
export function history(): Step[][] {
  const rounds: Step[][] = [
    [register("alice")],
    [register("bob"), register("carol"), register("dave")],
    [logIn("alice", "s1"), logIn("bob", "s1"), changePassword("carol", "new")],
    [invite("gina"), ensureSecret("key")],
    [logIn("alice", "s2"), registerByTicket("gina"), disable("bob"), logIn("carol", "s1"), remove("dave")],
    [touch("alice", "s1"), register("dave"), logOut("carol", "s1"), ensureSecret("key")],
    [addFactors("alice"), logIn("dave", "s0"), addFactors("carol")],
    [giveTicket("alice", "login"), addFactors("dave"), remove("carol")],
    [logInByCode("alice", "s3"), stepUp("dave", "s0"), register("carol")],
    [replaceCodes("dave"), removePasskey("alice")],
    [giveTicket("alice", "site"), giveTicket("dave", "site")],
    [logInAtSite("alice", "s1"), logInAtSite("dave", "s0")],
  ];
  for (let index = 0; index < 6; index++) {
    rounds.push([register(`user${index}`), changePassword("alice", `alice ${index}`)]);
    rounds.push([changePassword(`user${index}`, "x".repeat(300)), touch("alice", "s2", index)]);
  }
  rounds.push([remove("alice"), logIn("dave", "s1"), remove("user3"), disable("user4")]);
  rounds.push([register("alice"), changePassword("dave", "last")], [logOut("dave", "s1")]);
  return rounds;
}

function register(login: string): Step {
  const user = userOf(login);
  return {
    login,
    make: async (store) => await store.insertUser(user) === "done",
    after: (before) => ({ ...before, user }),
  };
}

function invite(login: string): Step {
  const ticket = ticketOf(login);
  return {
    login,
    make: async (store) => await store.insertTicket(ticket) === "done",
    after: () => ({ ...nothing, ticket }),
  };
}

function ensureSecret(name: string): Step {
  const value = `value of ${name}`;
  return {
    login: name,
    make: async (store) => await store.ensureSecret({ name, value }) === value,
    after: () => ({ ...nothing, value }),
  };
}

function registerByTicket(login: string): Step {
  const user = userOf(login);
  return {
    login,
    make: async (store) => await store.insertUser(user, login) === "done",
    after: () => ({ ...nothing, user }),
  };
}

function passkeyOf(login: string, counter = 0): Credential {
  return credentialOf(login, `${login} passkey`, { secret: "key", counter });
}

function codeOf(login: string, name: string): Credential {
  return credentialOf(login, `${login} ${name}`, { kind: "recovery", secret: "" });
}

function addFactors(login: string): Step {
  return addCredentials(login, () => [codeOf(login, "code 1"), codeOf(login, "code 2"), passkeyOf(login)]);
}

function replaceCodes(login: string): Step {
  return addCredentials(login, () => [codeOf(login, "code 3"), passkeyOf(login, 5)], [codeOf(login, "code 3")]);
}

function addCredentials(login: string, all: () => readonly Credential[], added = all()): Step {
  return {
    login,
    async make(store) {
      const user = await store.findUser(login);
      return user !== undefined && await store.insertCredentials(user, added) === "done";
    },
    after: (before) => ({ ...before, credentials: all() }),
  };
}

function removePasskey(login: string): Step {
  return {
    login,
    make: async (store) => await store.deleteCredentials(login, { id: passkeyOf(login).id }) === 1,
    after: (before) => ({ ...before, credentials: before.credentials.filter(({ kind }) => kind === "recovery") }),
  };
}

/** Makes a ticket for a login that waits for the second factor, or for one at a site. */
function giveTicket(login: string, purpose: "login" | "site"): Step {
  const ticket = ticketOf(login, { purpose, login });
  return {
    login,
    make: async (store) => await store.insertTicket(ticket) === "done",
    after: (before) => ({ ...before, ticket }),
  };
}

/** Uses up a ticket for a login, and a recovery code. */
function logInByCode(login: string, id: string): Step {
  const session = sessionOf(login, `${login} ${id}`, { factors: ["password", "recovery"] });
  const current = codeOf(login, "code 1");
  return {
    login,
    async make(store) {
      const user = await store.findUser(login);
      const use = { current, next: undefined };
      return user !== undefined && await store.insertSession(session, user, { ticketHash: login, use });
    },
    after: (before) => ({
      ...before,
      sessions: [...before.sessions, session],
      ticket: undefined,
      credentials: before.credentials.filter(({ key }) => key !== current.key),
    }),
  };
}

function stepUp(login: string, id: string): Step {
  const use = { current: passkeyOf(login), next: passkeyOf(login, 5) };
  const authenticatedAt = 1_800_000_000_000;
  const [sessionId, factors] = [`${login} ${id}`, ["password", "passkey"] as const];
  return {
    login,
    async make(store) {
      const user = await store.findUser(login);
      return user !== undefined && await store.updateSession(sessionId, user, { factors, authenticatedAt, use });
    },
    after: (before) => ({
      ...before,
      sessions: updated(before.sessions, sessionId, { factors, authenticatedAt }),
      credentials: before.credentials.map((credential) => credential.kind === "passkey" ? use.next : credential),
    }),
  };
}

/** Uses up a ticket for a site. */
function logInAtSite(login: string, id: string): Step {
  const site = siteOf("https://wiki.example.org");
  return {
    login,
    async make(store) {
      const user = await store.findUser(login);
      return user !== undefined && await store.updateSession(`${login} ${id}`, user, { ticketHash: login, site });
    },
    after: (before) => ({
      ...before,
      sessions: updated(before.sessions, `${login} ${id}`, { sites: [site] }),
      ticket: undefined,
    }),
  };
}

function changePassword(login: string, passwordHash: string): Step {
  return replace(login, (user) => ({ ...user, passwordHash }), (sessions) => sessions);
}

function disable(login: string): Step {
  return replace(login, (user) => ({ ...user, disabled: true }), () => []);
}

function replace(
  login: string,
  change: (user: User) => User,
  changeSessions: (sessions: readonly Session[]) => readonly Session[],
): Step {
  return {
    login,
    async make(store) {
      const user = await store.findUser(login);
      return user !== undefined && await store.replaceUser(user, change(user)) === "done";
    },
    after: ({ user, sessions, ...more }) => ({
      ...more,
      user: user && change(user),
      sessions: changeSessions(sessions),
    }),
  };
}

function remove(login: string): Step {
  return { login, make: async (store) => await deleteByLogin(store, login) === "done", after: () => nothing };
}

function logIn(login: string, id: string): Step {
  const session = sessionOf(login, `${login} ${id}`);
  return {
    login,
    async make(store) {
      const user = await store.findUser(login);
      return user !== undefined && await store.insertSession(session, user);
    },
    after: ({ sessions, ...more }) => ({ ...more, sessions: [...sessions, session] }),
  };
}

function touch(login: string, id: string, later = 0): Step {
  const lastSeenAt = 1_800_000_000_000 + later;
  return {
    login,
    make: (store) => store.touchSession(`${login} ${id}`, lastSeenAt).then(() => true),
    after: ({ sessions, ...more }) => ({ ...more, sessions: updated(sessions, `${login} ${id}`, { lastSeenAt }) }),
  };
}

/** The sessions after a change of one. */
function updated(sessions: readonly Session[], id: string, changes: Partial<Session>): readonly Session[] {
  return sessions.map((session) => session.id === id ? { ...session, ...changes } : session);
}

function logOut(login: string, id: string): Step {
  return {
    login,
    make: (store) => store.deleteSession(`${login} ${id}`),
    after: ({ sessions, ...more }) => ({ ...more, sessions: sessions.filter((one) => one.id !== `${login} ${id}`) }),
  };
}
