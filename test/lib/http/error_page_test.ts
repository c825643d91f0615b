/** Error pages: language, links, and no text from the request. guard_refusal_test.ts tests when they are shown. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { hash } from "node:crypto";
import { HttpError } from "../../../lib/http/http_error.ts";
import {
  isNavigation,
  languageOf,
  notCompletedPage,
  notInGroupPage,
  notSentPage,
  problemPage,
} from "../../../lib/http/error_page.ts";
import { problems } from "../../../lib/http/problem.ts";

type Headers = Readonly<Record<string, string>>;

const requestOf = (headers: Headers = {}, path = "/guard/") => new Request(`http://127.0.0.1${path}`, { headers });

/** Accept-Language, and the language of the page. */
const languages: readonly [header: string | undefined, language: string][] = [
  [undefined, "en"],
  ["", "en"],
  ["ru", "ru"],
  ["RU-ru", "ru"],
  ["ru-RU,ru;q=0.9,en-US;q=0.8,en;q=0.7", "ru"],
  ["en-GB,en;q=0.9,ru;q=0.8", "en"],
  ["de,ru;q=0.5, en;q=0.3", "ru"],
  ["de-DE,de;q=0.9", "en"],
  ["*", "en"],
  ["ru;q=0", "en"],
  ["ru;q=0.", "en"],
  ["ru;q=2", "en"],
  ["rus", "en"],
  ["en;q=0.5,ru;q=0.50", "en"],
  ["ru\0", "en"],
  [`${"de,".repeat(100)}ru`, "en"],
  [`ru;q=${"0".repeat(60_000)}1`, "en"],
  [" ".repeat(60_000) + "ru", "en"],
];

for (const [header, language] of languages) {
  Deno.test(`languageOf() is ${language}: ${JSON.stringify(header?.slice(0, 40))}`, () => {
    const headers = { get: () => header ?? null } as unknown as globalThis.Headers;
    assertEquals(languageOf(headers), language);
  });
}

Deno.test("isNavigation() is what browsers say of a page, and nothing that programs say", () => {
  assert(isNavigation(new Headers({ "sec-fetch-mode": "navigate" })));
  for (const headers of [{}, { accept: "text/html" }, { "sec-fetch-mode": "cors" }, { "sec-fetch-dest": "document" }]) {
    assert(!isNavigation(new Headers(headers)));
  }
});

Deno.test("problemPage() says what every problem is, in both languages, and when to come again", async () => {
  for (const code of Object.keys(problems) as (keyof typeof problems)[]) {
    for (const [language, wait] of [["en", "Try again in 40 seconds."], ["ru", "Попробуйте снова через 40 секунд."]]) {
      const error = new HttpError(code, { headers: { "retry-after": "40" } });
      const page = problemPage(error, requestOf({ "accept-language": `${language}` }), "1-a");
      assertEquals([page.status, page.headers.get("retry-after")], [problems[code].status, "40"]);
      const text = await page.text();
      assertStringIncludes(text, `<html lang="${language}">`);
      assertEquals([/[а-я]/i.test(text.replace(/<style>.*<\/style>/s, "")), text.includes(String(wait))], [
        language === "ru",
        true,
      ]);
      assertStringIncludes(text, `${problems[code].status} ${code}, 1-a`);
    }
  }
});

const waits = [[1, "in 1 second"], [89, "in 89 seconds"], [90, "in 2 minutes"], [5_400, "in 2 hours"]] as const;

Deno.test("problemPage() rounds waits up, and says none where there is none", async () => {
  for (const [seconds, text] of waits) {
    const error = new HttpError("overloaded", { headers: { "retry-after": `${seconds}` } });
    assertStringIncludes(await problemPage(error, requestOf(), "").text(), `Try again ${text}.`);
  }
  assert(!(await problemPage(new HttpError("internal-error"), requestOf(), "").text()).includes("Try again"));
});

Deno.test("problemPage() links to the service at any mount path, and to /auth/ on a guarded site", async () => {
  for (const path of ["/", "/x", "/user/alice", "/user/alice/session/", "/user/alice/session/1"]) {
    const text = await problemPage(new HttpError("not-found"), requestOf({}, path), "").text();
    const [, link = ""] = /href="([^"]*)"/.exec(text) ?? [];
    for (const mounted of ["", "/auth"]) {
      assertEquals(new URL(link, `https://gate.example${mounted}${path}`).pathname, `${mounted}/`);
    }
  }
  assertStringIncludes(await problemPage(new HttpError("not-found"), requestOf(), "").text(), 'href="/auth/"');
});

Deno.test("problemPage() tells of a form that was not sent to a guarded site", async () => {
  const rows: readonly [method: string, path: string, isTold: boolean][] = [
    ["POST", "/guard/", true],
    ["GET", "/guard/", false],
    ["HEAD", "/guard/", false],
    ["POST", "/user/", false],
  ];
  for (const [method, path, isTold] of rows) {
    const page = problemPage(new HttpError("overloaded"), requestOf({ "x-forwarded-method": method }, path), "");
    assertEquals((await page.text()).includes("form"), isTold, `${method} ${path}`);
  }
});

/** Where the form was, and where a login leads back to. */
const referers: readonly [headers: Headers, next: string][] = [
  [{}, "/"],
  [{ referer: "https://wiki.example/edit?a=b&c#d" }, "/edit?a=b&c"],
  [{ referer: "https://wiki.example" }, "/"],
  [{ referer: "https://evil.example/edit" }, "/"],
  [{ referer: "https://wiki.example:8443/edit" }, "/"],
  [{ referer: "https://wiki.example//evil.example" }, "/"],
  [{ referer: `https://wiki.example${":443".repeat(100)}/edit` }, "/"],
  [{ referer: `https://${"a.".repeat(150)}/edit`, "host": "a.".repeat(150) }, "/edit"],
  [{ referer: `https://${"a.".repeat(151)}/edit`, "host": "a.".repeat(151) }, "/"],
  [{ referer: "/edit" }, "/"],
  [{ referer: "javascript:alert(1)" }, "/"],
  [{ referer: `https://wiki.example/edit?${"a".repeat(60_000)}` }, "/edit"],
  [{ referer: "https://site.internal/edit", "x-forwarded-host": "site.internal" }, "/edit"],
  [{ referer: "https://wiki.example/edit", "x-forwarded-host": "site.internal" }, "/"],
];

for (const [headers, next] of referers) {
  Deno.test(`notSentPage() links to the form's page ${next}: ${JSON.stringify(headers).slice(0, 80)}`, async () => {
    const page = notSentPage(requestOf({ host: "wiki.example", ...headers }), {
      headers: { "www-authenticate": "Bearer" },
    });
    assertEquals([page.status, page.headers.get("www-authenticate")], [401, "Bearer"]);
    assertStringIncludes(
      await page.text(),
      `href="/auth/?next=${encodeURIComponent(next)}" target="_blank" rel="noopener"`,
    );
  });
}

Deno.test("every page allows its own style and nothing else, and cannot be kept", async () => {
  const pages = [
    problemPage(new HttpError("overloaded"), requestOf(), "1-a"),
    notSentPage(requestOf(), { headers: {} }),
    notCompletedPage(requestOf(), "/"),
    notInGroupPage(requestOf(), { login: "<b>&'\"", missing: ["<i>"], otherAccount: "/auth/" }),
  ];
  for (const page of pages) {
    const text = await page.text();
    const [, style = ""] = /<style>(.*?)<\/style>/s.exec(text) ?? [];
    assertEquals(
      page.headers.get("content-security-policy"),
      `default-src 'none'; style-src 'sha256-${hash("sha256", style, "base64")}'; base-uri 'none'; ` +
        "form-action 'none'; frame-ancestors 'none'",
    );
    assertEquals(page.headers.get("cache-control"), "no-store");
    assertEquals(page.headers.get("content-type"), "text/html; charset=utf-8");
    assert(text.trimStart().startsWith("<!DOCTYPE html>") && !/<script|style=|\son\w+=/.test(text));
  }
});

Deno.test("notInGroupPage() shows login and groups as text, whatever they are", async () => {
  const refused = { login: "<script>&'\"", missing: ["staff", "<night>"], otherAccount: "/auth/#switch=%22" };
  const text = await notInGroupPage(requestOf(), refused).text();
  assertStringIncludes(text, "You are logged in as <b>&lt;script&gt;&amp;&#39;&quot;</b>.");
  assertStringIncludes(text, "groups that you are not in: <b>staff, &lt;night&gt;</b>. An administrator can add you.");
  assertStringIncludes(text, 'href="/auth/#switch=%22">Log out and use another account</a>');
  assertStringIncludes(text, 'href="/auth/">Your account</a>');
  const russian = await notInGroupPage(requestOf({ "accept-language": "ru" }), refused).text();
  assertStringIncludes(russian, "в которых вы не состоите: <b>staff, &lt;night&gt;</b>.");
});
