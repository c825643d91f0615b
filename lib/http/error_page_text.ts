/** What a refusal says to a person, in English and Russian. */

import type { HttpError } from "./http.ts";
import type { ProblemCode } from "./problem.ts";

export type Language = "en" | "ru";

/** Of an Accept-Language so much is read, characters: browsers send some 40. */
const maxLanguagesLength = 256;

/** The language that a browser prefers of those that there are (RFC 9110, 12.5.4). */
export function languageOf(headers: Headers): Language {
  const ranges = (headers.get("accept-language") ?? "").slice(0, maxLanguagesLength).toLowerCase().split(",");
  const weights = { en: 0, ru: 0 };
  for (const range of ranges) {
    const [, language, weight = "1"] = /^ ?(en|ru)(?:-[a-z0-9-]+)?(?:;q=([01](?:\.\d{0,3})?))?$/.exec(range) ?? [];
    if (language === "en" || language === "ru") weights[language] = Math.max(weights[language], Number(weight));
  }
  return weights.ru > weights.en ? "ru" : "en";
}

/** Texts of the pages. */
export const texts = {
  en: {
    notSent: "The form was not sent",
    notSentWhy: "Your session has ended. Log in in a new tab, return to this one, go back to the form and send it " +
      "again: your browser has kept what you typed.",
    logIn: "Log in in a new tab",
    notInGroup: "This page is not for you",
    loggedInAs: "You are logged in as",
    notInGroupWhy: "This page is for members of a group that you are not in; an administrator can add you to it. To " +
      "use another account, log out first.",
    account: "Your account",
    home: "Log in, or see your account",
    goBack: "The form was not sent: go back to it with your browser, which has kept what you typed.",
    comeAgain: (seconds: number) => `Try again ${wait(seconds, "en")}.`,
  },
  ru: {
    notSent: "Форма не отправлена",
    notSentWhy: "Сеанс закончился. Войдите в новой вкладке, вернитесь в эту, перейдите назад к форме и отправьте её " +
      "ещё раз: введённое сохранилось в браузере.",
    logIn: "Войти в новой вкладке",
    notInGroup: "Эта страница не для вас",
    loggedInAs: "Вы вошли как",
    notInGroupWhy: "Эта страница — для участников группы, в которой вас нет; добавить вас может администратор. Чтобы " +
      "войти под другим логином, сначала выйдите.",
    account: "Ваша учётная запись",
    home: "Войти или открыть учётную запись",
    goBack: "Форма не отправлена: вернитесь к ней кнопкой «Назад», введённое сохранилось в браузере.",
    comeAgain: (seconds: number) => `Попробуйте снова ${wait(seconds, "ru")}.`,
  },
} as const;

/** What a problem is to a person. */
export function problemText({ code, status }: HttpError, language: Language): { title: string; text: string } {
  const known = byCode[code] ?? (status === 503 || status === 507 ? unavailable : status < 500 ? refused : failed);
  const [title, text] = known[language];
  return { title, text };
}

type Text = Readonly<Record<Language, readonly [title: string, text: string]>>;

const unavailable: Text = {
  en: ["Not available now", "The service that knows who you are cannot answer at the moment."],
  ru: ["Сейчас недоступно", "Служба, которая проверяет, кто вы, сейчас не может ответить."],
};
const failed: Text = {
  en: ["Something went wrong", "The service failed, and has written the reason into its log."],
  ru: ["Что-то пошло не так", "В службе произошла ошибка; причина записана в её журнал."],
};
const refused: Text = {
  en: ["The request was refused", "Something about this address or request is not right."],
  ru: ["Запрос не принят", "С этим адресом или запросом что-то не так."],
};
const wrongCredentials: Text = {
  en: ["Wrong login or password", "The login or the password that was sent is not right."],
  ru: ["Неверный логин или пароль", "Отправленный логин или пароль неверен."],
};

const byCode: Readonly<Partial<Record<ProblemCode, Text>>> = {
  "too-many-attempts": {
    en: ["Too many wrong passwords", "For a while no password is taken."],
    ru: ["Слишком много неверных паролей", "Какое-то время пароли не принимаются."],
  },
  "wrong-credentials": wrongCredentials,
  "unknown-login": wrongCredentials,
  "wrong-password": wrongCredentials,
  "not-authenticated": {
    en: ["Log in first", "This is only for people who are logged in."],
    ru: ["Сначала войдите", "Это доступно только после входа."],
  },
  "forbidden": {
    en: ["Not allowed", "Your account may not see this."],
    ru: ["Нет доступа", "Вашей учётной записи это недоступно."],
  },
  "not-found": {
    en: ["Page not found", "There is nothing at this address."],
    ru: ["Страница не найдена", "По этому адресу ничего нет."],
  },
};

/** "in 5 minutes". Rounded up: who comes when it says is not refused again. */
function wait(seconds: number, language: Language): string {
  const format = new Intl.RelativeTimeFormat(language);
  if (seconds < 90) return format.format(Math.ceil(seconds), "second");
  if (seconds < 90 * 60) return format.format(Math.ceil(seconds / 60), "minute");
  return format.format(Math.ceil(seconds / 3600), "hour");
}
