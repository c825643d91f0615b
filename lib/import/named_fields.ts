/** Users whose fields have names: those of the export, or what options such as `--login-field` say. */

import { parseDate, parseFlag, splitGroups } from "./field_values.ts";
import type { FieldNames, ForeignUser, RefusedRecord } from "./foreign_format.ts";

/** The names of the fields that the export writes. */
export const exportedFields: FieldNames = {
  login: "login",
  password: "password_hash",
  date: "registered_at",
  groups: "groups",
  disabled: "disabled",
  id: "id",
};

/**
 * Makes a user of named values: of JSON, or texts of which "" is absent.
 *
 * @param valueOf the value of a field, `undefined` or null if it is absent
 */
export function toUser(
  valueOf: (field: keyof FieldNames) => unknown,
  { line, fields }: { readonly line: number; readonly fields: FieldNames },
): ForeignUser | RefusedRecord {
  const [login, password, date, id] = (["login", "password", "date", "id"] as const).map((field) => {
    return valueOf(field) ?? "";
  });
  const groups = valueOf("groups") ?? [];
  const disabled = parseFlag(valueOf("disabled"));
  if (typeof login !== "string" || login === "") return { line, reason: `there is no text "${fields.login}"` };
  const refuse = (reason: string) => ({ line, login, reason });
  if (password === "") return { ...refuse(`there is no "${fields.password}"`), isWithoutPassword: true };
  if (typeof password !== "string") return refuse(`"${fields.password}" is not a text`);
  const registeredAt = typeof date === "string" ? parseDate(date) : undefined;
  if (date !== "" && registeredAt === undefined) {
    return refuse(`"${fields.date}" is not a date such as 2026-11-22T09:35:39.123Z`);
  }
  const list = typeof groups === "string" ? splitGroups(groups) : groups;
  if (!Array.isArray(list) || !list.every((group) => typeof group === "string")) {
    return refuse(`"${fields.groups}" is not a list of texts`);
  }
  if (disabled === undefined) return refuse(`"${fields.disabled}" is not true or false`);
  if (typeof id !== "string") return refuse(`"${fields.id}" is not a text`);
  return { line, login, passwordHash: password, registeredAt, groups: list, disabled, id: id === "" ? undefined : id };
}
