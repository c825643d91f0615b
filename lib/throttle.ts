/**
 * How many wrong passwords are tried: the brake on guessing, beside the cost of a hash.
 *
 * Counted before the hash, so that any number of guesses at once counts, and taken back when the password was right.
 *
 *     10 an hour    of one login from one client
 *    100 an hour    of any logins from one client
 *    100 in a row   of one login from anywhere, until the right one comes (NIST SP 800-63B-4, 3.2.2)
 *
 * The same wrong password again is no other guess: a device that has kept an old one locks nobody out. A browser that
 * its owner has logged in from before counts for itself alone, so that nobody else's guessing locks it out (OWASP,
 * "Slow Down Online Guessing Attacks with Device Cookies"). Logins that nobody has are counted just like others. What
 * is kept are digests under a key of this process, so that no password can be found in a dump of its memory later.
 *
 * All that is counted is bounded, known devices apart from the rest. Where clients could make room by filling it, that
 * takes more wrong passwords than a thousand of them may try in an hour.
 */

import { createHmac, randomBytes } from "node:crypto";
import { normalizePassword } from "./password.ts";
import { Quota } from "./quota.ts";
import { RecentMap } from "./recent_map.ts";

/** Wrong passwords of one login by one client, or by one known device, in an hour. */
export const maxPerLoginAndClient = 10;
/** Wrong passwords of one client in an hour. */
export const maxPerClient = 100;
/** Wrong passwords of one login, one after another. */
export const maxInARow = 100;
/** When to come again while a login takes no more passwords: time alone does not help. */
const lockedSeconds = 60 * 60;
/** Logins, and wrong passwords, that are kept: some 10 MB each. */
const maxKept = 100_000;

/** A password that somebody tries. */
export interface Guess {
  readonly login: string;
  readonly password: string;
  /** Whom it counts for, see `clientKey`. */
  readonly client: string;
  /** The id of a device that the owner of the login has logged in from, see `lib/device.ts`. */
  readonly device: string | undefined;
}

/** What came of it: the verdict, or after how many seconds to come again. */
export type Throttled<Verdict> =
  | { readonly waitSeconds: 0; readonly verdict: Verdict }
  | { readonly waitSeconds: number; readonly verdict: undefined };

/** Wrong passwords of one login. */
interface Row {
  readonly wrongCount: number;
  /** Being verified. */
  readonly openCount: number;
}

/** Where guesses are counted: one for known devices, one for all others. */
interface Ledger {
  readonly rows: RecentMap<string, Row>;
  readonly perHour: Quota;
}

/** What a guess is counted by: digests, but for the client. */
interface Keys {
  readonly ledger: Ledger;
  readonly login: string;
  /** For those in a row: the known device, else the login. */
  readonly row: string;
  /** For those in an hour: the known device, else login and client. */
  readonly bucket: string;
  /** `undefined` for a known device. */
  readonly client: string | undefined;
  readonly password: string;
}

const emptyRow: Row = { wrongCount: 0, openCount: 0 };

/** Counts wrong passwords. */
export class Throttle {
  readonly #secret = randomBytes(32);
  readonly #strangers: Ledger;
  readonly #devices: Ledger;
  readonly #perClient: Quota;
  /** Being verified, and for how many requests: alike they count as one, until the last of them has left. */
  readonly #open = new Map<string, number>();
  /** Wrong: not counted again. */
  readonly #tried = new RecentMap<string, true>(maxKept);

  /** @param now milliseconds since the epoch */
  constructor(now: () => number) {
    this.#strangers = { rows: new RecentMap(maxKept), perHour: new Quota(maxPerLoginAndClient, now) };
    this.#devices = { rows: new RecentMap(maxKept), perHour: new Quota(maxPerLoginAndClient, now) };
    this.#perClient = new Quota(maxPerClient, now);
  }

  /**
   * Runs `verify` unless there were too many wrong passwords, and counts what it says.
   *
   * @throws what `verify` throws; nothing is counted then
   */
  async run<Verdict extends { readonly isRight: boolean }>(
    guess: Guess,
    verify: () => Promise<Verdict>,
  ): Promise<Throttled<Verdict>> {
    let keys = this.#keysOf(guess);
    // A known device that has used up its own tries is like any other.
    if (guess.device !== undefined && this.#waitSeconds(keys) > 0) keys = this.#keysOf({ ...guess, device: undefined });
    const waitSeconds = this.#waitSeconds(keys);
    if (waitSeconds > 0) return { waitSeconds, verdict: undefined };
    this.#enter(keys);
    let isWrong = false;
    try {
      const verdict = await verify();
      isWrong = !verdict.isRight;
      if (!isWrong) this.#endRows(keys);
      return { waitSeconds: 0, verdict };
    } finally {
      this.#leave(keys, isWrong);
    }
  }

  /** After how many seconds the client may try a password of the login again, as far as it is the client's own doing. */
  waitSecondsOf(login: string, client: string): number {
    const { ledger, bucket } = this.#keysOf({ login, client, password: "", device: undefined });
    return Math.max(ledger.perHour.waitSeconds(bucket), this.#perClient.waitSeconds(client));
  }

  /** Forgets the wrong passwords in a row, as the login has another password now, or an administrator wants it. */
  forget(login: string): void {
    endRow(this.#strangers, this.#digest(login));
  }

  #waitSeconds({ ledger, row, bucket, client }: Keys): number {
    const { wrongCount, openCount } = ledger.rows.get(row) ?? emptyRow;
    // Those that are being verified may still turn out right, soon.
    const rowSeconds = wrongCount >= maxInARow ? lockedSeconds : wrongCount + openCount >= maxInARow ? 1 : 0;
    const clientSeconds = client === undefined ? 0 : this.#perClient.waitSeconds(client);
    return Math.max(rowSeconds, clientSeconds, ledger.perHour.waitSeconds(bucket));
  }

  #enter(keys: Keys): void {
    const alikeCount = this.#open.get(keys.password) ?? 0;
    this.#open.set(keys.password, alikeCount + 1);
    if (alikeCount === 0 && !this.#tried.has(keys.password)) this.#take(keys);
  }

  /** Whoever hangs up or is refused leaves its count to those alike that still wait: else each pair would be a free guess. */
  #leave(keys: Keys, isWrong: boolean): void {
    const alikeCount = (this.#open.get(keys.password) ?? 1) - 1;
    if (alikeCount > 0) this.#open.set(keys.password, alikeCount);
    else this.#open.delete(keys.password);
    if (this.#tried.has(keys.password) || (!isWrong && alikeCount > 0)) return;
    if (isWrong) this.#tried.set(keys.password, true);
    this.#settle(keys, isWrong);
  }

  #take({ ledger, row, bucket, client }: Keys): void {
    const { wrongCount, openCount } = ledger.rows.get(row) ?? emptyRow;
    ledger.rows.set(row, { wrongCount, openCount: openCount + 1 });
    ledger.perHour.take(bucket);
    if (client !== undefined) this.#perClient.take(client);
  }

  #settle({ ledger, row, bucket, client }: Keys, isWrong: boolean): void {
    const { wrongCount, openCount } = ledger.rows.get(row) ?? emptyRow;
    setRow(ledger, row, { wrongCount: wrongCount + (isWrong ? 1 : 0), openCount: Math.max(0, openCount - 1) });
    if (isWrong) return;
    ledger.perHour.putBack(bucket);
    if (client !== undefined) this.#perClient.putBack(client);
  }

  #endRows({ ledger, login, row }: Keys): void {
    endRow(this.#strangers, login);
    endRow(ledger, row);
  }

  #keysOf({ login, password, client, device = "" }: Guess): Keys {
    const loginKey = this.#digest(login);
    const isKnown = device !== "";
    return {
      ledger: isKnown ? this.#devices : this.#strangers,
      login: loginKey,
      row: isKnown ? this.#digest(login, "", device) : loginKey,
      bucket: this.#digest(login, isKnown ? "" : client, device),
      client: isKnown ? undefined : client,
      // By the client too: from what is not counted nobody shall learn what somebody else has tried.
      password: this.#digest(login, client, device, normalizePassword(password)),
    };
  }

  /** Of any texts, with their lengths: "a", "bc" is not "ab", "c". */
  #digest(...texts: readonly string[]): string {
    const hmac = createHmac("sha256", this.#secret);
    for (const text of texts) hmac.update(`${text.length}:`).update(text);
    return hmac.digest("base64url");
  }
}

/** Those being verified count on: they may turn out wrong after this. */
function endRow(ledger: Ledger, row: string): void {
  const { openCount } = ledger.rows.get(row) ?? emptyRow;
  setRow(ledger, row, { wrongCount: 0, openCount });
}

function setRow({ rows }: Ledger, key: string, row: Row): void {
  if (row.wrongCount + row.openCount > 0) rows.set(key, row);
  else rows.delete(key);
}
