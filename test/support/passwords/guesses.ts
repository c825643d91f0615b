/** Guesses for tests of the throttle: what came of them as one short text. */
import { type LimitStore, MemoryLimitStore, RateLimiter } from "../../../lib/limits/rate_limiter.ts";
import { type Guess, LoginThrottle } from "../../../lib/limits/login_throttle.ts";
import type { PasswordVerdict } from "../../../lib/passwords/hasher.ts";
import { testEverywhere } from "../limit_stores.ts";

export const minuteMs = 60 * 1_000;
/** The password of everybody here. */
export const right = "seven purple wombats sing";
/** The client that guesses unless another is named, and another. */
export const [first, second] = ["192.0.2.1", "192.0.2.2"];

export type Outcome = "right" | "wrong" | `wait ${number}`;
/** What is to be different from a wrong password of "alice" by the first client. */
export type Change = Partial<Guess>;
type ChangeOf = (index: number) => Change;
type Verify = () => Promise<PasswordVerdict>;

/** A throttle to guess against. */
export interface Scene {
  /** Milliseconds since the epoch; to be set. */
  readonly clock: { now: number };
  readonly throttle: LoginThrottle;
  /** Tries a password, another one each time. @param verify what says whether it is right */
  guess(change?: Change, verify?: Verify): Promise<Outcome>;
  /** So many guesses, one after another. @returns how often each outcome came: "10 wrong, 2 wait 360" */
  guesses(count: number, changeOf?: ChangeOf): Promise<string>;
  /** The same, all at once: none is verified before each is being, or is to wait. */
  guessesAtOnce(count: number, changeOf?: ChangeOf): Promise<string>;
  /** A guess that is being verified, or is to wait. */
  open(change?: Change): Promise<OpenGuess>;
}

/** A guess that is being verified until it is ended. */
export interface OpenGuess {
  /** By default it is as right as its password. */
  end(isRight?: boolean): Promise<Outcome>;
}

/** Registers a test for each store of limits. @param test makes one scene after another */
export function testScene(name: string, test: (createScene: () => Promise<Scene>) => Promise<void>): void {
  testEverywhere(name, (createStore) => test(async () => createScene(await createStore())));
}

/** Makes a throttle. @param store empty */
export function createScene(store: LimitStore = new MemoryLimitStore()): Scene {
  const clock = { now: 1_795_000_000_123 };
  const throttle = new LoginThrottle(new RateLimiter(store, () => clock.now));
  let guessCount = 0;

  async function guess(change: Change = {}, verify?: Verify): Promise<Outcome> {
    const whole = { login: "alice", password: `wrong ${guessCount++}`, client: first, device: undefined, ...change };
    const isRight = whole.password === right;
    const { waitSeconds, verdict } = await throttle.run(whole, verify ?? (() => Promise.resolve({ isRight })));
    if (verdict === undefined) return `wait ${waitSeconds}`;
    return verdict.isRight ? "right" : "wrong";
  }

  async function guesses(count: number, changeOf: ChangeOf = () => ({})): Promise<string> {
    const outcomes: Outcome[] = [];
    for (let index = 0; index < count; index++) outcomes.push(await guess(changeOf(index)));
    return summaryOf(outcomes);
  }

  async function guessesAtOnce(count: number, changeOf: ChangeOf = () => ({})): Promise<string> {
    const opened = await Promise.all(Array.from({ length: count }, (_, index) => open(changeOf(index))));
    return summaryOf(await Promise.all(opened.map(({ end }) => end())));
  }

  async function open(change: Change = {}): Promise<OpenGuess> {
    const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
    const { promise: verdict, resolve } = Promise.withResolvers<{ isRight: boolean }>();
    const outcome = guess(change, () => (begin(), verdict));
    await Promise.race([begun, outcome]);
    return {
      end: (isRight = change.password === right) => {
        resolve({ isRight });
        return outcome;
      },
    };
  }

  return { clock, throttle, guess, guesses, guessesAtOnce, open };
}

/** A guess from a client of its own, for each number below 65,536; of a login of its own; and of both. */
export const otherClient = (index: number): Change => ({ client: `198.51.${index >> 8 & 255}.${index & 255}` });
export const otherLogin = (index: number): Change => ({ login: `user${index}` });
export const other = (index: number): Change => ({ ...otherClient(index), ...otherLogin(index) });

/** In the order in which each came first, those that are to wait last. */
function summaryOf(outcomes: readonly Outcome[]): string {
  const groups = Map.groupBy(outcomes, (outcome) => outcome);
  const sorted = [...groups].toSorted(([one], [other]) =>
    Number(one.startsWith("wait")) - Number(other.startsWith("wait"))
  );
  return sorted.map(([outcome, { length }]) => `${length} ${outcome}`).join(", ");
}
