/** What the scene of a fuzz test keeps of users and tickets. */
import { canonicalLogin } from "../../../lib/accounts/user.ts";
import type { Reply } from "../app.ts";

/** Who can log in. */
export interface Account {
  readonly login: string;
  password: string;
  isAdmin: boolean;
  isDisabled: boolean;
  /** The last is the newest. Whether they still live is known by using them. */
  tokens: string[];
}

/** A ticket that the scene knows the code of. */
export interface FuzzTicket {
  readonly id: string;
  readonly code: string;
  readonly purpose: string;
  /** "" is any. */
  readonly login: string;
}

/** Credentials as HTTP Basic encodes them. */
export function toBasic(login: string, password: string): string {
  return new TextEncoder().encode(`${login}:${password}`).toBase64();
}

/** Whether a response shows a user in the group `admin`. */
export function isAdminOf({ groups }: Reply["json"]): boolean {
  return Array.isArray(groups) && groups.includes("admin");
}

/** An object as it is, and anything else as an empty one. */
export function asRecord(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? { ...value } : {};
}

/** The login in a segment of a path, "" if it cannot be decoded. */
export function decodeLogin(segment: string): string {
  try {
    return canonicalLogin(decodeURIComponent(segment));
  } catch {
    return "";
  }
}

/** What a request has beside method and path. */
export interface AskOptions {
  readonly json?: unknown;
  readonly token?: string | undefined;
  readonly client?: string;
}
