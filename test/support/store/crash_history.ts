/** One history of changes that tries every kind of change, for tests that interrupt it at any call to the disk. */
import type { Session, Store, Ticket, User } from "../../../lib/store.ts";
import { deleteByLogin, sessionOf, ticketOf, userOf } from "./records.ts";

/** What is kept of one login. */
export interface Kept {
  readonly user: User | undefined;
  readonly sessions: readonly Session[];
  readonly ticket?: Ticket | undefined;
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
export const nothing: Kept = { user: undefined, sessions: [] };

/** Rounds of changes that are made side by side; each round has at most one of a login. */
export function history(): Step[][] {
  const rounds: Step[][] = [
    [register("alice")],
    [register("bob"), register("carol"), register("dave")],
    [logIn("alice", "s1"), logIn("bob", "s1"), changePassword("carol", "new")],
    [invite("gina"), ensureSecret("key")],
    [logIn("alice", "s2"), registerByTicket("gina"), disable("bob"), logIn("carol", "s1"), remove("dave")],
    [touch("alice", "s1"), register("dave"), logOut("carol", "s1"), ensureSecret("key")],
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
    after: ({ user, sessions }) => ({ user: user && change(user), sessions: changeSessions(sessions) }),
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
    after: ({ user, sessions }) => ({ user, sessions: [...sessions, session] }),
  };
}

function touch(login: string, id: string, later = 0): Step {
  const lastSeenAt = 1_800_000_000_000 + later;
  return {
    login,
    make: (store) => store.touchSession(`${login} ${id}`, lastSeenAt).then(() => true),
    after: ({ user, sessions }) => ({
      user,
      sessions: sessions.map((session) => session.id === `${login} ${id}` ? { ...session, lastSeenAt } : session),
    }),
  };
}

function logOut(login: string, id: string): Step {
  return {
    login,
    make: (store) => store.deleteSession(`${login} ${id}`),
    after: ({ user, sessions }) => ({ user, sessions: sessions.filter((session) => session.id !== `${login} ${id}`) }),
  };
}
