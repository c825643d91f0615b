// A login by two factors on a full disk, on which deletions have a reserve.
import { assert, assertEquals, assertFalse, assertRejects } from "@std/assert";
import { createLog } from "../../../../lib/log.ts";
import { StoreFullError } from "../../../../lib/store.ts";
import { openFileStore } from "../../../../lib/store/file/file_store.ts";
import { credentialOf, sessionOf, siteOf, ticketOf, userOf } from "../../../support/store/records.ts";
import { type Call, SimulatedDisk } from "../../../support/store/simulated_disk.ts";

const alice = userOf("alice");
const loginTicket = ticketOf("t1", { purpose: "login", login: "alice" });
const [one, two] = ["r1", "r2"].map((key) => credentialOf("alice", key, { kind: "recovery", secret: "" }));
const passkey = credentialOf("alice", "p1");
const log = createLog(() => {});

Deno.test("a login by two factors on a full disk works, and leaves ticket and recovery code used up", async () => {
  assert(one !== undefined && two !== undefined);
  const disk = new SimulatedDisk();
  await using store = await openFileStore("data", { disk, log, extendBytes: 4_096 });
  await store.insertUser(alice);
  await store.insertCredentials(alice, [one, two, passkey]);
  await store.insertTicket(loginTicket);
  disk.errorCode = "ENOSPC";
  disk.script = (call) => call.kind === "truncate" || !isExtension(disk, call) ? undefined : "fail";
  for (let index = 0; await store.insertUser(userOf(`u${index}`)).then(() => true, () => false); index++);
  await assertRejects(() => store.insertUser(userOf("bob")), StoreFullError);

  // A ticket and a session last until a restart; what was used up stays used up.
  await store.insertTicket({ ...loginTicket, id: "id of t2", secretHash: "t2" }, { target: alice });
  const use = { current: one, next: undefined };
  assert(await store.insertSession(sessionOf("alice", "s1"), alice, { ticketHash: "t1", use }));
  assertFalse(await store.insertSession(sessionOf("alice", "s2"), alice, { use }));
  const next = { ...passkey, counter: 5 };
  const authentication = { factors: ["passkey"] as const, authenticatedAt: 5, use: { current: passkey, next } };
  assert(await store.updateSession("s1", alice, authentication));
  assertEquals((await store.findSession("s1"))?.session.factors, ["password", "passkey"]);
  assert(await store.insertSession(sessionOf("alice", "s3"), alice, { ticketHash: "t2" }));
  await store.insertTicket({ ...loginTicket, secretHash: "t3", purpose: "site" }, { target: alice });
  const login = { ticketHash: "t3", site: siteOf("https://wiki.example.org") };
  assert(await store.updateSession("s3", alice, login));
  assertFalse(await store.updateSession("s3", alice, login));

  const restarted = await openFileStore("data", { disk: disk.afterPowerCut("everything"), log });
  assertEquals(await restarted.listCredentials("alice"), [passkey, two]);
  assertEquals((await restarted.size()).sessions, 0);
  assertEquals(await restarted.findTicket("t1"), undefined);

  // Without room for that either, the code remains, and opens nothing.
  disk.script = (call) => call.kind === "write" ? "fail" : undefined;
  const last = store.insertSession(sessionOf("alice", "s4"), alice, { use: { current: two, next: undefined } });
  await assertRejects(() => last, StoreFullError);
  assertEquals(await store.findSession("s4"), undefined);
  assertEquals(await store.listCredentials("alice"), [next, two]);
});

function isExtension(disk: SimulatedDisk, call: Call): boolean {
  return call.kind === "write" && (call.offset ?? 0) >= disk.content(call.name).length;
}
