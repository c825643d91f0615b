/** The times of failed logins do not tell which logins exist, whatever kinds of hashes there are. */
import { assert, assertEquals, assertLess } from "@std/assert";
import { openTestApp } from "../support/app.ts";
import {
  type Attempt,
  attempt,
  countOfEach,
  kinds,
  knownLogins,
  storeOfKnown,
  unknownLogins,
} from "../support/passwords/three_kinds.ts";

function medianOf(numbers: readonly number[]): number {
  return numbers.toSorted((one, other) => one - other)[Math.floor(numbers.length / 2)] ?? NaN;
}

/** How often a time of the first is longer than one of the second: 0.5 if both have the same distribution. */
function rankStatistic(some: readonly number[], others: readonly number[]): number {
  const pairs: readonly number[] = some.flatMap((one) =>
    others.map((other) => one > other ? 1 : one === other ? 0.5 : 0)
  );
  return pairs.reduce((sum, pair) => sum + pair, 0) / pairs.length;
}

function timesOf(attempts: readonly Attempt[], cost?: number): readonly number[] {
  return attempts.filter((one) => cost === undefined || one.cost === String(cost)).map(({ ms }) => ms);
}

/** The kind of each, as the order of their costs. */
function ranksOf(attempts: readonly Attempt[]): readonly number[] {
  return attempts.map((one) => kinds.findIndex(({ cost }) => one.cost === String(cost)));
}

Deno.test("logIn() takes times of the same distribution for known and unknown logins of three kinds", async () => {
  const opened = await openTestApp({ store: await storeOfKnown() });
  const [known, unknown, undrawn]: [Attempt[], Attempt[], Attempt[]] = [[], [], []];
  // In turn, so that other work of the machine slows both alike.
  for (const [index, login] of knownLogins.entries()) {
    known.push(await attempt(opened, login, index));
    unknown.push(await attempt(opened, unknownLogins[index] ?? "", index));
  }
  for (const { cost, share } of kinds) {
    assertEquals(timesOf(known, cost).length, share * countOfEach);
    // The standard deviation is 7 at most.
    assertLess(Math.abs(timesOf(unknown, cost).length - share * countOfEach), 25, `of cost ${cost}`);
    const ratio = medianOf(timesOf(known, cost)) / medianOf(timesOf(unknown, cost));
    assert(ratio > 1 / 2 && ratio < 2, `medians of cost ${cost}: ${ratio}`);
  }
  // The standard deviation is 0.03.
  for (const numbersOf of [ranksOf, timesOf]) {
    const rank = rankStatistic(numbersOf(known), numbersOf(unknown));
    assert(rank > 0.38 && rank < 0.62, `${numbersOf.name}: ${rank}`);
  }

  // Without decoys the same statistic tells them apart: half of the users are of a more expensive kind.
  opened.app.hasher.decoys.update([]);
  for (const [index, login] of unknownLogins.entries()) undrawn.push(await attempt(opened, login, index));
  assertEquals(rankStatistic(ranksOf(known), ranksOf(undrawn)), 0.75);
});
