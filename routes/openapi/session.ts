/** The operations of `/session/` and `/ticket/`, as the document tells of them. */

import type { Operation } from "./operation.ts";
import { example, exampleCode, exampleDates, examplePassword, exampleSessionId, exampleTicketId } from "./examples.ts";
import { freshLoginMs } from "../caller.ts";
import { pageParameters, ticketIdParameter } from "./parameters.ts";
import { schemaNamed } from "./schemas.ts";

const tag = "Sessions";
const type = "application/json";
const token = `${exampleSessionId}.ViKCCZ6Z63J8PbJ1YbTuW7hH_eCpkibooMHLY9fIMQ4`;

/** Of what ends the session by whose cookie it is asked for. */
export const sessionEndedHeaders = { "Set-Cookie": "sometimes", "Clear-Site-Data": "sometimes" } as const;

export const sessionOperations: readonly Operation[] = [
  {
    method: "POST",
    path: "/session/",
    id: "logIn",
    tag,
    summary: "Log in",
    description: "An unknown login, a wrong password and a disabled account get the same answer, after the same " +
      "work, unless the service is told to tell them apart (`GATEHOUSE_LOGIN_ERRORS=exact`).",
    who: "anyone",
    body: {
      schema: schemaNamed("Credentials"),
      examples: {
        token: { summary: "For a program", value: { login: "alice", password: examplePassword } },
        cookie: { summary: "For a browser", value: { login: "alice", password: examplePassword, cookie: true } },
      },
    },
    replies: {
      201: {
        description: "A session, on the disk.",
        type,
        schema: schemaNamed("NewSession"),
        examples: {
          token: { summary: "With the token", value: { login: "alice", token, ...exampleDates } },
          cookie: { summary: "The token is in the cookie", value: { login: "alice", ...exampleDates } },
        },
        headers: { "Set-Cookie": "sometimes" },
      },
    },
    problems: [
      "wrong-credentials",
      "wrong-password",
      "unknown-login",
      "too-many-attempts",
      "invalid-credentials",
      "overloaded",
    ],
  },
  {
    method: "GET",
    path: "/session/",
    id: "showSession",
    tag,
    summary: "See who one is",
    who: "session",
    replies: {
      200: {
        description: "The session of the request.",
        type,
        schema: schemaNamed("OwnSession"),
        examples: example("Alice's", { login: "alice", groups: [], ...exampleDates }),
      },
    },
  },
  {
    method: "DELETE",
    path: "/session/",
    id: "logOut",
    tag,
    summary: "Log out",
    who: "session",
    replies: { 204: { description: "The session has ended.", headers: sessionEndedHeaders } },
  },
];

export const ticketOperations: readonly Operation[] = [
  {
    method: "POST",
    path: "/ticket/",
    id: "makeTicket",
    tag: "Tickets",
    summary: "Make a ticket",
    description: "A code that is good once: to register, or to set the password of one user without the old one. " +
      "Give it to the person by a way that only they can read. It is void once its maker is no administrator any more, " +
      "is deleted or disabled, logs out everywhere, or gets another password. One that resets the password of an " +
      `administrator needs a session that is less than ${freshLoginMs / 60_000} minutes old.`,
    who: "admin",
    body: {
      schema: schemaNamed("TicketRequest"),
      examples: {
        register: { summary: "An invitation", value: { purpose: "register" } },
        reset: { summary: "A reset", value: { purpose: "reset", login: "alice" } },
      },
    },
    replies: {
      201: {
        description: "The ticket; its code is shown this once.",
        type,
        schema: schemaNamed("Ticket"),
        examples: example("An invitation", {
          id: exampleTicketId,
          ticket: exampleCode,
          purpose: "register",
          expires_at: "2026-11-23T13:31:28.463Z",
        }),
      },
    },
    problems: ["registration-closed", "not-found", "invalid-ticket", "login-again"],
  },
  {
    method: "GET",
    path: "/ticket/",
    id: "listTickets",
    tag: "Tickets",
    summary: "List tickets",
    description: "Those that are good, by pages, in the order in which they were made; without their codes.",
    who: "admin",
    parameters: pageParameters(exampleTicketId),
    replies: {
      200: {
        description: "A page of tickets.",
        type,
        schema: schemaNamed("TicketPage"),
        examples: example("One invitation", {
          tickets: [{
            id: exampleTicketId,
            purpose: "register",
            login: "bob",
            made_by: "grace",
            created_at: "2026-11-22T13:31:28.463Z",
            expires_at: "2026-11-23T13:31:28.463Z",
          }],
          total: 1,
          next: null,
        }),
        headers: { Link: "sometimes" },
      },
    },
    problems: ["invalid-query"],
  },
  {
    method: "DELETE",
    path: "/ticket/:id",
    id: "deleteTicket",
    tag: "Tickets",
    summary: "Withdraw a ticket",
    who: "admin",
    parameters: [ticketIdParameter],
    replies: { 204: { description: "The ticket is void." } },
    problems: ["not-found"],
  },
];
