/** Dates, flags and groups as other programs write them. */

import { assertEquals } from "@std/assert";
import { parseDate, parseFlag, parseGeneralizedTime, splitGroups } from "../../../lib/import/field_values.ts";

Deno.test("parseDate() reads dates of RFC 3339 and SQL, and nothing that is no date", () => {
  const rows: readonly [text: string, iso: string | undefined][] = [
    ["2026-11-22T09:35:39.123Z", "2026-11-22T09:35:39.123Z"],
    ["2026-11-22t09:35:39z", "2026-11-22T09:35:39.000Z"],
    ["2026-11-22T09:35:39.123456789+02:00", "2026-11-22T07:35:39.123Z"],
    ["2026-11-22 09:35:39.1-0130", "2026-11-22T11:05:39.100Z"],
    ["2026-11-22 09:35:39+00", "2026-11-22T09:35:39.000Z"],
    ["2026-11-22 09:35:39", "2026-11-22T09:35:39.000Z"],
    ["2026-11-22 09:35", "2026-11-22T09:35:00.000Z"],
    ["2024-02-29", "2024-02-29T00:00:00.000Z"],
    ["0099-01-01", "0099-01-01T00:00:00.000Z"],
    ["2016-12-31T23:59:60Z", "2016-12-31T23:59:59.000Z"],
  ];
  for (const [text, iso] of rows) assertEquals(isoOf(parseDate(text)), iso, text);
  const others = [
    "",
    "2026-02-29",
    "2026-13-01",
    "2026-00-10",
    "2026-1-1",
    "2026-11-22T24:00:00Z",
    "2026-11-22T09:60:00Z",
    "2026-11-22T09:35:61Z",
    "22.11.2026",
    "1700000000",
    "2026-11-22T09:35:39.123Z ",
    "Infinity",
    "2026-11-22T09:35:39[Asia/Tokyo]",
    "2026-11-22Z",
    // Would take minutes if it were parsed.
    `2026-${" ".repeat(1_000_000)}`,
    "2026-11-22+01:00",
  ];
  for (const text of others) assertEquals(parseDate(text), undefined, text);
});

Deno.test("parseGeneralizedTime() reads dates of LDAP", () => {
  const rows: readonly [text: string, iso: string | undefined][] = [
    ["20261122093539Z", "2026-11-22T09:35:39.000Z"],
    ["20261122093539.5Z", "2026-11-22T09:35:39.500Z"],
    ["20261122093539,123+0200", "2026-11-22T07:35:39.123Z"],
    ["2026112209Z", "2026-11-22T09:00:00.000Z"],
    ["20260230093539Z", undefined],
    ["20261122093539", undefined],
    ["2026-11-22T09:35:39Z", undefined],
  ];
  for (const [text, iso] of rows) assertEquals(isoOf(parseGeneralizedTime(text)), iso, text);
});

Deno.test("parseFlag() and splitGroups() read what JSON, SQL and people write", () => {
  for (const value of [true, 1, "1", "t", "TRUE", "Yes", " y "]) assertEquals(parseFlag(value), true);
  for (const value of [undefined, null, false, 0, "", "0", "F", "false", "no", "N"]) {
    assertEquals(parseFlag(value), false);
  }
  for (const value of ["maybe", 2, {}, [], "nein"]) assertEquals(parseFlag(value), undefined);
  assertEquals(splitGroups(" admin,staff  night,\t"), ["admin", "staff", "night"]);
  assertEquals(splitGroups(""), []);
});

function isoOf(time: number | undefined): string | undefined {
  return time === undefined ? undefined : new Date(time).toISOString();
}
