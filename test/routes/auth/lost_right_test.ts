/** Rights are those of the user at the moment of the request. */
import { assert, assertEquals } from "@std/assert";
import type { Ticket, UserSession } from "../../../lib/store.ts";
import { TableStore } from "../../../lib/store/memory/table_store.ts";
import { insertSetupTicket, newPassword, openAdminApp, outcomeOf } from "../../support/accounts.ts";
import { deleteByLogin } from "../../support/store/records.ts";

Deno.test("an admin is one by the group as it is now, and no other group will do", async () => {
  const opened = await openAdminApp();
  const { send, admin } = opened;
  const token = await opened.addUser("alice");
  const statusWith = async (groups: string[]) => {
    assertEquals((await send("PATCH", "/user/alice", { token: admin, json: { groups } })).status, 200);
    return (await send("GET", "/user/", { token })).status;
  };
  assertEquals(await statusWith(["admins", "administrator", "adm"]), 403);
  assertEquals(await statusWith(["staff", "admin"]), 200);
  assertEquals(await statusWith(["staff"]), 403);
});

Deno.test("the setup ticket opens no door but the registration", async () => {
  const opened = await openAdminApp();
  const token = await insertSetupTicket(opened);
  const json = { ticket: token, password: newPassword };
  assertEquals(outcomeOf(await opened.send("GET", "/user/", { token })), "401 not-authenticated");
  assertEquals(outcomeOf(await opened.send("PUT", "/user/root/password", { json })), "403 ticket-invalid");
  assert(await opened.app.store.countAdmins() === 1);
});

/** A store in which `alice` is deleted right before her session, or right after her ticket, is looked up. */
class DeletingStore extends TableStore {
  isDeleting = false;

  override async findSession(id: string): Promise<UserSession | undefined> {
    await this.#deleteAlice();
    return await super.findSession(id);
  }
  override async findTicket(secretHash: string): Promise<Ticket | undefined> {
    const ticket = await super.findTicket(secretHash);
    await this.#deleteAlice();
    return ticket;
  }
  async #deleteAlice(): Promise<void> {
    if (this.isDeleting) assertEquals(await deleteByLogin(this, "alice"), "done");
  }
}

Deno.test("who is deleted while a request looks for them is nobody", async () => {
  const reset = { method: "PUT", path: "/user/alice/password", outcome: "403 ticket-invalid" };
  for (
    const { method, path, outcome } of [reset, { method: "GET", path: "/session/", outcome: "401 not-authenticated" }]
  ) {
    const store = new DeletingStore();
    const opened = await openAdminApp({ store });
    const token = await opened.addUser("alice");
    const json = { ticket: await opened.makeTicket("reset", "alice"), password: newPassword };
    store.isDeleting = true;
    const options = method === "PUT" ? { json } : { token };
    assertEquals(outcomeOf(await opened.send(method, path, options)), outcome);
  }
});
