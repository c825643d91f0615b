/**
 * Errors as HTML, for browsers that navigate: what happened, in English or Russian, and a link that leads on.
 *
 * Programs never get one, as only browsers send `Sec-Fetch-Mode: navigate`. The page stands alone, because it is shown
 * at addresses of guarded sites and while the store is down: no script, and one style, which the policy names by its
 * hash.
 */

import { hash } from "node:crypto";
import style from "./error_page.css" with { type: "text" };
import { type Html, html, trustedStyle } from "./html.ts";
import type { HttpError } from "./http_error.ts";
import { mount, pageAddress } from "./page_address.ts";
import { pathOf } from "./path_table.ts";
import type { ProblemCode } from "./problem.ts";
import { safeRedirectPath } from "./safe_redirect_path.ts";

const policy = `default-src 'none'; style-src 'sha256-${hash("sha256", style, "base64")}'; ` +
  "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** The beginning of a site's address. The host is bounded: parsing 64 kB of labels takes 6 ms. */
const originPattern = /^https?:\/\/[^/?#\\]{1,300}(?:[/?#]|$)/;

/** Characters of Accept-Language that are read; browsers send about 40. */
const maxLanguagesLength = 256;

type Language = "en" | "ru";

/** Returns the language that a browser prefers (RFC 9110, 12.5.4). */
export function languageOf(headers: Headers): Language {
  const ranges = (headers.get("accept-language") ?? "").slice(0, maxLanguagesLength).toLowerCase().split(",");
  const weights = { en: 0, ru: 0 };
  for (const range of ranges) {
    const [, language, weight = "1"] = /^ ?(en|ru)(?:-[a-z0-9-]+)?(?:;q=([01](?:\.\d{0,3})?))?$/.exec(range) ?? [];
    if (language === "en" || language === "ru") weights[language] = Math.max(weights[language], Number(weight));
  }
  return weights.ru > weights.en ? "ru" : "en";
}

/** Tells whether a browser asks for a page to show, by any method, from this service or from a guarded site. */
export function isNavigation(headers: Headers): boolean {
  return headers.get("sec-fetch-mode") === "navigate";
}

/** Makes the page of a problem. */
export function problemPage(error: HttpError, request: Request, requestId: string): Response {
  const language = languageOf(request.headers);
  const [title, text] = problemTexts(error, language);
  const seconds = Number(error.headers["retry-after"] ?? 0);
  const path = pathOf(request.url);
  const isOfGuard = path.startsWith("/guard/");
  // Elsewhere the mount is unknown, so the link is relative.
  const account = isOfGuard ? mount : "./" + "../".repeat(path.split("/", 20).length - 2);
  // The guard refused it, so the site has not received the form.
  const isUnsentForm = isOfGuard && !isSafe(methodOf(request));
  const body = html`
    <p>${text} ${seconds > 0 && waitText(seconds, language)} ${isUnsentForm && errorTexts[language].goBack}</p>
    <p class="actions"><a href="${account}">${errorTexts[language].account}</a></p>
    <p><small>${error.status} ${error.code}, ${requestId}</small></p>
  `;
  return pageOf(request, { ...error, title, body });
}

/**
 * Makes the page of a form that was sent to a guarded site after the session had ended, or without the second factor
 * that the page needs: the browser keeps its fields.
 */
export function notSentPage(
  request: Request,
  { headers, need }: { readonly headers: Readonly<Record<string, string>>; readonly need?: string | undefined },
): Response {
  const { notSent, notSentWhy, logIn } = errorTexts[languageOf(request.headers)];
  const link = pageAddress({ need, next: formPath(request.headers) });
  const body = html`
    <p>${notSentWhy}</p>
    <p class="actions"><a href="${link}" target="_blank" rel="noopener">${logIn}</a></p>
  `;
  return pageOf(request, { status: 401, headers, title: notSent, body });
}

/**
 * Makes the page of a guarded page that requires groups.
 *
 * @param options `missing` are those that the user is not in; `otherAccount` is the address of the page to use another
 */
export function notInGroupPage(
  request: Request,
  { login, missing, otherAccount }: {
    readonly login: string;
    readonly missing: readonly string[];
    readonly otherAccount: string;
  },
): Response {
  const { notInGroup, loggedInAs, notInGroupWhy, canBeAdded, account, logOut } =
    errorTexts[languageOf(request.headers)];
  const body = html`
    <p>${loggedInAs} <b>${login}</b>. ${notInGroupWhy} <b>${missing.join(", ")}</b>. ${canBeAdded}</p>
    <p class="actions"><a href="${otherAccount}">${logOut}</a> <a href="${mount}">${account}</a></p>
  `;
  return pageOf(request, { status: 403, headers: {}, title: notInGroup, body });
}

/** Makes the page of a login at a site that was not completed. @param next the page wanted there */
export function notCompletedPage(request: Request, next: string): Response {
  const { notCompleted, notCompletedWhy, logInAgain } = errorTexts[languageOf(request.headers)];
  const body = html`
    <p>${notCompletedWhy}</p>
    <p class="actions"><a href="${pageAddress({ next })}">${logInAgain}</a></p>
  `;
  return pageOf(request, { status: 403, headers: {}, title: notCompleted, body });
}

/** Returns the method of the browser's request, which a proxy may have asked about. */
export function methodOf({ headers, method }: Request): string {
  return headers.get("x-forwarded-method") ?? method;
}

/** Tells whether a method is safe (RFC 9110, 9.2.1). */
export function isSafe(method: string): boolean {
  return method === "GET" || method === "HEAD";
}

type ErrorPage = Pick<HttpError, "status" | "headers"> & { readonly title: string; readonly body: Html };

function pageOf(request: Request, { status, headers, title, body }: ErrorPage): Response {
  const text = html`
    <!DOCTYPE html>
    <html lang="${languageOf(request.headers)}">
      <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width">
        <title>${title}</title>
        ${trustedStyle(style)}
      </head>
      <body>
        <main><h1>${title}</h1>${body}</main>
      </body>
    </html>
  `;
  const own = { "content-type": "text/html; charset=utf-8", "content-security-policy": policy };
  return new Response(text.toString(), { status, headers: { ...headers, ...own, "cache-control": "no-store" } });
}

/** Returns the page that the form was on if it belongs to the same site, or else the site's first page. */
function formPath(headers: Headers): string {
  const text = headers.get("referer") ?? "";
  if (!originPattern.test(text)) return "/";
  const referer = URL.parse(text);
  const host = headers.get("x-forwarded-host") ?? headers.get("host");
  return referer?.host === host && safeRedirectPath(referer.pathname + referer.search) || "/";
}

function problemTexts({ code, status }: HttpError, language: Language): Text {
  const texts = statusTexts[language];
  // A wrong login by HTTP Basic, where GATEHOUSE_LOGIN_ERRORS is "exact".
  const shown = code === "unknown-login" ? 401 : status === 507 ? 503 : status;
  return texts[code] ?? texts[shown] ?? texts[status < 500 ? 400 : 500];
}

/** Returns when to try again, rounded up so that a retry at that time succeeds. */
function waitText(seconds: number, language: Language): string {
  const unit = seconds < 90 ? "second" : seconds < 90 * 60 ? "minute" : "hour";
  const count = Math.ceil(seconds / { second: 1, minute: 60, hour: 3_600 }[unit]);
  const when = new Intl.RelativeTimeFormat(language).format(count, unit);
  return language === "en" ? `Try again ${when}.` : `Попробуйте снова ${when}.`;
}

type Text = readonly [title: string, text: string];
/** By status or code: those of 400 and 500 stand for the others. */
type Texts = Readonly<Record<400 | 500, Text> & Partial<Record<number | ProblemCode, Text>>>;

const statusTexts: Readonly<Record<Language, Texts>> = {
  en: {
    400: ["Request refused", "This address or request is not valid."],
    401: ["Login required", "The login or password is missing or wrong."],
    403: ["Access denied", "Your account does not have access to this page."],
    404: ["Page not found", "There is no page at this address."],
    429: ["Too many wrong passwords", "Passwords are not accepted for a while."],
    500: ["Something went wrong", "The login service failed with an internal error. Its log has the reason."],
    503: ["Temporarily unavailable", "The login service is not available at the moment."],
    "unknown-site": ["Site closed", "The login service does not know this site. Its administrator can add it."],
    "only-at-home": ["Not at this address", "Your account is at the address where you log in."],
  },
  ru: {
    400: ["Запрос отклонён", "Некорректный адрес или запрос."],
    401: ["Требуется вход", "Логин или пароль не указан или неверен."],
    403: ["Нет доступа", "У вашей учётной записи нет доступа к этой странице."],
    404: ["Страница не найдена", "По этому адресу страницы нет."],
    429: ["Слишком много неверных паролей", "Пароли временно не принимаются."],
    500: ["Произошла ошибка", "Внутренняя ошибка службы входа. Причина записана в её журнал."],
    503: ["Временно недоступно", "Служба входа сейчас недоступна."],
    "unknown-site": ["Сайт закрыт", "Служба входа не знает этот сайт. Его может добавить администратор службы."],
    "only-at-home": ["Не по этому адресу", "Учётная запись доступна по адресу, где вы входите."],
  },
};

const errorTexts = {
  en: {
    notSent: "The form was not sent",
    notSentWhy: "Your session has ended, or lacks the second factor that the page needs. Your browser has kept the " +
      "form: log in, go back to it and send it again.",
    logIn: "Log in in a new tab",
    notInGroup: "You do not have access to this page",
    loggedInAs: "You are logged in as",
    notInGroupWhy: "This page requires groups that you are not in:",
    canBeAdded: "An administrator can add you.",
    notCompleted: "The login was not completed",
    notCompletedWhy: "It took too long, or your browser does not store cookies of this site.",
    logInAgain: "Log in again",
    logOut: "Log out and use another account",
    account: "Your account",
    goBack: "The form was not sent. Go back to it: your browser has kept what you typed.",
  },
  ru: {
    notSent: "Форма не отправлена",
    notSentWhy: "Сеанс завершён, или для страницы нужен второй фактор. Браузер сохранил форму: войдите, вернитесь к " +
      "ней и отправьте её ещё раз.",
    logIn: "Войти в новой вкладке",
    notInGroup: "У вас нет доступа к этой странице",
    loggedInAs: "Вы вошли как",
    notInGroupWhy: "Для этой страницы нужны группы, в которых вы не состоите:",
    canBeAdded: "Добавить вас может администратор.",
    notCompleted: "Вход не завершён",
    notCompletedWhy: "Прошло слишком много времени, или браузер не сохраняет файлы cookie этого сайта.",
    logInAgain: "Войти снова",
    logOut: "Выйти и сменить учётную запись",
    account: "Моя учётная запись",
    goBack: "Форма не отправлена. Вернитесь к ней: введённые данные сохранились в браузере.",
  },
} as const;
