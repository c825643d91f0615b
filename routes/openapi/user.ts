/** The operations of `/user/`, as the document tells of them. */

import type { Operation, Reply } from "./operation.ts";
import { freshLoginMs } from "../caller.ts";
import {
  example,
  exampleCode,
  exampleDates,
  exampleNewPassword,
  examplePassword,
  exampleSessionId,
  exampleUser,
} from "./examples.ts";
import {
  ifMatchParameter,
  ifNoneMatchParameter,
  loginParameter,
  pageParameters,
  sessionIdParameter,
  userPageParameters,
} from "./parameters.ts";
import { schemaNamed } from "./schemas.ts";
import { sessionEndedHeaders } from "./session.ts";

const tag = "Users";
const type = "application/json";

/** A user, as several replies show them. */
function userReply(description: string, more: Partial<Reply>): Reply {
  return { description, type, schema: schemaNamed("User"), examples: example("Alice", exampleUser), ...more };
}

export const userOperations: readonly Operation[] = [
  {
    method: "POST",
    path: "/user/",
    id: "registerUser",
    tag,
    summary: "Register",
    description: "Whether anyone may, or only who has a ticket, is a setting of the service. Who registers with the " +
      "ticket that a start without an administrator prints becomes the administrator.",
    who: "anyone",
    body: {
      schema: schemaNamed("Registration"),
      examples: {
        open: { summary: "Where anyone may", value: { login: "alice", password: examplePassword } },
        ticket: { summary: "With a ticket", value: { login: "alice", password: examplePassword, ticket: exampleCode } },
      },
    },
    replies: { 201: userReply("The user is registered, and on the disk.", { headers: { Location: "always" } }) },
    problems: [
      "registration-closed",
      "ticket-invalid",
      "login-reserved",
      "login-taken",
      "invalid-user",
      "too-many-registrations",
      "overloaded",
    ],
  },
  {
    method: "GET",
    path: "/user/",
    id: "listUsers",
    tag,
    summary: "List users",
    description:
      "By pages. Conditions are combined with and. A user that exists from the first page to the last is on " +
      "exactly one page, even if others are registered and deleted in between.",
    who: "admin",
    parameters: userPageParameters,
    replies: {
      200: {
        description: "A page of users.",
        type,
        schema: schemaNamed("UserPage"),
        examples: example("The first of three pages", { users: [exampleUser], total: 3, next: exampleUser.id }),
        headers: { Link: "sometimes" },
      },
    },
    problems: ["invalid-query"],
  },
  {
    method: "GET",
    path: "/user/:login",
    id: "showUser",
    tag,
    summary: "Look at a user",
    who: "user or admin",
    parameters: [loginParameter, ifNoneMatchParameter],
    replies: {
      200: userReply("The user.", { headers: { ETag: "always" }, cacheControl: "private, no-cache" }),
      304: {
        description: "The user is as If-None-Match says.",
        headers: { ETag: "always" },
        cacheControl: "private, no-cache",
      },
    },
    problems: ["not-found"],
  },
  {
    method: "PATCH",
    path: "/user/:login",
    id: "changeUser",
    tag,
    summary: "Change groups, disable, enable",
    description: "Disabling a user ends their sessions. The tickets that an administrator has made are void when the " +
      "user is disabled or leaves the group admin; those for a reset of a user's password when the user joins it.",
    who: "admin",
    parameters: [loginParameter, ifMatchParameter],
    body: {
      schema: schemaNamed("UserChange"),
      examples: {
        groups: { summary: "Set the groups", value: { groups: ["staff", "editors"] } },
        disable: { summary: "Disable", value: { disabled: true } },
      },
    },
    replies: { 200: userReply("The user as they are now.", { headers: { ETag: "always" } }) },
    problems: ["not-found", "last-admin", "precondition-failed", "invalid-user"],
  },
  {
    method: "DELETE",
    path: "/user/:login",
    id: "deleteUser",
    tag,
    summary: "Delete a user",
    description: "With their sessions. Users delete themselves with a session that is less than " +
      `${freshLoginMs / 60_000} minutes old.`,
    who: "user or admin",
    parameters: [loginParameter, ifMatchParameter],
    replies: { 204: { description: "The user is gone.", headers: sessionEndedHeaders } },
    problems: ["not-found", "login-again", "last-admin", "precondition-failed"],
  },
  {
    method: "PUT",
    path: "/user/:login/password",
    id: "changePassword",
    tag,
    summary: "Set a password",
    description:
      "By the user with the present one, whose other sessions end; or by a ticket for a reset, and all end. " +
      "The tickets that the user has made are void then, as somebody else may have made them.",
    who: "user or ticket",
    parameters: [loginParameter],
    body: {
      schema: schemaNamed("PasswordChange"),
      examples: {
        password: {
          summary: "With the present one",
          value: { current_password: examplePassword, password: exampleNewPassword },
        },
        ticket: { summary: "With a ticket", value: { ticket: exampleCode, password: exampleNewPassword } },
      },
    },
    replies: { 204: { description: "The password is set.", headers: { "Set-Cookie": "sometimes" } } },
    problems: [
      "wrong-current-password",
      "ticket-invalid",
      "invalid-user",
      "too-many-attempts",
      "too-many-new-passwords",
      "overloaded",
    ],
  },
  {
    method: "GET",
    path: "/user/:login/session/",
    id: "listSessions",
    tag,
    summary: "List a user's sessions",
    description:
      "The oldest login first, by pages. A setting limits how many a user has: with one more, the session seen " +
      "longest ago ends.",
    who: "user or admin",
    parameters: [loginParameter, ...pageParameters(exampleSessionId)],
    replies: {
      200: {
        description: "A page of where the user is logged in.",
        type,
        schema: schemaNamed("SessionPage"),
        examples: example("One", {
          sessions: [{
            id: exampleSessionId,
            created_at: exampleDates.created_at,
            last_seen_at: exampleDates.created_at,
            expires_at: exampleDates.expires_at,
            user_agent: "curl/8.14.1",
            address: "192.0.2.7",
            current: true,
          }],
          total: 1,
          next: null,
        }),
        headers: { Link: "sometimes" },
      },
    },
    problems: ["not-found", "invalid-query"],
  },
  {
    method: "DELETE",
    path: "/user/:login/session/",
    id: "endSessions",
    tag,
    summary: "End a user's sessions",
    description: "All of them, that of the request among them. The tickets that the user has made are void then.",
    who: "user or admin",
    parameters: [loginParameter],
    replies: { 204: { description: "None is left.", headers: sessionEndedHeaders } },
    problems: ["not-found"],
  },
  {
    method: "DELETE",
    path: "/user/:login/session/:id",
    id: "endSession",
    tag,
    summary: "End one session",
    who: "user or admin",
    parameters: [loginParameter, sessionIdParameter],
    replies: { 204: { description: "It has ended.", headers: sessionEndedHeaders } },
    problems: ["not-found"],
  },
];
