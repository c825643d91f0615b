/** `GET /setting/`: the settings in effect. */
import { assertEquals } from "@std/assert";
import { settings } from "../../lib/config/settings.ts";
import { openAdminApp } from "../support/accounts.ts";

Deno.test("listSettings() shows every setting in order, as it was written, or its default", async () => {
  const texts = { GATEHOUSE_REGISTRATION: "ticket", GATEHOUSE_TRUSTED_PROXIES: "10.0.0.0/8, ::1" };
  const { send, admin: token } = await openAdminApp({ settings: texts });
  const { status, headers, json } = await send("GET", "/setting/", { token });
  assertEquals([status, headers.get("cache-control")], [200, "no-store"]);
  // As test/support/app.ts sets them.
  const all: Record<string, string> = {
    GATEHOUSE_PBKDF2_ITERATIONS: "100",
    GATEHOUSE_REGISTRATIONS_PER_HOUR: "0",
    ...texts,
  };
  const expected = Object.values(settings).map(({ name, default: text, meaning }) => {
    return { name, value: all[name] ?? text, default: text, meaning };
  });
  assertEquals(json, { settings: expected });
});
