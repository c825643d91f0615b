import { assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import { deviceCookie, knownDeviceId } from "../../../lib/accounts/known_device.ts";
import { createHmac } from "node:crypto";
import type { User } from "../../../lib/store.ts";
import { userOf } from "../../support/store/records.ts";

const alice = userOf("alice");
const deviceCookieName = "__Host-gatehouse-device";

/** A cookie as a browser sends it back: `name=value`. */
function cookieOf(user: User): string {
  return deviceCookie(user).replace(/;.*/, "");
}

/** The device that a request with these cookies comes from. */
function deviceIn(cookie: string, user: User | undefined = alice): string | undefined {
  return knownDeviceId(new Headers({ cookie }), user);
}

/** The id in a cookie. */
function idIn(cookie: string): string {
  return cookie.slice(cookie.indexOf("=") + 1, cookie.indexOf("."));
}

Deno.test("deviceCookie() is for this very host, over HTTPS alone, not for scripts, and for 400 days", () => {
  assertMatch(
    deviceCookie(alice),
    /^__Host-gatehouse-device=[\w-]{22}\.[\w-]{43}; Max-Age=34560000; Path=\/; Secure; HttpOnly; SameSite=Lax$/,
  );
});

Deno.test("deviceCookie() gives every device a random id", () => {
  const ids = Array.from({ length: 100 }, () => idIn(cookieOf(alice)));
  assertEquals(new Set(ids).size, 100);
  for (const id of ids) assertEquals(Uint8Array.fromBase64(id, { alphabet: "base64url" }).length, 16);
});

Deno.test("deviceCookie() contains nothing of the password's hash", () => {
  const { passwordHash } = alice;
  for (const part of passwordHash.split("$").filter((part) => part !== "")) {
    assertEquals(deviceCookie(alice).includes(part), false, part);
  }
});

Deno.test("knownDeviceId() tells the devices of a user apart", () => {
  const [one, other] = [cookieOf(alice), cookieOf(alice)];
  assertEquals([deviceIn(one), deviceIn(other)], [idIn(one), idIn(other)]);
  assertNotEquals(deviceIn(one), deviceIn(other));
});

Deno.test("knownDeviceId() finds its cookie among others", () => {
  const cookie = cookieOf(alice);
  const id = idIn(cookie);
  assertEquals(deviceIn(`a=1; ${cookie}; b=2`), id);
  assertEquals(deviceIn(`a=1;${cookie};b=2`), id);
  assertEquals(deviceIn(`__Host-gatehouse=token; ${cookie}`), id);
  assertEquals(deviceIn(`=; ;;=a; ${deviceCookieName}x=broken; ${cookie}`), id);
  // A browser holds one of them at most.
  assertEquals(deviceIn(`${deviceCookieName}=broken; ${cookie}`), undefined);
  assertEquals(deviceIn(`${cookie}; ${cookie}`), undefined);
});

Deno.test("knownDeviceId() knows the device also when all but the password has changed", () => {
  const cookie = cookieOf(alice);
  for (const change of [{ groups: ["staff"] }, { disabled: true }, { id: "another" }, { registeredAt: 1 }]) {
    assertEquals(deviceIn(cookie, { ...alice, ...change }), idIn(cookie));
  }
});

/** Another user, a hash of another salt or cost. */
const others: readonly (User | undefined)[] = [
  undefined,
  userOf("bob"),
  { ...alice, login: "bob" },
  { ...alice, login: "" },
  { ...alice, passwordHash: alice.passwordHash.replace("i=1$", "i=2$") },
  { ...alice, passwordHash: alice.passwordHash.replace("sss", "sst") },
];

Deno.test("knownDeviceId() knows nobody by the cookie of another login or another password", () => {
  const cookie = cookieOf(alice);
  for (const user of others) {
    assertEquals(knownDeviceId(new Headers({ cookie }), user), undefined, JSON.stringify(user));
    if (user !== undefined) assertEquals(deviceIn(cookieOf(user)), undefined, JSON.stringify(user));
  }
});

Deno.test("knownDeviceId() rejects a cookie signed without user and password, as anyone can sign it", () => {
  const id = "A".repeat(22);
  for (const login of ["", "alice", "undefined"]) {
    const signed = createHmac("sha256", "").update(`gatehouse device ${id} ${login}`).digest("base64url");
    const headers = new Headers({ cookie: `${deviceCookieName}=${id}.${signed}` });
    for (const user of [undefined, alice]) assertEquals(knownDeviceId(headers, user), undefined, login);
  }
});

const forgeries: readonly [what: string, forge: (cookie: string) => string][] = [
  ["no cookie", () => ""],
  ["an empty one", () => `${deviceCookieName}=`],
  ["the id alone", (cookie) => cookie.replace(/\..*/, "")],
  ["no signature", (cookie) => cookie.replace(/\..*/, ".")],
  ["another id", (cookie) => cookie.replace(/=.{22}/, `=${"A".repeat(22)}`)],
  ["another signature", (cookie) => cookie.replace(/\..*/, `.${"A".repeat(43)}`)],
  ["the signature of another id", (cookie) => cookie.replace(/\..*/, /\..*/.exec(cookieOf(alice))?.[0] ?? "")],
  ["a signature cut short", (cookie) => cookie.slice(0, -1)],
  ["a signature made longer", (cookie) => `${cookie}A`],
  ["an id cut short", (cookie) => cookie.replace(/=./, "=")],
  ["an id made longer", (cookie) => cookie.replace("=", "=A")],
  ["another name", (cookie) => cookie.replace(deviceCookieName, "gatehouse-device")],
  ["a name that ends alike", (cookie) => `x${cookie}`],
  ["a name after a blank that only Unicode knows", (cookie) => `a=1; \u00a0${cookie}`],
  ["a value of another", (cookie) => `a=${cookie}`],
  ["quotes", (cookie) => cookie.replace("=", '="') + '"'],
];

for (const [what, forge] of forgeries) {
  Deno.test(`knownDeviceId() knows nobody by a cookie that is none: ${what}`, () => {
    const cookie = cookieOf(alice);
    assertEquals(deviceIn(forge(cookie)), undefined);
    assertEquals(deviceIn(cookie), idIn(cookie));
  });
}
