/** What requests can have in their path, query and headers, from the limits that the validation itself uses. */

import type { DocumentedParameter, Schema } from "./document.ts";
import { problems } from "../../lib/http/problem.ts";
import { groupPattern, maxLoginLength } from "../../lib/accounts/user.ts";
import { cursorPattern, defaultLimit, maxLimit, userSorts } from "../page_query.ts";
import { exampleSessionId, exampleTicketId, exampleUser } from "./examples.ts";
import { schemaNamed } from "./schemas.ts";

export const loginParameter: DocumentedParameter = {
  name: "login",
  in: "path",
  required: true,
  description: "The login of a user. Capitals are taken as small letters.",
  schema: schemaNamed("Login"),
  example: "alice",
};

export const sessionIdParameter: DocumentedParameter = {
  name: "id",
  in: "path",
  required: true,
  description: "The id of a session, as the list of sessions has it.",
  schema: { type: "string", pattern: cursorPattern.source },
  example: exampleSessionId,
};

export const ticketIdParameter: DocumentedParameter = {
  name: "id",
  in: "path",
  required: true,
  description: "The id of a ticket, as the list of tickets has it. It is not the code.",
  schema: { type: "string", pattern: cursorPattern.source },
  example: exampleTicketId,
};

export const codeParameter: DocumentedParameter = {
  name: "code",
  in: "path",
  required: true,
  description: "The code of a problem: what follows `/problem/` in its `type`.",
  schema: { type: "string", enum: Object.keys(problems) },
  example: "login-taken",
};

/** Which page of a list. @param example the id of an item. @param cursor by default an id */
export function pageParameters(
  example: string,
  cursor: Schema = { type: "string", pattern: cursorPattern.source },
): readonly DocumentedParameter[] {
  return [
    {
      name: "limit",
      in: "query",
      required: false,
      description: "How many at the most.",
      schema: { type: "integer", minimum: 1, maximum: maxLimit, default: defaultLimit },
    },
    {
      name: "after",
      in: "query",
      required: false,
      description: "The `next` of the page before.",
      schema: cursor,
      example,
    },
  ];
}

export const userPageParameters: readonly DocumentedParameter[] = [
  ...pageParameters(exampleUser.id, { type: "string", maxLength: maxLoginLength }),
  {
    name: "prefix",
    in: "query",
    required: false,
    description: "Only logins that begin with this text.",
    schema: { type: "string", maxLength: maxLoginLength },
    example: "al",
  },
  {
    name: "contains",
    in: "query",
    required: false,
    description: "Only logins that contain this text.",
    schema: { type: "string", maxLength: maxLoginLength },
    example: "lic",
  },
  {
    name: "group",
    in: "query",
    required: false,
    description: "Only members of this group.",
    schema: { type: "string", pattern: groupPattern.source },
    example: "staff",
  },
  {
    name: "sort",
    in: "query",
    required: false,
    description: "The order of the list. With `-` the latest registration comes first.",
    schema: { type: "string", enum: userSorts, default: "registered_at" },
  },
];

export const ifMatchParameter: DocumentedParameter = {
  name: "If-Match",
  in: "header",
  required: false,
  description: "The ETag that the user must still have: changes nothing if somebody else was faster.",
  schema: { type: "string" },
};

export const ifNoneMatchParameter: DocumentedParameter = {
  name: "If-None-Match",
  in: "header",
  required: false,
  description: "The ETag of what is known already: it is not sent again.",
  schema: { type: "string" },
};
