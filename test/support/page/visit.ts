/**
 * A visit to the page with a real browser, watched from the first request to the last: whatever the console, the
 * network or the policy complains of fails the test. Most have a fresh profile; those that share one are three times as
 * fast, because it has loaded and compiled the scripts.
 */
import { assertEquals } from "@std/assert";
import type { Browser, BrowserContext, Page } from "npm:playwright-core@1.65.1";
import { texts } from "../../../routes/page/russian.js";
import { texts as adminTexts } from "../../../routes/page/russian_admin.js";
import { texts as factorTexts } from "../../../routes/page/russian_factors.js";
import { newPassword, password } from "./site.ts";

export type Language = "en" | "ru";

const secrets = [password, newPassword];
const locales = { en: "en-GB", ru: "ru-RU" } as const;

/** How somebody looks at the page. */
export interface Look {
  readonly language: Language;
  /** Of the window, in CSS pixels. */
  readonly width: number;
}

/** Both languages and both widths, in either pairing: tests take one pairing after the other. */
export const pairings: readonly (readonly Look[])[] = [
  [{ language: "en", width: 1280 }, { language: "ru", width: 320 }],
  [{ language: "en", width: 320 }, { language: "ru", width: 1280 }],
];

export interface VisitOptions extends Partial<Look> {
  /** Of the page, with a slash at the end. */
  readonly url: string;
  /** What follows the address: a query or a fragment. */
  readonly path?: string;
  /** Of a session that there is already. */
  readonly token?: string | undefined;
  readonly colours?: "light" | "dark";
  /** Of the browser; by default British, or Russian. */
  readonly locale?: string;
  /** Whether things may move. */
  readonly motion?: "reduce" | "no-preference";
  /** Requests that must fail, as "401 POST session/"; all others must not. */
  readonly refused?: readonly string[];
}

export interface Visit {
  readonly page: Page;
  readonly context: BrowserContext;
  /** A text of the page in the language of the visit. `site` is the host of the page. */
  say(text: string, values?: Readonly<Record<string, string | number>>): string;
}

/** One view, for tests and pictures of all of them. */
export interface View {
  readonly name: string;
  /** What follows the address. */
  readonly path: string;
  /** Who must be logged in. */
  readonly who?: "alice" | "root";
  /** Requests that fail on the way to it. */
  readonly refused?: readonly string[];
  /** Whether it sets the clock, which is that of all tabs of a profile. */
  readonly setsClock?: boolean;
  /** What is done to see it. */
  open?(visit: Visit): Promise<void>;
}

/** Visits with a fresh profile. */
export async function visit<Result>(
  browser: Browser,
  options: VisitOptions,
  act: (visit: Visit) => Promise<Result>,
): Promise<Result> {
  const context = await openProfile(browser, options);
  try {
    return await visitWith(context, options, act);
  } finally {
    await context.close();
  }
}

/** A fresh profile. */
export async function openProfile(browser: Browser, options: Partial<VisitOptions>): Promise<BrowserContext> {
  const { language = "en", width = 1280, colours = "light", locale = locales[language], motion = "reduce" } = options;
  const context = await browser.newContext({
    viewport: { width, height: 800 },
    locale,
    colorScheme: colours,
    reducedMotion: motion,
  });
  context.setDefaultTimeout(15_000);
  return context;
}

/** Opens the page in a new tab, does what is to be done, and checks that nothing else went wrong. */
export async function visitWith<Result>(
  context: BrowserContext,
  options: VisitOptions,
  act: (visit: Visit) => Promise<Result>,
): Promise<Result> {
  const { url, path = "", language = "en", token, refused = [] } = options;
  await context.clearCookies();
  if (token !== undefined) await context.addCookies([sessionCookie(url, token)]);
  const watched = watch(context, url);
  const page = await context.newPage();
  try {
    await page.goto(url + path);
    await page.getByRole("heading", { level: 1 }).waitFor();
    const result = await act({
      page,
      context,
      say: (text, values) => say(language, text, { site: new URL(url).host, ...values }),
    });
    assertEquals(watched.refused, refused, "requests that failed");
    assertEquals(watched.complaints, [], "the console, another host, or a script that failed");
    return result;
  } finally {
    await page.close();
  }
}

/** The cookie of a session, as the service would set it. */
export function sessionCookie(url: string, value: string) {
  const { hostname } = new URL(url);
  const kind = { httpOnly: true, secure: true, sameSite: "Lax" } as const;
  return { name: "__Host-gatehouse", value, domain: hostname, path: "/", ...kind };
}

/** A text of the page. */
export function say(language: Language, text: string, values: Readonly<Record<string, string | number>> = {}): string {
  const known: Readonly<Record<string, unknown>> = language === "ru" ? { ...texts, ...factorTexts, ...adminTexts } : {};
  const translated = known[text] ?? text;
  if (typeof translated !== "string") throw new TypeError(`"${text}" is about a number`);
  if (language === "ru" && translated === text) throw new TypeError(`"${text}" has no Russian`);
  return translated.replaceAll(/\{(\w+)\}/g, (name, key) => String(values[key] ?? name));
}

function watch(context: BrowserContext, url: string): { refused: string[]; complaints: string[] } {
  const refused: string[] = [];
  const complaints: string[] = [];
  context.on("console", (message) => {
    // That a request failed is told by its status, which the test expects or not.
    if (message.type() !== "error" || message.text().startsWith("Failed to load resource")) return;
    complaints.push(`console: ${message.text()}`);
  });
  context.on("weberror", (error) => complaints.push(`script: ${error.error()}`));
  context.on("request", (request) => {
    if (new URL(request.url()).origin !== new URL(url).origin) complaints.push(`elsewhere: ${request.url()}`);
    // Proxies log addresses.
    const hasSecret = secrets.some((secret) => request.url().includes(secret));
    if (hasSecret) complaints.push(`a password in an address: ${request.url()}`);
  });
  context.on("response", (response) => {
    const path = response.url().replace(url, "");
    // The icon is asked for again when the browser likes.
    if (path === "page/mark.svg") return;
    if (response.status() >= 400) refused.push(`${response.status()} ${response.request().method()} ${path}`);
  });
  return { refused, complaints };
}
