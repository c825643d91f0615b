/** Making tickets, and registering with them. */
import { outcomeOf } from "./accounts.ts";
import { alice, type TestApp } from "./app.ts";

export const hourMs = 60 * 60 * 1_000;

/** The modes of registration. */
export const modes = ["open", "ticket", "closed"] as const;

/** The options of an app in this mode of registration. */
export function inMode(mode: typeof modes[number]) {
  return { settings: { GATEHOUSE_REGISTRATION: mode } };
}

/** Registers, by default without a ticket. */
export async function register({ send }: TestApp, login: string, ticket?: string): Promise<string> {
  return outcomeOf(await send("POST", "/user/", { json: { ...alice, login, ticket } }));
}
