/**
 * Every way in which one history of changes can be cut off.
 *
 * The history registers, changes passwords, disables, deletes, makes, touches and ends sessions, keeps a secret, and
 * adds, uses and removes credentials, alone and side by side, over at least two compactions. It is run once for each
 * call that it makes to the disk, with that call cut (the power goes), torn or failing, and then the power goes at the
 * end at the latest. From each of the ways in which a disk may be left, the store must open again with every
 * acknowledged change, each change whole or absent, and opening it once more must change nothing.
 */
import { assert, assertEquals } from "@std/assert";
import { createLog } from "../../../../lib/log.ts";
import type { Store } from "../../../../lib/store.ts";
import { openFileStore } from "../../../../lib/store/file/file_store.ts";
import { userOf } from "../../../support/store/records.ts";
import { type Fault, SimulatedDisk, survivals } from "../../../support/store/simulated_disk.ts";
import { history, type Kept, nothing } from "../../../support/store/crash_history.ts";

const sessionIds = ["s0", "s1", "s2", "s3"];

Deno.test("history() makes at least two compactions and tries every kind of change", async () => {
  const { disk, acknowledged } = await run([]);
  const renamed = disk.calls.filter((call) => call.kind === "rename").map((call) => call.name);
  assert(renamed.filter((name) => name.startsWith("snapshot-")).length >= 3, renamed.join());
  assertEquals(acknowledged.size, allLogins.length);
});

for (const fault of ["cut", "tear", "fail", "late"] as const) {
  Deno.test(`a file store keeps every acknowledged change, and no partial one, if a call is a ${fault}`, async () => {
    const callCount = (await run([])).disk.calls.length;
    for (let index = 0; index < callCount; index++) {
      const { disk, acknowledged, unsure } = await run([{ index, fault }], checkAtOnce);
      for (const survival of survivals) {
        const where = `${fault} at call ${index} (${callText(disk, index)}), ${survival} survives`;
        const left = disk.afterPowerCut(survival);
        const found = await reopen(left, where);
        for (const login of allLogins) {
          assertKept(found.get(login), { login, where, acknowledged, unsure });
        }
        const files = left.files();
        assertEquals(await reopen(left, `${where}, again`), found);
        assertEquals(left.files(), files, `${where}: a second opening changes files`);
        // Where something of the last write may be left behind.
        if (survival.endsWith("sectors")) await goOn(left, { where, before: found });
      }
    }
  });
}

/** After the first of two faults so many calls are tried for the second: the next frame is on the disk by then. */
const callsBetween = 5;
const pairs: readonly (readonly [Fault, Fault])[] = [
  ["late", "cut"],
  ["late", "fail"],
  ["tear", "cut"],
  ["tear", "tear"],
];

for (const [first, second] of pairs) {
  Deno.test(`a file store keeps every acknowledged change when a ${second} follows a ${first}`, async () => {
    const callCount = (await run([])).disk.calls.length;
    for (let index = 0; index < callCount; index++) {
      for (let next = index + 1; next <= index + callsBetween; next++) {
        const { disk, ...known } = await run([{ index, fault: first }, { index: next, fault: second }]);
        for (const survival of survivals) {
          const where = `${first} at call ${index}, ${second} at ${next} (${
            callText(disk, next)
          }), ${survival} survives`;
          const found = await reopen(disk.afterPowerCut(survival), where);
          for (const login of allLogins) assertKept(found.get(login), { ...known, login, where });
        }
      }
    }
  });
}

interface Known {
  readonly acknowledged: ReadonlyMap<string, Kept>;
  readonly unsure: ReadonlyMap<string, Kept>;
}

function callText({ calls }: SimulatedDisk, index: number): string {
  return Object.values(calls[index] ?? {}).join();
}

/** What is kept of a login is what was acknowledged, or that with the one change that was not. */
function assertKept(kept: Kept | undefined, known: Known & { login: string; where: string }): void {
  const { login, where, acknowledged, unsure } = known;
  const state = acknowledged.get(login) ?? nothing;
  const allowed = [state, unsure.get(login) ?? state];
  if (!allowed.some((other) => isEqual(other, kept))) assertEquals(kept, state, `${where}: ${login}`);
}

/** The power goes soon after the fault: before a compaction has mended what the fault left. */
async function checkAtOnce(disk: SimulatedDisk, known: Known): Promise<void> {
  const where = `${disk.calls.length} calls, and then a cut`;
  const found = await reopen(disk.afterPowerCut("nothing"), where);
  for (const login of allLogins) assertKept(found.get(login), { ...known, login, where });
}

const allLogins = [
  "alice",
  "bob",
  "carol",
  "dave",
  "gina",
  "key",
  ...Array.from({ length: 6 }, (_, index) => `user${index}`),
];

/**
 * Runs the history with faults, in the order of their calls.
 *
 * @returns what is kept of each login after all that was acknowledged, and after the change that was not, if any. A
 *   login
 *   whose change failed is left alone from there on, as nobody knows what is kept of it
 */
async function run(
  faults: readonly { readonly index: number; readonly fault: Fault }[],
  onFault: (disk: SimulatedDisk, known: Known) => Promise<void> = () => Promise.resolve(),
) {
  const disk = new SimulatedDisk();
  // Not of a full disk, on which sessions are remembered without being on the disk.
  disk.errorCode = "EIO";
  disk.script = (call) => faults.find(({ index }) => index === call.index)?.fault;
  const isSound = faults.length === 0;
  const lastIndex = faults.at(-1)?.index ?? Infinity;
  const acknowledged = new Map<string, Kept>();
  const unsure = new Map<string, Kept>();
  const checks: PromiseSettledResult<void>[] = [];
  try {
    await using store = await open(disk);
    for (const round of history()) {
      const steps = round.filter((step) => !unsure.has(step.login));
      await Promise.all(steps.map(async (step) => {
        const before = acknowledged.get(step.login) ?? nothing;
        unsure.set(step.login, step.after(before));
        try {
          assertEquals(await step.make(store), true, `a change of ${step.login} was refused`);
        } catch (error) {
          if (isSound || String(error).includes("was refused")) throw error;
          return;
        }
        acknowledged.set(step.login, step.after(before));
        unsure.delete(step.login);
      }));
      if (!disk.isOff && disk.calls.length > lastIndex) {
        checks.push(...await Promise.allSettled([onFault(disk, { acknowledged, unsure })]));
      }
    }
  } catch (error) {
    // The fault hit the opening or the closing of the store: nothing more is acknowledged.
    if (isSound || String(error).includes("was refused")) throw error;
  }
  for (const check of checks) if (check.status === "rejected") throw check.reason;
  return { disk, acknowledged, unsure };
}

async function reopen(disk: SimulatedDisk, where: string): Promise<Map<string, Kept>> {
  try {
    // Without closing it, which would compact: what was found is all that is wanted.
    const store = await open(disk);
    const found = new Map<string, Kept>();
    const records = (await Array.fromAsync(store.records())).flat();
    const secrets = records.filter((one) => one.kind === "secret").map(({ record }) => record);
    for (const login of allLogins) {
      const sessions = await Promise.all(sessionIds.map((id) => store.findSession(`${login} ${id}`)));
      found.set(login, {
        user: await store.findUser(login),
        sessions: sessions.filter((found) => found !== undefined).map(({ session }) => session),
        ticket: await store.findTicket(login),
        value: secrets.find(({ name }) => name === login)?.value,
        credentials: await store.listCredentials(login),
      });
    }
    return found;
  } catch (error) {
    throw new Error(`Cannot reopen after ${where}`, { cause: error });
  }
}

/** What is opened takes changes, and the next power cut does not harm them. */
async function goOn(disk: SimulatedDisk, options: { where: string; before: Map<string, Kept> }): Promise<void> {
  const { where, before } = options;
  const store = await open(disk);
  assertEquals(await store.insertUser(userOf("erin")), "done", where);
  const left = disk.afterPowerCut("nothing");
  assertEquals(await reopen(left, `${where}, and one more change`), before);
  assert(await (await open(left)).findUser("erin") !== undefined, where);
}

function open(disk: SimulatedDisk): Promise<Store> {
  return openFileStore("simulated", {
    disk,
    log: createLog(() => {}),
    extendBytes: 1024,
    minCompactBytes: 3_000,
  });
}

function isEqual(one: Kept, other: Kept | undefined): boolean {
  return textOf(one) === textOf(other ?? nothing);
}

function textOf({ user, sessions, ticket, value, credentials }: Kept): string {
  // In the order of names: a record from the disk has its fields in that of the columns.
  const inOrder = (_name: string, field: unknown) =>
    typeof field === "object" && field !== null && !Array.isArray(field)
      ? Object.fromEntries(Object.entries(field).sort(([one], [other]) => one < other ? -1 : 1))
      : field;
  return JSON.stringify([user, sessions, ticket, value, credentials], inOrder);
}
