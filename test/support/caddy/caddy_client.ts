/** Requests through Caddy. */
import type { RunningCaddy } from "./caddy.ts";

interface Reply {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Record<string, unknown>;
}

/** Posts a value as JSON. */
export async function post(caddy: RunningCaddy, path: string, value: unknown): Promise<Reply> {
  const headers = { "content-type": "application/json" };
  return await get(caddy, path, { method: "POST", headers, body: JSON.stringify(value) });
}

/** Sends a request, by default a GET, and reads the JSON it is answered with. */
export async function get(caddy: RunningCaddy, path: string, init: RequestInit = {}): Promise<Reply> {
  const response = await fetch(`${caddy.url}${path}`, { ...init, client: caddy.client });
  return { status: response.status, headers: response.headers, body: await response.json() };
}

/** These headers, `null` where one is missing. */
export function pick(headers: Headers, names: string[]): Record<string, string | null> {
  return Object.fromEntries(names.map((name) => [name, headers.get(name)]));
}

/** Host and port of a URL. */
export function hostOf(url: string): string {
  return new URL(url).host;
}
