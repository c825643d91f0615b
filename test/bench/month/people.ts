/**
 * A hundred users as a small company has them: they log in and out, look around, mistype, change their passwords, leave
 * sessions and tickets behind, and some leave and are replaced.
 *
 * Each user has an address of their own. What they expect to be in the register is kept, so that a backup can be
 * compared with it.
 */

const passwords = ["mellow-otter-41-lantern", "velvet-harbor-93-piano", "copper-meadow-77-violin"];
const userCount = 100;

/** A user as the register should have them. */
export interface Person {
  readonly login: string;
  readonly address: string;
  password: string;
  token: string | undefined;
  /** Milliseconds of the real clock; Infinity before and during the registration. */
  registeredAt: number;
}

interface Call {
  readonly by: Pick<Person, "address" | "token">;
  readonly body?: unknown;
  readonly expect: readonly number[];
}

/** All of them, and the service that they use. */
export class People {
  /** Changes when the service is started again. */
  url = "";
  /** Responses with another status than expected. */
  readonly surprises: string[] = [];
  requestCount = 0;
  readonly #people: Person[] = [];
  /** They do one thing after another. */
  readonly #busy = new Set<Person>();
  readonly #admin: Person = newPerson("grace", 0);
  #newcomerCount = userCount;

  /** The users whose registration was complete before that moment, in milliseconds of the real clock. */
  registeredBefore(moment: number): string[] {
    return this.#people.filter(({ registeredAt }) => registeredAt < moment).map(({ login }) => login);
  }

  /** @param setupTicket the ticket for the first administrator */
  async moveIn(setupTicket: string): Promise<void> {
    await this.#register(this.#admin, setupTicket);
    for (let number = 1; number <= userCount; number++) {
      const person = newPerson(`user${number}`, number);
      this.#people.push(person);
      await this.#register(person);
    }
  }

  /** One user, by chance, does one thing, unless they still do the last one. */
  async act(): Promise<void> {
    const person = this.#people[Math.floor(Math.random() * this.#people.length)];
    if (person === undefined || this.#busy.has(person)) return;
    this.#busy.add(person);
    try {
      await this.#actAs(person);
    } finally {
      this.#busy.delete(person);
    }
  }

  /** More than half of it is looking around. */
  async #actAs(person: Person): Promise<void> {
    const chance = Math.random();
    if (person.token === undefined || chance < 0.2) return await this.#logIn(person);
    if (chance < 0.75) return await this.#lookAround(person);
    if (chance < 0.85) return await this.#logOut(person);
    if (chance < 0.9) return await this.#mistype(person);
    if (chance < 0.95) return await this.#changePassword(person);
    if (chance < 0.97) return await this.#replace(person);
    return await this.#administer(person);
  }

  async #register(person: Person, ticket?: string): Promise<void> {
    const { login, password } = person;
    const body = { login, password, ...ticket === undefined ? {} : { ticket } };
    await this.#call("POST /user/", { by: person, body, expect: [201] });
    person.registeredAt = Date.now();
  }

  async #logIn(person: Pick<Person, "login" | "password" | "address" | "token">): Promise<void> {
    const { login, password } = person;
    // A session that is left behind expires.
    const by = { address: person.address, token: undefined };
    const response = await this.#call("POST /session/", { by, body: { login, password }, expect: [201] });
    person.token = JSON.parse(response).token;
  }

  async #lookAround(person: Person): Promise<void> {
    // The session may have expired, or have been ended by the user's own change of the password.
    await this.#call("GET /session/", { by: person, expect: [200, 401] });
    await this.#call("GET /guard/users", { by: person, expect: [200, 401] });
    await this.#call(`GET /user/${person.login}/session/`, { by: person, expect: [200, 401] });
  }

  async #logOut(person: Person): Promise<void> {
    await this.#call("DELETE /session/", { by: person, expect: [204, 401] });
    person.token = undefined;
  }

  async #mistype(person: Person): Promise<void> {
    const body = { login: person.login, password: `${person.password}?` };
    await this.#call("POST /session/", { by: person, body, expect: [401] });
  }

  async #changePassword(person: Person): Promise<void> {
    await this.#logIn(person);
    const password = passwords[(passwords.indexOf(person.password) + 1) % passwords.length] ?? "";
    const body = { current_password: person.password, password };
    await this.#call(`PUT /user/${person.login}/password`, { by: person, body, expect: [204] });
    person.password = password;
  }

  async #replace(person: Person): Promise<void> {
    await this.#logIn(person);
    // 403 on a busy machine, where 10 minutes of the fast clock are over before.
    const problem = await this.#call(`DELETE /user/${person.login}`, { by: person, expect: [204, 403] });
    if (problem !== "") return;
    this.#people.splice(this.#people.indexOf(person), 1);
    const newcomer = newPerson(`user${++this.#newcomerCount}`, this.#newcomerCount);
    await this.#register(newcomer);
    this.#people.push(newcomer);
  }

  async #administer({ login }: Person): Promise<void> {
    const by = { ...this.#admin };
    await this.#logIn(by);
    await this.#call("GET /user/?limit=1000", { by, expect: [200] });
    await this.#call("GET /status/", { by, expect: [200] });
    await this.#call("GET /metrics", { by: { ...by, address: "" }, expect: [200] });
    // Left behind too.
    await this.#call("POST /ticket/", { by, body: { purpose: "reset", login }, expect: [201] });
    const body = { groups: Math.random() < 0.5 ? ["staff"] : [] };
    await this.#call(`PATCH /user/${login}`, { by, body, expect: [200] });
  }

  /** @returns the body */
  async #call(target: string, { by, body, expect }: Call): Promise<string> {
    const [method = "", path] = target.split(" ");
    const response = await fetch(this.url + path, {
      method,
      redirect: "manual",
      headers: {
        ...by.address === "" ? {} : { "X-Forwarded-For": by.address },
        ...body === undefined ? {} : { "Content-Type": "application/json" },
        ...by.token === undefined ? {} : { Authorization: `Bearer ${by.token}` },
      },
      ...body === undefined ? {} : { body: JSON.stringify(body) },
    });
    this.requestCount++;
    const text = await response.text();
    if (!expect.includes(response.status)) this.surprises.push(`${target}: ${response.status} ${text}`);
    return text;
  }
}

function newPerson(login: string, number: number): Person {
  const address = ["10", number >> 16 & 255, number >> 8 & 255, number & 255].join(".");
  return { login, address, password: passwords[0] ?? "", token: undefined, registeredAt: Infinity };
}
