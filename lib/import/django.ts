/**
 * Users of Django, as `manage.py dumpdata auth.User auth.Group` writes them: a JSON array, or with `--format jsonl` an
 * object on each line.
 *
 * `is_superuser` and `is_staff` are rights within Django's own pages and give no rights here: groups do.
 */

import {
  type FieldNames,
  type ForeignFile,
  ForeignFileError,
  type ForeignFormat,
  type ForeignUser,
  type RefusedRecord,
} from "./foreign_format.ts";
import { objectOf, readJsonObjects } from "./json_objects.ts";
import { toUser } from "./named_fields.ts";

/** Far more than a site has. */
const maxGroups = 100_000;
/** Models that an error names. */
const maxNamedModels = 10;

export const django: ForeignFormat = {
  name: "django",
  help: "JSON of manage.py dumpdata auth.User auth.Group, or of a user model of your own",
  unit: "record",
  fields: { login: "username", password: "password", date: "date_joined", groups: "groups", disabled: "", id: "" },
  async *read(file) {
    // Groups may stand after their users, so the file is read twice.
    const groupNames = await readGroups(file);
    let line = 0;
    for await (const record of recordsOf(file)) {
      line++;
      const values = userFieldsOf(record);
      if (values) yield readUser(values, { line, groupNames, fields: file.fields });
    }
  },
};

/** Names of groups by primary key. */
type GroupNames = ReadonlyMap<unknown, string>;

function recordsOf({ path }: ForeignFile): AsyncGenerator<Record<string, unknown>> {
  return readJsonObjects(path, ["", "["]);
}

/** The fields of a user of any model: `AbstractBaseUser` gives each of them these two. */
function userFieldsOf(record: Record<string, unknown>): Record<string, unknown> | undefined {
  const values = objectOf(record["fields"]);
  return values && "password" in values && "last_login" in values ? values : undefined;
}

/** @throws {ForeignFileError} the file has no users */
async function readGroups(file: ForeignFile): Promise<GroupNames> {
  const names = new Map<unknown, string>();
  const models = new Set<string>();
  let hasUsers = false;
  for await (const record of recordsOf(file)) {
    hasUsers ||= userFieldsOf(record) !== undefined;
    const { model } = record;
    if (typeof model === "string" && models.size < maxNamedModels) models.add(model.slice(0, 100));
    const name = objectOf(record["fields"])?.["name"];
    if (model !== "auth.group" || typeof name !== "string") continue;
    if (names.size === maxGroups) throw fileError(file, `it has more than ${maxGroups} groups`);
    names.set(record["pk"], name);
  }
  if (hasUsers) return names;
  const found = models.size > 0 ? `has only ${[...models].join(", ")}` : "is empty";
  throw fileError(file, `it ${found}: dump the model of the users, auth.User, too`);
}

function fileError({ path }: ForeignFile, reason: string): ForeignFileError {
  return new ForeignFileError(`Cannot read users of Django from "${path}" as ${reason}`);
}

function readUser(
  values: Record<string, unknown>,
  { line, groupNames, fields }: { line: number; groupNames: GroupNames; fields: FieldNames },
): ForeignUser | RefusedRecord {
  const groups = groupsOf(values[fields.groups], groupNames);
  const record = toUser((field) => {
    const value = Object.hasOwn(values, fields[field]) ? values[fields[field]] : undefined;
    if (field === "groups") return groups;
    if (field === "disabled") return values["is_active"] === false;
    // Django begins a password with "!" where it made it unusable, as for users of single sign-on.
    return field === "password" && typeof value === "string" && value.startsWith("!") ? undefined : value;
  }, { line, fields });
  if (groups !== undefined) return record;
  return { line, login: record.login, reason: "it is in a group that the file does not have: dump auth.Group too" };
}

/** @param keys primary keys, or with `--natural-foreign` lists with the name */
function groupsOf(keys: unknown, names: GroupNames): string[] | undefined {
  if (!Array.isArray(keys)) return [];
  const groups = keys.map((key) => Array.isArray(key) ? key[0] : names.get(key));
  return groups.every((name) => typeof name === "string") ? groups : undefined;
}
